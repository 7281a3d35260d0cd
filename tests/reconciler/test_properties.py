"""What holds for every folder and every live side."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.plan import Heal, Permissions
from tests.reconciler.world import World, desired, sink
from tests.worlds.fake_connect import SINK, Connector

NAMES = st.sampled_from("abcd")
VALUES = st.dictionaries(
    st.sampled_from(["file", "topics", "errors.log.enable", "db.password"]), st.sampled_from("xyz")
)
STATES = st.sampled_from(["running", "paused", "stopped"])
FOLDER = st.dictionaries(NAMES, st.tuples(VALUES, STATES))
LIVE = st.dictionaries(st.sampled_from("abcdef"), st.tuples(VALUES, st.sampled_from(["RUNNING", "PAUSED", "STOPPED"])))
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def files(folder: dict[str, tuple[dict[str, str], str]]) -> dict[str, str | bytes]:
    return {
        f"{name}.yaml": sink(name, extra=f"state: {state}", **dict(config)) for name, (config, state) in folder.items()
    }


def meddle(world: World, live: dict[str, tuple[dict[str, str], str]]) -> None:
    for name, (config, target) in live.items():
        found = world.connect.connectors.setdefault(name, Connector({"name": name, "connector.class": SINK}))
        found.config |= config
        found.target = target


@relaxed
@given(first=FOLDER, live=LIVE, second=FOLDER, prune=st.booleans())
def test_after_an_apply_the_plan_is_empty(
    first: dict[str, tuple[dict[str, str], str]],
    live: dict[str, tuple[dict[str, str], str]],
    second: dict[str, tuple[dict[str, str], str]],
    prune: bool,
) -> None:
    """Whatever was applied before and whoever meddled: one apply converges, and the next plan is empty."""
    world = World()
    world.apply(desired(files(first)))
    meddle(world, live)
    world.clock.pass_by(3600)
    permissions = Permissions(prune=prune, mass_delete=True)
    wish = desired(files(second))
    assert all(done.ok for done in world.apply(wish, permissions))
    after = world.scene(wish, permissions).plan
    assert ((), (), ()) == (after.steps, after.upkeep, after.moved)


@relaxed
@given(first=FOLDER, live=LIVE, second=FOLDER)
def test_no_plan_touches_what_is_not_ours(
    first: dict[str, tuple[dict[str, str], str]],
    live: dict[str, tuple[dict[str, str], str]],
    second: dict[str, tuple[dict[str, str], str]],
) -> None:
    """Connectors that no manifest ever named are as they were, prune or not."""
    world = World()
    world.apply(desired(files(first)))
    meddle(world, live)
    foreign = set(world.connect.connectors) - set(first) - set(second)
    before = {name: (dict(found.config), found.target) for name, found in world.connect.connectors.items()}
    for heal in Heal:
        world.apply(desired(files(second)), Permissions(prune=True, mass_delete=True, heal=heal))
    assert {name: before[name] for name in foreign} == {
        name: (found.config, found.target) for name, found in world.connect.connectors.items() if name in foreign
    }
    assert set(asyncio.run(world.journal.read("main"))) <= set(first) | set(second)


@relaxed
@given(text=st.one_of(st.binary(max_size=80), st.text("ab:-[]{}&*<!|>'\"\\u \n\t#%@,0x?", max_size=60).map(str.encode)))
def test_no_text_breaks_the_reader(text: bytes) -> None:
    """Whatever a file holds: a complaint or a manifest, never a crash."""
    state = desired({"f.yaml": text, "g.json": text, "good.yaml": sink("good")})
    assert "good" in {ref.name for ref in state.connectors}

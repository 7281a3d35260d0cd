"""Carrying out a plan over faults: nothing lost, nothing done twice, nobody else held up."""

import asyncio
import dataclasses
import json

import pytest

from reconciler.adapters.journal_format import encode
from reconciler.model import Entry, Ref, Stage, StepRecord
from reconciler.model.errors import AnswerGarbled, JournalFault, JournalUnreachable
from reconciler.plan import Permissions
from runtime.contract import ConnectorName
from tests.reconciler.world import World, desired, sink
from tests.worlds.fake_connect import Connector

NAME = ConnectorName("orders")
REF = Ref("main", NAME)


def entry_of(world: World) -> Entry:
    return dict(asyncio.run(world.journal.read("main")))[NAME]


def test_created_directly_in_its_state() -> None:
    """A paused or stopped connector never runs first."""
    world = World()
    world.apply(desired({"f.yaml": sink(extra="state: stopped")}))
    assert "STOPPED" == world.connect.connectors["orders"].target
    (body,) = world.connect.bodies
    assert isinstance(body, dict)
    assert "STOPPED" == body["initial_state"]


def test_rebalances_are_waited_out() -> None:
    """409 while a rebalance is pending is tried again."""
    world = World()
    world.connect.rebalancing = 2
    (done,) = world.apply(desired({"f.yaml": sink()}))
    assert done.ok
    assert 3 == world.connect.asked["POST /connectors"]


def test_a_long_rebalance_is_given_up() -> None:
    """Patience ends, and the journal says why."""
    world = World()
    world.connect.rebalancing = 1000
    (done,) = world.apply(desired({"f.yaml": sink()}), patience=0.3)
    assert "409 rebalance" in done.problem
    step = entry_of(world).step
    assert step is not None
    assert (Stage.FAILED, "create") == (step.stage, step.action)


def test_trap_7_a_lost_answer_is_not_a_failure() -> None:
    """The create got through, its answer did not: the next try finds it there and is content."""
    world = World()
    world.connect.loses_answers = 1
    (done,) = world.apply(desired({"f.yaml": sink()}))
    assert done.ok
    assert () == world.scene(desired({"f.yaml": sink()})).plan.steps


def test_trap_7_a_delete_that_worked_before_is_done() -> None:
    """404 on a delete is what was wanted."""
    world = World()
    world.apply(desired({"f.yaml": sink("a"), "g.yaml": sink("b")}))

    def somebody_is_faster(what: str) -> None:
        world.connect.connectors.pop("b", None)

    world.connect.before_write = somebody_is_faster
    (done,) = world.apply(desired({"f.yaml": sink("a")}), Permissions(prune=True))
    assert done.ok


def test_trap_5_one_bad_connector_does_not_stop_the_rest() -> None:
    """A rejected configuration fails alone, with the worker's reason and without the secret in it."""
    world = World()
    world.connect.rejects["b"] = "Invalid value hunter2 for configuration db.password (too short)"
    done = world.apply(desired({f"{n}.yaml": sink(n, **{"db.password": "hunter2"}) for n in "abc"}))
    assert {"a": True, "b": False, "c": True} == {outcome.step.ref.name: outcome.ok for outcome in done}
    (failed,) = [outcome for outcome in done if not outcome.ok]
    assert "Invalid value *** for configuration db.password (too short)" in failed.problem
    assert {"a", "c"} == set(world.connect.connectors)


def test_a_name_that_somebody_took_meanwhile_is_not_ours() -> None:
    """Between plan and create another one appeared: it is not overwritten."""
    world = World()

    def somebody_is_faster(what: str) -> None:
        world.connect.connectors["orders"] = Connector({"connector.class": "Other"})

    world.connect.before_write = somebody_is_faster
    (done,) = world.apply(desired({"f.yaml": sink()}), patience=0.0)
    assert "exists already" in done.problem
    assert "Other" == world.connect.connectors["orders"].config["connector.class"]


def test_killed_after_a_create() -> None:
    """Intent in the journal, connector there, no outcome: it is ours, and the record is made up for."""
    world = World()
    wish = desired({"f.yaml": sink()})
    world.apply(wish)
    asyncio.run(world.journal.write(REF, Entry(step=StepRecord("create", Stage.INTENT, 0))))
    assert () == world.scene(wish).plan.steps
    world.apply(wish)
    applied = entry_of(world).applied
    assert applied is not None
    assert "orders" == applied.config["topics"]


def test_killed_after_an_update() -> None:
    """Live has the new value, the record the old one: nothing to do, and it is not called drift."""
    world = World()
    world.apply(desired({"f.yaml": sink()}))
    world.connect.connectors["orders"].config["topics"] = "new"
    plan = world.scene(desired({"f.yaml": sink(topics="new")})).plan
    assert ((), ()) == (plan.steps, plan.moved)


def test_killed_after_a_change_was_put_back() -> None:
    """Nothing is left to do and nothing new to record, yet the journal does not call the step unfinished for ever."""
    world = World()
    wish = desired({"f.yaml": sink()})
    world.apply(wish)
    intent = dataclasses.replace(entry_of(world), step=StepRecord("update", Stage.INTENT, 0))
    asyncio.run(world.journal.write(REF, intent))
    world.apply(wish)
    assert StepRecord("update", Stage.DONE, 0) == entry_of(world).step


class FullJournal:
    """Refuses to remember."""

    async def read(self, cluster: str) -> dict[ConnectorName, Entry]:
        return {}

    async def write(self, ref: Ref, entry: Entry | None) -> None:
        raise JournalUnreachable("no space left")


def test_without_a_journal_nothing_is_done() -> None:
    """The intent comes first; when it cannot be written, the cluster is not touched."""
    world = World(journal=FullJournal())
    with pytest.raises(JournalFault):
        world.apply(desired({"f.yaml": sink()}))
    assert 0 == world.connect.writes()


def test_the_journal_holds_no_secret() -> None:
    """Secrets are sealed: by name, by definition, and after adoption of somebody's connector."""
    world = World()
    world.connect.connectors["orders"] = Connector({"name": "orders", "my.password": "adopted-secret"})
    world.apply(
        desired({"f.yaml": sink(**{"db.password": "s3cr3t-a", "login.pass": "s3cr3t-b", "t.token": "${env:T}"})})
    )
    written = json.dumps(encode(entry_of(world)))
    for secret in ("s3cr3t-a", "s3cr3t-b", "adopted-secret"):
        assert secret not in written
    assert "${env:T}" in written


def test_garbage_is_not_believed() -> None:
    """A proxy's page instead of JSON: the plan fails, nothing is concluded from it."""
    world = World()
    world.connect.garbage = True
    with pytest.raises(AnswerGarbled, match="is it Kafka Connect"):
        world.scene(desired({"f.yaml": sink()}))

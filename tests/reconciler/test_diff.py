"""Three worlds, key by key."""

import pytest

from reconciler.diff import Comparer, Standing, compare
from reconciler.model import ConnectorSpec, Health, LastApplied, ObservedConnector, Origin, Plugin, Sealed, Title
from runtime.contract import ConfigField, ConnectorName, Importance, State, TargetState, Type

NAME = ConnectorName("orders")


def definition(name: str, kind: Type, default: str | None = None) -> ConfigField:
    return ConfigField(
        name=name, type=kind, required=False, default_value=default, importance=Importance.LOW, documentation=""
    )


COMPARER = Comparer(
    {
        "batch": definition("batch", Type.INT, "2000"),
        "flag": definition("flag", Type.BOOLEAN, "false"),
        "topics": definition("topics", Type.LIST, ""),
        "ratio": definition("ratio", Type.DOUBLE),
        "file": definition("file", Type.STRING),
        "pass": definition("pass", Type.PASSWORD),
        "connector.class": definition("connector.class", Type.CLASS),
    },
    (Plugin("org.example.FileSinkConnector", "sink"), Plugin("a.Twin", "sink"), Plugin("b.Twin", "sink")),
)


def spec(config: dict[str, str], state: TargetState = TargetState.STARTED) -> ConnectorSpec:
    return ConnectorSpec(
        name=NAME, cluster="main", plugin="X", config=config, state=state, origin=Origin("f.yaml", 1, 1)
    )


def applied(config: dict[str, str | Sealed], state: TargetState = TargetState.STARTED, at_ms: int = 0) -> LastApplied:
    return LastApplied(config=config, state=state, title=Title.CREATED, state_at_ms=at_ms)


@pytest.mark.parametrize(
    ("git", "before", "live", "standing"),
    [
        ("1", "1", "1", None),
        ("2", "1", "2", None),
        ("2", "1", "1", Standing.PENDING),
        ("1", "1", "2", Standing.DRIFTED),
        ("2", "1", "3", Standing.CONFLICT),
        (None, "1", "1", Standing.PENDING),
        ("1", "1", None, Standing.DRIFTED),
        (None, None, "2", Standing.DRIFTED),
        ("1", None, "2", Standing.CONFLICT),
        ("1", None, None, Standing.PENDING),
    ],
)
def test_who_moved(git: str | None, before: str | None, live: str | None, standing: Standing | None) -> None:
    """The table of the three worlds, absence included."""

    def only(value: str | None) -> dict[str, str]:
        return {} if value is None else {"file": value}

    record: dict[str, str | Sealed] = {**only(before)}
    changes = compare(
        spec(only(git)), applied(record), ObservedConnector(NAME, {**only(live)}), comparer=COMPARER, now_ms=0
    )
    assert ([] if standing is None else [("config.file", standing)]) == [(c.path, c.standing) for c in changes]


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("batch", "1000", "1000 "),
        ("batch", "2000", None),
        ("flag", "TRUE", "true"),
        ("flag", None, "False"),
        ("topics", "a, b", "a,b"),
        ("topics", None, ""),
        ("ratio", "1.0", "1"),
        ("file", " x", "x"),
        ("connector.class", "FileSink", "org.example.FileSinkConnector"),
        ("connector.class", "FileSinkConnector", "org.example.FileSinkConnector"),
    ],
)
def test_values_that_mean_the_same(key: str, one: str | None, other: str | None) -> None:
    """Values are compared as the plugin's definition types them; a default equals absence."""
    assert COMPARER.same(key, one, other)
    assert COMPARER.same(key, other, one)


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("batch", "1000", "1001"),
        ("batch", "1000", None),
        ("flag", "yes", "true"),
        ("topics", "a,b", "b,a"),
        ("file", "X", "x"),
        ("file", "", None),
        ("batch", "${env:BATCH}", "2000"),
        ("batch", "${env:BATCH}", "${env:BATCH} "),
        ("undefined", "1", "1 "),
        ("connector.class", "Twin", "a.Twin"),
    ],
)
def test_values_that_differ(key: str, one: str | None, other: str | None) -> None:
    """References are text; what has no definition is text; an alias of two classes is neither."""
    assert not COMPARER.same(key, one, other)


def test_trap_8_masked_value_compared_with_the_real_one() -> None:
    """A mask on the live side tells nothing: no drift, and still pending when git moved."""
    masked = ObservedConnector(NAME, {"pass": "[hidden]"})
    record: dict[str, str | Sealed] = {"pass": Sealed.of("old")}
    assert () == compare(spec({"pass": "old"}), applied(record), masked, comparer=COMPARER, now_ms=0)
    (change,) = compare(spec({"pass": "new"}), applied(record), masked, comparer=COMPARER, now_ms=0)
    assert (Standing.PENDING, True) == (change.standing, change.secret)


def test_secrets_are_told_apart_without_being_known() -> None:
    """A sealed record says drifted, pending or conflict like a clear one."""
    record: dict[str, str | Sealed] = {"pass": Sealed.of("old")}
    for git, live, standing in (
        ("old", "moved", Standing.DRIFTED),
        ("new", "old", Standing.PENDING),
        ("new", "moved", Standing.CONFLICT),
    ):
        (change,) = compare(
            spec({"pass": git}), applied(record), ObservedConnector(NAME, {"pass": live}), comparer=COMPARER, now_ms=0
        )
        assert standing is change.standing
        assert "old" not in repr(change)
        assert "moved" not in repr(change)


def test_trap_3_health_is_not_a_difference() -> None:
    """A FAILED connector that should run is not a changed one."""
    failed = ObservedConnector(NAME, {}, Health(State.FAILED))
    assert () == compare(spec({}), applied({}), failed, comparer=COMPARER, now_ms=60_000)


def test_a_late_status_is_not_drift() -> None:
    """Pausing is asynchronous: shortly after we asked, RUNNING is late; much later somebody resumed it."""
    wish, record = spec({}, TargetState.PAUSED), applied({}, TargetState.PAUSED, at_ms=1000)
    live = ObservedConnector(NAME, {}, Health(State.RUNNING))
    assert () == compare(wish, record, live, comparer=COMPARER, now_ms=3000)
    (change,) = compare(wish, record, live, comparer=COMPARER, now_ms=60_000)
    assert ("spec.state", Standing.DRIFTED, "running", "paused") == (
        change.path,
        change.standing,
        change.live,
        change.wanted,
    )

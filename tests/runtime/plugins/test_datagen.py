"""Made-up records: always the same ones, as many as wanted, and resumed behind the last."""

import pytest

from runtime.data import RecordBatch
from runtime.plugins.connectors.datagen import DatagenSource, DatagenTask
from runtime.sdk import ConfigError, ConnectError
from tests.runtime.plugins.contexts import Offsets, SourceContext


def task(offsets: Offsets | None = None, **config: str) -> DatagenTask:
    made = DatagenTask()
    made.initialize(SourceContext(offsets))
    made.start({"topic": "t", "rate": "0", **{key.replace("_", "."): value for key, value in config.items()}})
    return made


def polled(one: DatagenTask) -> RecordBatch:
    batch = one.poll()
    assert batch is not None
    return batch


@pytest.mark.parametrize("kind", ["orders", "users", "pageviews"])
def test_records_fit_their_schema_and_are_always_the_same(kind: str) -> None:
    first, again = polled(task(quickstart=kind)), polled(task(quickstart=kind))
    assert first.value == again.value
    assert first.value != polled(task(quickstart=kind, seed="1")).value
    assert first.value != polled(task(quickstart=kind, task_id="1")).value
    for row in first.rows():
        assert row.value_schema is not None
        row.value_schema.validate(row.value)
        assert list(row.value_schema.fields or {}) == list(row.value)


def test_goes_on_behind_the_last_committed_record() -> None:
    offsets = Offsets()
    rows = list(polled(task(offsets)).rows())
    third = rows[2]
    offsets.commit(third.source_partition or {}, third.source_offset or {})  # type: ignore[attr-defined]
    assert rows[3].value == next(polled(task(offsets)).rows()).value


def test_rests_after_its_iterations() -> None:
    one = task(iterations="1500")
    assert [1000, 500] == [polled(one).count, polled(one).count]
    assert one.poll() is None


def test_a_rate_keeps_it_waiting() -> None:
    assert task(rate="0.001").poll() is None


def test_configuration() -> None:
    connector = DatagenSource()
    connector.start({"topic": "t"})
    assert ["0", "1"] == [config["task.id"] for config in connector.task_configs(2)]
    with pytest.raises(ConfigError, match="quickstart"):
        connector.start({"topic": "t", "quickstart": "clicks"})
    assert connector.alter_offsets({}, [({}, {"made": 3}), ({}, None)])
    with pytest.raises(ConnectError):
        connector.alter_offsets({}, [({}, {"made": -3})])

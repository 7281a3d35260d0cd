"""Verdicts: what a batch path does with bad records must be what a record path would do."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.data import Column, Constant, Header, Headers, Record, RecordBatch, Schema, SourceRecord
from runtime.data.batch import values
from runtime.pipeline import Converters, ErrorPolicy, Outcome, SourceChain, Stage, Tolerance, TransformStep
from runtime.sdk import Converter, DataError, HeaderConverter, Predicate, RetriableError, Transformation


class Text(Converter, HeaderConverter):
    """Refuses odd numbers, which stands for any converter with bad data."""

    def configure(self, config: Mapping[str, Any], *, is_key: bool = False) -> None:
        return

    def from_connect(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        if isinstance(value, int) and value % 2:
            raise DataError(f"{value} is odd")
        return None if value is None else str(value).encode()

    def to_connect(self, topic: str, data: bytes | None) -> tuple[Schema | None, Any]:
        return None, data

    def from_connect_header(self, topic: str, header: Header) -> bytes | None:
        return str(header.value).encode()

    def to_connect_header(self, topic: str, key: str, data: bytes | None) -> Header:
        return Header(key, data)


class Refuse(Transformation):
    """Refuses some values, drops others."""

    def __init__(self, refused: set[int], dropped: set[int]) -> None:
        self.refused = refused
        self.dropped = dropped

    def apply(self, record: Record) -> Record | None:
        if record.value in self.refused:
            raise DataError(f"{record.value} is refused")
        return None if record.value in self.dropped else record


class Sometimes(Transformation):
    """Fails with a retriable error so many times."""

    def __init__(self, failures: int) -> None:
        self.left = failures

    def apply(self, record: Record) -> Record | None:
        if self.left:
            self.left -= 1
            raise RetriableError("not yet")
        return record


class Even(Predicate):
    def test(self, record: Record) -> bool:
        return bool(record.value % 2 == 0)


def chain(
    *transforms: TransformStep, policy: ErrorPolicy | None = None, naps: list[float] | None = None
) -> SourceChain:
    text = Text()

    def nap(seconds: float) -> bool:
        if naps is not None:
            naps.append(seconds)
        return False

    clock = iter(range(10**6))
    return SourceChain(
        transforms,
        Converters(key=text, key_name="key", value=text, value_name="value", header=text, header_name="header"),
        policy=policy or ErrorPolicy(),
        nap=nap,
        monotonic=lambda: next(clock) / 100,
    )


def step(transformation: Transformation, predicate: Predicate | None = None, *, negate: bool = False) -> TransformStep:
    return TransformStep("t", transformation, "Refuse", predicate, negate)


def batch(numbers: list[int]) -> RecordBatch:
    return RecordBatch.of([SourceRecord(topic="t", value=number) for number in numbers])


def out(outcome: Outcome) -> list[Any]:
    column: Column[Any] = outcome.batch.value
    return [int(value) for value in values(column, outcome.batch.count)]


def test_a_good_batch_passes_whole() -> None:
    """Nothing failed: all values are there, and no index list was made."""
    outcome = chain().process(batch([0, 2, 4]))
    assert [0, 2, 4] == out(outcome)
    assert outcome.kept is None
    assert [] == outcome.failures


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=30),
    st.sets(st.integers(0, 9)),
    st.sets(st.integers(0, 9)),
    st.sampled_from(list(Tolerance)),
)
def test_batches_and_records_agree(
    numbers: list[int], refused: set[int], dropped: set[int], tolerance: Tolerance
) -> None:
    """For any mix of refused, dropped and unconvertible records a batch ends as record by record would."""
    policy = ErrorPolicy(tolerance=tolerance)
    outcome = chain(step(Refuse(refused, dropped)), policy=policy).process(batch(numbers))
    passed: list[int] = []
    kept: list[int] = []
    failed: list[tuple[int, Stage]] = []
    for index, number in enumerate(numbers):
        if number in refused:
            failed.append((index, Stage.TRANSFORMATION))
        elif number in dropped:
            continue
        elif number % 2:
            failed.append((index, Stage.VALUE_CONVERTER))
        else:
            passed.append(number)
            kept.append(index)
            continue
        if tolerance is Tolerance.NONE:
            break
    assert passed == out(outcome)
    assert kept == (outcome.kept if outcome.kept is not None else list(range(len(numbers))))
    assert failed == [(failure.index, failure.stage) for failure in outcome.failures]
    halted = failed[-1] if failed and tolerance is Tolerance.NONE else None
    assert halted == ((outcome.halt.index, outcome.halt.stage) if outcome.halt else None)


def test_a_predicate_guards_its_transform() -> None:
    """Only records for which the predicate holds are transformed; the order stays."""
    drop_all = Refuse(set(), set(range(10)))
    numbers = [1, 3]
    guarded = chain(step(Refuse({1, 3}, {0, 2}), Even()), policy=ErrorPolicy(tolerance=Tolerance.ALL))
    outcome = guarded.process(batch([0, *numbers, 2]))
    assert [1, 2] == [failure.index for failure in outcome.failures]  # refused by the converter, not the transform
    assert {Stage.VALUE_CONVERTER} == {failure.stage for failure in outcome.failures}
    assert [] == out(outcome)
    negated = chain(step(drop_all, Even(), negate=True)).process(batch([0, 1, 2, 3]))
    assert [0, 2] == out(negated)
    assert [0, 2] == negated.kept


def test_retriable_errors_are_retried_until_the_time_is_over() -> None:
    """300 ms, doubling; a record that makes it in time is no error."""
    naps: list[float] = []
    policy = ErrorPolicy(retry_timeout_ms=60_000)
    outcome = chain(step(Sometimes(3)), policy=policy, naps=naps).process(batch([0]))
    assert [0] == out(outcome)
    assert [0.3, 0.6] == naps  # the first failure was the batch's own try
    assert outcome.halt is None


def test_without_a_timeout_nothing_is_retried() -> None:
    """errors.retry.timeout=0 means one try."""
    naps: list[float] = []
    outcome = chain(step(Sometimes(9)), naps=naps).process(batch([0]))
    assert outcome.halt is not None
    assert isinstance(outcome.halt.error, RetriableError)
    assert [] == naps


def test_headers_become_bytes() -> None:
    """Each record's headers are converted; records without any cost nothing."""
    record = SourceRecord(topic="t", value=2, headers=Headers([Header("h", 1)]))
    plain = SourceRecord(topic="t", value=4)
    outcome = chain().process(RecordBatch.of([record, plain]))
    assert [[("h", b"1")], None] == outcome.batch.headers
    assert Constant(None) == chain().process(batch([2])).batch.headers


@pytest.mark.parametrize("delay_max", [100, 1000])
def test_delays_double_and_are_capped(delay_max: int) -> None:
    """Beyond errors.retry.delay.max.ms a random part of it is waited (contract 6.1)."""
    delays = ErrorPolicy(retry_delay_max_ms=delay_max).delays()
    first = [next(delays) for _ in range(6)]
    assert all(delay <= delay_max / 1000 for delay in first)
    if delay_max == 1000:
        assert [0.3, 0.6] == first[:2]

"""
Batches through stages.

A stage is tried on the whole batch. When it raises, the batch is halved until the bad records stand alone; those are
retried and judged one by one, so a good batch costs one call per stage and a bad record costs a few more. With no
tolerance, everything from the first failing record on is cut off before later stages see it: what came before it
goes through, as it would have record by record.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from runtime.data import Column, Constant, Header, Headers, RecordBatch
from runtime.data.batch import each, values
from runtime.pipeline.policy import ErrorPolicy, Tolerance
from runtime.pipeline.verdicts import Counts, Failure, Outcome, Stage
from runtime.sdk import Converter, HeaderConverter, Predicate, RetriableError, Transformation

Step: TypeAlias = Callable[[RecordBatch], tuple[RecordBatch, list[int] | None]]
"""A batch in; what came of it, and the places of the survivors (None: all)."""

Nap: TypeAlias = Callable[[float], bool]
"""Waits so many seconds; True means: stop waiting, the task is stopping."""


@dataclass(frozen=True, slots=True)
class TransformStep:
    """One transform of a connector, with the predicate that guards it."""

    alias: str
    transformation: Transformation
    executing: str
    """Class name, for error reports."""
    predicate: Predicate | None = None
    negate: bool = False

    def __call__(self, batch: RecordBatch) -> tuple[RecordBatch, list[int] | None]:
        """Apply to the records for which the predicate holds; the others pass."""
        if self.predicate is None:
            return self.transformation.apply_batch(batch)
        holds = self.predicate.test_batch(batch)
        if isinstance(holds, Constant):
            return self.transformation.apply_batch(batch) if holds.value is not self.negate else (batch, None)
        chosen = [index for index, hold in enumerate(holds) if hold is not self.negate]
        if not chosen:
            return batch, None
        if len(chosen) == batch.count:
            return self.transformation.apply_batch(batch)
        changed, kept = self.transformation.apply_batch(batch.take(chosen))
        survivors = chosen if kept is None else [chosen[index] for index in kept]
        others = sorted(set(range(batch.count)).difference(chosen))
        return _interleave(changed, survivors, batch.take(others), others)


def _interleave(
    left: RecordBatch, left_at: Sequence[int], right: RecordBatch, right_at: Sequence[int]
) -> tuple[RecordBatch, list[int]]:
    joined = RecordBatch.concat([left, right])
    places = [*left_at, *right_at]
    order = sorted(range(len(places)), key=places.__getitem__)
    return joined.pick(order), [places[index] for index in order]


@dataclass(frozen=True, slots=True, kw_only=True)
class Converters:
    """The three converters of a connector, with their class names for error reports."""

    key: Converter
    key_name: str
    value: Converter
    value_name: str
    header: HeaderConverter
    header_name: str


@dataclass(frozen=True, slots=True)
class _Named:
    stage: Stage
    executing: str
    step: Step


class Chain:
    """Named steps under one error policy. Not thread-safe; each task has its own."""

    def __init__(
        self,
        steps: Sequence[_Named],
        *,
        policy: ErrorPolicy,
        nap: Nap,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steps = list(steps)
        self._policy = policy
        self._nap = nap
        self._monotonic = monotonic
        self.counts = Counts()

    def process(self, batch: RecordBatch) -> Outcome:
        """Take *batch* through all the steps."""
        outcome = Outcome(batch, None)
        for step in self._steps:
            if outcome.batch.count == 0:
                break
            self._run(step, outcome)
        if outcome.failures:
            outcome.failures.sort(key=lambda failure: failure.index)
            if outcome.halt is not None:
                outcome.failures = [it for it in outcome.failures if it.index <= outcome.halt.index]
        return outcome

    def _run(self, step: _Named, outcome: Outcome) -> None:
        batch, kept = outcome.batch, outcome.kept
        try:
            made, survivors = step.step(batch)
        except Exception:  # noqa: BLE001  authors' code may raise anything; each record is judged below
            made, survivors = self._isolate(step, batch, outcome)
        outcome.batch = made
        if survivors is not None:
            outcome.kept = survivors if kept is None else [kept[index] for index in survivors]

    def _isolate(self, step: _Named, batch: RecordBatch, outcome: Outcome) -> tuple[RecordBatch, list[int]]:
        parts: list[RecordBatch] = []
        survivors: list[int] = []
        kept = outcome.kept
        stack = [(0, batch.count)]
        if batch.count > 1:
            middle = batch.count // 2
            stack = [(middle, batch.count), (0, middle)]
        while stack:
            start, stop = stack.pop()
            part = batch.slice(start, stop)
            try:
                if stop - start == 1:
                    made, where = self._persist(step, part)
                else:
                    made, where = step.step(part)
            except Exception as err:  # noqa: BLE001  as above: the verdict on one record, or halve again
                if stop - start > 1:
                    middle = (start + stop) // 2
                    stack += [(middle, stop), (start, middle)]
                    continue
                place = start if kept is None else kept[start]
                failure = Failure(place, step.stage, step.executing, err, next(part.rows()))
                self._count_error()
                outcome.failures.append(failure)
                if self._policy.tolerance is Tolerance.NONE:
                    outcome.halt = failure
                    break
                self.counts.skipped += 1
                continue
            parts.append(made)
            survivors += range(start, stop) if where is None else [start + index for index in where]
        return RecordBatch.concat(parts, like=batch), survivors

    def _persist(self, step: _Named, part: RecordBatch) -> tuple[RecordBatch, list[int] | None]:
        """One record: retry what calls itself retriable, until errors.retry.timeout is over."""
        timeout = self._policy.retry_timeout_ms
        deadline = self._monotonic() + timeout / 1000
        for delay in self._policy.delays():
            try:
                return step.step(part)
            except RetriableError:
                self.counts.failures += 1
                left = deadline - self._monotonic()
                if timeout == 0 or (timeout > 0 and left <= 0):
                    raise
                if self._nap(delay if timeout < 0 else min(delay, left)):
                    raise
                self.counts.retries += 1
            except Exception:
                self.counts.failures += 1
                raise
        raise AssertionError("delays do not end")

    def _count_error(self) -> None:
        self.counts.errors += 1
        self.counts.last_error_ms = time.time_ns() // 1_000_000


class SourceChain(Chain):
    """Transforms, then header, key and value converter (contract 5.3). Out come text or bytes, and header lists."""

    def __init__(
        self,
        transforms: Sequence[TransformStep],
        converters: Converters,
        *,
        policy: ErrorPolicy,
        nap: Nap,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        key, value, header = converters.key, converters.value, converters.header

        def encode_headers(batch: RecordBatch) -> tuple[RecordBatch, None]:
            return batch.but(headers=_headers_out(batch, header)), None

        def encode_key(batch: RecordBatch) -> tuple[RecordBatch, None]:
            made = key.from_connect_batch(batch.count, batch.topic, batch.key_schema, batch.key)
            return batch.but(key=made), None

        def encode_value(batch: RecordBatch) -> tuple[RecordBatch, None]:
            made = value.from_connect_batch(batch.count, batch.topic, batch.value_schema, batch.value)
            return batch.but(value=made), None

        super().__init__(
            [
                *(_Named(Stage.TRANSFORMATION, step.executing, step) for step in transforms),
                _Named(Stage.HEADER_CONVERTER, converters.header_name, encode_headers),
                _Named(Stage.KEY_CONVERTER, converters.key_name, encode_key),
                _Named(Stage.VALUE_CONVERTER, converters.value_name, encode_value),
            ],
            policy=policy,
            nap=nap,
            monotonic=monotonic,
        )


class SinkChain(Chain):
    """Key, value and header converter, then transforms (contract 5.5). In come bytes and header lists."""

    def __init__(
        self,
        transforms: Sequence[TransformStep],
        converters: Converters,
        *,
        policy: ErrorPolicy,
        nap: Nap,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        key, value, header = converters.key, converters.value, converters.header

        def decode_key(batch: RecordBatch) -> tuple[RecordBatch, None]:
            schema, made = key.to_connect_batch(batch.count, batch.topic, batch.key)
            return batch.but(key_schema=schema, key=made), None

        def decode_value(batch: RecordBatch) -> tuple[RecordBatch, None]:
            schema, made = value.to_connect_batch(batch.count, batch.topic, batch.value)
            return batch.but(value_schema=schema, value=made), None

        def decode_headers(batch: RecordBatch) -> tuple[RecordBatch, None]:
            return batch.but(headers=_headers_in(batch, header)), None

        super().__init__(
            [
                _Named(Stage.KEY_CONVERTER, converters.key_name, decode_key),
                _Named(Stage.VALUE_CONVERTER, converters.value_name, decode_value),
                _Named(Stage.HEADER_CONVERTER, converters.header_name, decode_headers),
                *(_Named(Stage.TRANSFORMATION, step.executing, step) for step in transforms),
            ],
            policy=policy,
            nap=nap,
            monotonic=monotonic,
        )


def _headers_out(batch: RecordBatch, converter: HeaderConverter) -> "Column[Any]":
    def one(topic: str, headers: Headers) -> list[tuple[str, bytes | None]] | None:
        return [(item.key, converter.from_connect_header(topic, item)) for item in headers] if len(headers) else None

    if isinstance(batch.headers, Constant):
        if not len(batch.headers.value):
            return Constant(None)
        if isinstance(batch.topic, Constant):
            return Constant(one(batch.topic.value, batch.headers.value))
    pairs = zip(each(batch.topic), values(batch.headers, batch.count), strict=False)
    return [one(topic, headers) for topic, headers in pairs]


def _headers_in(batch: RecordBatch, converter: HeaderConverter) -> "Column[Headers]":
    def one(topic: str, raw: Sequence[tuple[str, bytes | None]] | None) -> Headers:
        made: list[Header] = []
        for name, data in raw or ():
            made.append(converter.to_connect_header(topic, name, data))
        return Headers(made)

    raw: Any = batch.headers
    if isinstance(raw, Constant):  # only when no record has any
        return raw
    return [one(topic, headers) for topic, headers in zip(each(batch.topic), raw, strict=False)]

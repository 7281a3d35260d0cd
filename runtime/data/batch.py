"""
Batches of records, kept as columns so that a stage costs one loop, or nothing, instead of a call per record.

A column is a list with one value per record, or a :class:`Constant` when all records share one value. Topic,
schemas, headers and timestamp type are nearly always constant, so work that touches only them is O(1) per batch.
A column that is seldom looked at, as source offsets are, may be :class:`Computed` where it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Generic, Self, TypeAlias, TypeVar, overload

from runtime.data.headers import NO_HEADERS, Headers
from runtime.data.record import Record, SinkRecord, SourceRecord, TimestampType
from runtime.data.schema import Schema

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Constant(Generic[T]):
    """A column whose every record has this value."""

    value: T


class Computed(Sequence[T]):
    """
    A column whose values are made when they are looked at: ``Computed(count, at)``.

    For source offsets: one dict per record costs more than reading the record, and the engine looks at few.
    Values should be cheap and always the same; a slice looks through to the column it was cut from.
    """

    __slots__ = ("_at", "_count", "_start")

    def __init__(self, count: int, at: Callable[[int], T], start: int = 0) -> None:
        self._count = count
        self._at = at
        self._start = start

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> "Computed[T]": ...
    def __getitem__(self, index: int | slice) -> "T | Computed[T]":
        if isinstance(index, slice):
            start, stop, step = index.indices(self._count)
            if step != 1:
                raise ValueError("a computed column is cut in one piece; pick single records with take()")
            return Computed(max(0, stop - start), self._at, self._start + start)
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._at(self._start + index % self._count)

    def __iter__(self) -> Iterator[T]:
        return map(self._at, range(self._start, self._start + self._count))

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, list | Computed) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Computed({list(self)!r})"


Column: TypeAlias = list[T] | Computed[T] | Constant[T]

_NULL: Constant[Any] = Constant(None)
_NO_HEADERS: Constant[Headers] = Constant(NO_HEADERS)


def values(column: "Column[T]", count: int) -> Sequence[T]:
    """The column as a sequence of *count* values."""
    return [column.value] * count if isinstance(column, Constant) else column


def each(column: "Column[T]") -> Iterator[T]:
    """The column's values one by one; endless for a constant, so zip it with something that ends."""
    return repeat(column.value) if isinstance(column, Constant) else iter(column)


def mapped(column: "Column[T]", change: Callable[[T], U]) -> "Column[U]":
    """The column with *change* applied, once for a constant."""
    if isinstance(column, Constant):
        return Constant(change(column.value))
    return [change(value) for value in column]


def mapped_once(column: "Column[T]", change: Callable[[T], U]) -> "Column[U]":
    """The column with *change* applied once per distinct object; for topics and schemas, which repeat."""
    if isinstance(column, Constant):
        return Constant(change(column.value))
    known: dict[int, U] = {}
    out: list[U] = []
    for value in column:
        key = id(value)
        if key not in known:
            known[key] = change(value)
        out.append(known[key])
    return out


def compact(column: list[T]) -> "Column[T]":
    """The column as a constant when all its values are one and the same object."""
    if column:
        first = column[0]
        if all(value is first for value in column):
            return Constant(first)
    return column


def _pick(column: "Column[T]", indices: Sequence[int]) -> "Column[T]":
    return column if isinstance(column, Constant) else [column[i] for i in indices]


def _cut(column: "Column[T]", start: int, stop: int) -> "Column[T]":
    return column if isinstance(column, Constant) else column[start:stop]


def _joined(parts: "Sequence[tuple[Column[T], int]]") -> "Column[T]":
    first = parts[0][0]
    if isinstance(first, Constant) and all(
        isinstance(column, Constant) and column.value is first.value for column, _ in parts
    ):
        return first
    out: list[T] = []
    for column, count in parts:
        out += values(column, count)
    return out


@dataclass(slots=True, kw_only=True)
class RecordBatch:
    """
    Records in order, as parallel columns. Treat batches as values: :meth:`but` makes a changed one.

    The last group of columns is filled on one side only: source position for sources, coordinates in Kafka
    for sinks.
    """

    count: int
    topic: Column[str]
    partition: Column[int | None] = field(default=_NULL)
    key_schema: Column[Schema | None] = field(default=_NULL)
    key: Column[Any] = field(default=_NULL)
    value_schema: Column[Schema | None] = field(default=_NULL)
    value: Column[Any] = field(default=_NULL)
    timestamp: Column[int | None] = field(default=_NULL)
    headers: Column[Headers] = field(default=_NO_HEADERS)

    source_partition: Column[Mapping[str, Any] | None] = field(default=_NULL)
    source_offset: Column[Mapping[str, Any] | None] = field(default=_NULL)

    offset: Column[int] | None = None
    """Offsets in Kafka; None marks a source batch."""
    timestamp_type: Column[TimestampType] = field(default=Constant(TimestampType.NONE))
    original_topic: Column[str] = field(default=Constant(""))
    original_partition: Column[int] = field(default=Constant(-1))

    def __len__(self) -> int:
        return self.count

    def but(self, **columns: Any) -> Self:
        """This batch with some columns exchanged."""
        made = type(self).__new__(type(self))
        for name in self.__slots__:
            setattr(made, name, columns[name] if name in columns else getattr(self, name))
        return made

    def take(self, indices: Sequence[int]) -> Self:
        """The records at *indices*, in that order."""
        if len(indices) == self.count:
            return self
        return self.pick(indices)

    def pick(self, order: Sequence[int]) -> Self:
        """The records at *order*, even when those are all of them in another order."""
        picked = {name: _pick(getattr(self, name), order) for name in _COLUMNS}
        if self.offset is not None:
            picked["offset"] = _pick(self.offset, order)
        return self.but(count=len(order), **picked)

    def slice(self, start: int, stop: int) -> Self:
        """Records *start* up to but not including *stop*."""
        if start == 0 and stop >= self.count:
            return self
        cut = {name: _cut(getattr(self, name), start, stop) for name in _COLUMNS}
        if self.offset is not None:
            cut["offset"] = _cut(self.offset, start, stop)
        return self.but(count=max(0, min(stop, self.count) - start), **cut)

    @classmethod
    def concat(cls, batches: "Sequence[RecordBatch]", *, like: "RecordBatch | None" = None) -> "RecordBatch":
        """All *batches* in one, in order; *like* says of which side an empty result is."""
        full = [batch for batch in batches if batch.count]
        if len(full) == 1:
            return full[0]
        if not full:
            model = like if like is not None else batches[0]
            return model.slice(0, 0)
        count = sum(batch.count for batch in full)
        joined = {name: _joined([(getattr(b, name), b.count) for b in full]) for name in _COLUMNS}
        if full[0].offset is not None:
            joined["offset"] = _joined([(b.offset if b.offset is not None else [], b.count) for b in full])
        return full[0].but(count=count, **joined)

    def rows(self) -> Iterator[Record]:
        """The records one by one: SinkRecord where there are offsets in Kafka, else SourceRecord."""
        shared = zip(
            range(self.count),
            each(self.topic),
            each(self.partition),
            each(self.key_schema),
            each(self.key),
            each(self.value_schema),
            each(self.value),
            each(self.timestamp),
            each(self.headers),
            strict=False,
        )
        if self.offset is None:
            source = zip(each(self.source_partition), each(self.source_offset), strict=False)
            for (_, topic, partition, ks, k, vs, v, ts, headers), (part, offset) in zip(shared, source, strict=False):
                yield SourceRecord(
                    topic=topic,
                    partition=partition,
                    key_schema=ks,
                    key=k,
                    value_schema=vs,
                    value=v,
                    timestamp=ts,
                    headers=headers,
                    source_partition=part,
                    source_offset=offset,
                )
            return
        sink = zip(
            each(self.offset),
            each(self.timestamp_type),
            each(self.original_topic),
            each(self.original_partition),
            strict=False,
        )
        for (_, topic, partition, ks, k, vs, v, ts, headers), (at, kind, was, was_part) in zip(
            shared, sink, strict=False
        ):
            yield SinkRecord(
                topic=topic,
                partition=partition,
                key_schema=ks,
                key=k,
                value_schema=vs,
                value=v,
                timestamp=ts,
                headers=headers,
                offset=at,
                timestamp_type=kind,
                original_topic=was,
                original_partition=was_part,
                original_offset=at,
            )

    def row(self, index: int) -> Record:
        """The record at *index*."""
        return next(self.slice(index, index + 1).rows())

    @classmethod
    def of(cls, records: Sequence[Record]) -> "RecordBatch":
        """A batch of *records*, all of one kind; columns whose records share one object become constant."""
        made = cls(
            count=len(records),
            topic=compact([r.topic for r in records]),
            partition=compact([r.partition for r in records]),
            key_schema=compact([r.key_schema for r in records]),
            key=compact([r.key for r in records]),
            value_schema=compact([r.value_schema for r in records]),
            value=[r.value for r in records],
            timestamp=compact([r.timestamp for r in records]),
            headers=compact([r.headers for r in records]),
        )
        if records and isinstance(records[0], SourceRecord):
            source = [r for r in records if isinstance(r, SourceRecord)]
            made.source_partition = compact([r.source_partition for r in source])
            made.source_offset = [r.source_offset for r in source]
        elif records and isinstance(records[0], SinkRecord):
            sink = [r for r in records if isinstance(r, SinkRecord)]
            made.offset = [r.offset for r in sink]
            made.timestamp_type = compact([r.timestamp_type for r in sink])
            made.original_topic = compact([r.original_topic for r in sink])
            made.original_partition = compact([r.original_partition for r in sink])
        return made


_COLUMNS = tuple(name for name in RecordBatch.__slots__ if name not in ("count", "offset"))

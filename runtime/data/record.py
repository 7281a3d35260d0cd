"""One record, as authors of connectors and transforms see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from operator import attrgetter
from typing import Any, Self

from runtime.data.headers import NO_HEADERS, Headers
from runtime.data.schema import Schema


class TimestampType(Enum):
    """Who set a record's timestamp."""

    NONE = "NoTimestampType"
    CREATE_TIME = "CreateTime"
    LOG_APPEND_TIME = "LogAppendTime"


@dataclass(slots=True, kw_only=True)
class Record:
    """What source and sink records share; transforms see these."""

    topic: str
    partition: int | None = None
    """The Kafka partition, or None to let the producer choose."""
    key_schema: Schema | None = None
    key: Any = None
    value_schema: Schema | None = None
    value: Any = None
    timestamp: int | None = None
    """Milliseconds since the epoch."""
    headers: Headers = field(default=NO_HEADERS)

    def but(self, **changes: Any) -> Self:
        """This record with some parts changed: ``record.but(topic="orders")``."""
        made = object.__new__(type(self))
        names, parts = _parts(type(self))
        for name, value in zip(names, parts(self), strict=True):  # a third of what copy.copy costs
            setattr(made, name, value)
        for name, value in changes.items():
            setattr(made, name, value)
        return made


_PARTS: dict[type, tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]] = {}


def _parts(kind: type[Record]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    found = _PARTS.get(kind)
    if found is None:
        names = tuple(one.name for one in fields(kind))
        found = _PARTS[kind] = (names, attrgetter(*names))
    return found


@dataclass(slots=True, kw_only=True)
class SourceRecord(Record):
    """A record on its way into Kafka, and how far its source has been read with it."""

    source_partition: Mapping[str, Any] | None = None
    """Which part of the source, e.g. ``{"filename": "a.txt"}``; flat, of JSON's simple types."""
    source_offset: Mapping[str, Any] | None = None
    """The position after this record, e.g. ``{"position": 42}``."""


@dataclass(slots=True, kw_only=True)
class SinkRecord(Record):
    """A record on its way out of Kafka. What it was before transforms stays readable."""

    offset: int = -1
    timestamp_type: TimestampType = TimestampType.NONE
    original_topic: str = ""
    original_partition: int = -1
    original_offset: int = -1

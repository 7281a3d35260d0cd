"""
What authors of converters, header converters, transforms and predicates implement (contract 7).

Each has a record form, which is enough, and a batch form for speed, lifted from the record form by default. The
batch form may raise for any bad record: the engine then halves the batch until it has found it, so a batch form must
have no effect but its result.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from runtime.data import Column, Constant, Header, Record, RecordBatch, Schema
from runtime.data.batch import compact, each
from runtime.sdk.plugin import Plugin


class Converter(Plugin, ABC):
    """Between a value with its schema and bytes, for keys and values."""

    def configure(self, config: Mapping[str, Any], *, is_key: bool) -> None:
        """Take the settings, their prefix removed. Raises ConfigError."""
        return

    @abstractmethod
    def from_connect(self, topic: str, schema: Schema | None, value: Any) -> bytes | str | None:
        """
        The value as bytes for Kafka; text stands for its UTF-8 bytes. None is a tombstone.

        Raises DataError when it cannot be written.
        """

    @abstractmethod
    def to_connect(self, topic: str, data: bytes | None) -> tuple[Schema | None, Any]:
        """
        The schema and value that *data* holds.

        Raises DataError when it cannot be read.
        """

    def from_connect_batch(
        self, count: int, topics: Column[str], schemas: Column[Schema | None], values: Column[Any]
    ) -> Column[bytes | str | None]:
        """:meth:`from_connect` for *count* records at once."""
        if isinstance(topics, Constant) and isinstance(schemas, Constant) and isinstance(values, Constant):
            return Constant(self.from_connect(topics.value, schemas.value, values.value))
        convert = self.from_connect
        rows = zip(range(count), each(topics), each(schemas), each(values), strict=False)
        return [convert(topic, schema, value) for _, topic, schema, value in rows]

    def to_connect_batch(
        self, count: int, topics: Column[str], data: Column[bytes | None]
    ) -> tuple[Column[Schema | None], Column[Any]]:
        """:meth:`to_connect` for *count* records at once."""
        if isinstance(topics, Constant) and isinstance(data, Constant):
            schema, value = self.to_connect(topics.value, data.value)
            return Constant(schema), Constant(value)
        convert = self.to_connect
        pairs = [convert(topic, item) for _, topic, item in zip(range(count), each(topics), each(data), strict=False)]
        return compact([schema for schema, _ in pairs]), [value for _, value in pairs]


class HeaderConverter(Plugin, ABC):
    """Between a header's value with its schema and bytes."""

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the settings, their prefix removed. Raises ConfigError."""
        return

    @abstractmethod
    def from_connect_header(self, topic: str, header: Header) -> bytes | None:
        """The header's value as bytes. Raises DataError."""

    @abstractmethod
    def to_connect_header(self, topic: str, key: str, data: bytes | None) -> Header:
        """The header that *data* holds. Raises DataError."""


class Transformation(Plugin, ABC):
    """From record to record, or to nothing."""

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the settings, the alias prefix removed. Raises ConfigError."""
        return

    @abstractmethod
    def apply(self, record: Record) -> Record | None:
        """The changed record, made with ``record.but(...)``, or None to drop it. Raises DataError."""

    def apply_batch(self, batch: RecordBatch) -> tuple[RecordBatch, list[int] | None]:
        """
        :meth:`apply` for a batch: the result, and the indices of the records it holds, in order.

        None for the indices says that all are there, which saves work.
        """
        out: list[Record] = []
        kept: list[int] = []
        apply = self.apply
        for index, record in enumerate(batch.rows()):
            changed = apply(record)
            if changed is not None:
                out.append(changed)
                kept.append(index)
        made = RecordBatch.of(out)
        if not out and batch.offset is not None:
            made.offset = []
        return made, None if len(kept) == batch.count else kept

    def close(self) -> None:
        """Release what the transform holds."""
        return


class Predicate(Plugin, ABC):
    """Whether a transform applies to a record."""

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the settings, the alias prefix removed. Raises ConfigError."""
        return

    @abstractmethod
    def test(self, record: Record) -> bool:
        """True when it holds for *record*."""

    def test_batch(self, batch: RecordBatch) -> Column[bool]:
        """:meth:`test` for a batch."""
        test = self.test
        return [test(record) for record in batch.rows()]

    def close(self) -> None:
        """Release what the predicate holds."""
        return

"""Bytes that stay bytes."""

from collections.abc import Mapping
from typing import Any, Final

from runtime.data.batch import each
from runtime.plugins.converters.settings import COMMON
from runtime.plugins.version import VERSION
from runtime.sdk import (
    OPTIONAL_BYTES,
    Column,
    Constant,
    Converter,
    DataError,
    Header,
    HeaderConverter,
    Schema,
    SchemaType,
)

_BYTES: Final[Constant[Schema | None]] = Constant(OPTIONAL_BYTES)


class ByteArrayConverter(Converter, HeaderConverter):
    """Bytes as they are; read as optional bytes. Anything else is refused."""

    version = VERSION
    config_def = COMMON

    def configure(self, config: Mapping[str, Any], *, is_key: bool = False) -> None:
        """Nothing to take."""

    def from_connect(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        """*value*, which must be bytes."""
        if schema is not None and schema.type is not SchemaType.BYTES:
            raise DataError(f"Invalid schema type for ByteArrayConverter: {schema.type.value}")
        if value is None or type(value) is bytes:
            return value
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        raise DataError(f"ByteArrayConverter is not compatible with objects of type {type(value)}")

    def to_connect(self, topic: str, data: bytes | None) -> tuple[Schema | None, Any]:
        """Optional bytes."""
        return OPTIONAL_BYTES, data

    def from_connect_batch(
        self, count: int, topics: Column[str], schemas: Column[Schema | None], values: Column[Any]
    ) -> Column[bytes | str | None]:
        """The column itself where it holds nothing but bytes and null."""
        if isinstance(schemas, Constant):
            if isinstance(values, Constant):
                return Constant(self.from_connect("", schemas.value, values.value))
            fits = schemas.value is None or schemas.value.type is SchemaType.BYTES
            if fits and set(map(type, values)) <= {bytes, type(None)}:
                return values
        rows = zip(range(count), each(schemas), each(values), strict=False)
        return [self.from_connect("", schema, value) for _, schema, value in rows]

    def to_connect_batch(
        self, count: int, topics: Column[str], data: Column[bytes | None]
    ) -> tuple[Column[Schema | None], Column[Any]]:
        """The column itself."""
        return _BYTES, data

    def from_connect_header(self, topic: str, header: Header) -> bytes | None:
        """The header's bytes."""
        return self.from_connect(topic, header.schema, header.value)

    def to_connect_header(self, topic: str, key: str, data: bytes | None) -> Header:
        """Optional bytes."""
        return Header(key, data, OPTIONAL_BYTES)

"""Numbers and truth values in Kafka's own binary serializations: big-endian, of fixed length."""

import math
import struct
from collections.abc import Mapping
from typing import Any, ClassVar

from runtime.data.batch import each
from runtime.plugins.converters.settings import COMMON
from runtime.plugins.version import VERSION
from runtime.sdk import (
    OPTIONAL_BOOLEAN,
    OPTIONAL_FLOAT32,
    OPTIONAL_FLOAT64,
    OPTIONAL_INT16,
    OPTIONAL_INT32,
    OPTIONAL_INT64,
    Column,
    Constant,
    Converter,
    DataError,
    Header,
    HeaderConverter,
    Schema,
)


class _FixedLength(Converter, HeaderConverter):
    """One value of one type in so many bytes."""

    version = VERSION
    config_def = COMMON
    schema: ClassVar[Schema]
    layout: ClassVar[struct.Struct]
    accepts: ClassVar[type]
    title: ClassVar[str]

    def configure(self, config: Mapping[str, Any], *, is_key: bool = False) -> None:
        """Nothing to take."""

    def from_connect(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        """*value*, which must be of this type."""
        if value is None:
            return None
        if schema is not None and schema.type is not self.schema.type:
            raise DataError(f"Invalid schema type for {type(self).__name__}: {schema.type.value}")
        if type(value) is not self.accepts:
            raise DataError(f"{type(self).__name__} is not compatible with objects of type {type(value)}")
        try:
            return self.layout.pack(value)
        except (struct.error, OverflowError):
            raise DataError(f"Failed to serialize to a {self.title}: {value} is out of range") from None

    def to_connect(self, topic: str, data: bytes | None) -> tuple[Schema | None, Any]:
        """An optional value of this type."""
        return self.schema, None if data is None else self.read(data)

    def read(self, data: bytes) -> Any:
        """The value in *data*."""
        if len(data) != self.layout.size:
            raise DataError(
                f"Failed to deserialize to a {self.title}: Size of data received is {len(data)}, "
                f"expected {self.layout.size}"
            )
        return self.layout.unpack(data)[0]

    def from_connect_batch(
        self, count: int, topics: Column[str], schemas: Column[Schema | None], values: Column[Any]
    ) -> Column[bytes | str | None]:
        """One packing per value, checks once per batch."""
        if isinstance(schemas, Constant):
            if isinstance(values, Constant):
                return Constant(self.from_connect("", schemas.value, values.value))
            fits = schemas.value is None or schemas.value.type is self.schema.type
            if fits and set(map(type, values)) == {self.accepts}:
                try:
                    return list(map(self.layout.pack, values))
                except (struct.error, OverflowError):
                    pass  # the loop below says which
        rows = zip(range(count), each(schemas), each(values), strict=False)
        return [self.from_connect("", schema, value) for _, schema, value in rows]

    def to_connect_batch(
        self, count: int, topics: Column[str], data: Column[bytes | None]
    ) -> tuple[Column[Schema | None], Column[Any]]:
        """One unpacking per value."""
        schema: Constant[Schema | None] = Constant(self.schema)
        if isinstance(data, Constant):
            return schema, Constant(None if data.value is None else self.read(data.value))
        read = self.read
        return schema, [None if item is None else read(item) for item in data]

    def from_connect_header(self, topic: str, header: Header) -> bytes | None:
        """The header's value."""
        return self.from_connect(topic, header.schema, header.value)

    def to_connect_header(self, topic: str, key: str, data: bytes | None) -> Header:
        """An optional value of this type."""
        schema, value = self.to_connect(topic, data)
        return Header(key, value, schema)


class ShortConverter(_FixedLength):
    """INT16 in two bytes."""

    schema, layout, accepts, title = OPTIONAL_INT16, struct.Struct(">h"), int, "short"


class IntegerConverter(_FixedLength):
    """INT32 in four bytes."""

    schema, layout, accepts, title = OPTIONAL_INT32, struct.Struct(">i"), int, "integer"


class LongConverter(_FixedLength):
    """INT64 in eight bytes."""

    schema, layout, accepts, title = OPTIONAL_INT64, struct.Struct(">q"), int, "long"


class FloatConverter(_FixedLength):
    """FLOAT32 in four bytes; a number beyond its range is written as infinity."""

    schema, layout, accepts, title = OPTIONAL_FLOAT32, struct.Struct(">f"), float, "float"

    def from_connect(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        """*value*, rounded to single precision."""
        try:
            return super().from_connect(topic, schema, value)
        except DataError:
            if type(value) is float and (schema is None or schema.type is self.schema.type):
                return self.layout.pack(math.copysign(math.inf, value))
            raise


class DoubleConverter(_FixedLength):
    """FLOAT64 in eight bytes."""

    schema, layout, accepts, title = OPTIONAL_FLOAT64, struct.Struct(">d"), float, "double"


class BooleanConverter(_FixedLength):
    """A truth value in one byte, 1 or 0; other bytes are refused."""

    schema, layout, accepts, title = OPTIONAL_BOOLEAN, struct.Struct(">?"), bool, "boolean"

    def read(self, data: bytes) -> Any:
        """The truth value in *data*."""
        if data == b"\x01":
            return True
        if data == b"\x00":
            return False
        if len(data) != 1:
            return super().read(data)
        raise DataError(f"Failed to deserialize to a boolean: Unexpected byte received: {data[0]}")

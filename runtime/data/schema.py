"""
Schemas: what a value is, with the widths that Python's own numbers do not carry.

A struct's value is a dict whose keys stand in the schema's order; an array's a list; a map's a dict. Logical
types have Python's own values: ``Decimal``, ``date``, ``time`` and timezone-aware ``datetime`` (contract 8).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final, cast

from runtime.data.errors import DataError

DECIMAL_NAME: Final = "org.apache.kafka.connect.data.Decimal"
DATE_NAME: Final = "org.apache.kafka.connect.data.Date"
TIME_NAME: Final = "org.apache.kafka.connect.data.Time"
TIMESTAMP_NAME: Final = "org.apache.kafka.connect.data.Timestamp"


class SchemaType(Enum):
    """Connect's types; the values are the names in error texts and in definitions."""

    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    FLOAT32 = "FLOAT32"
    FLOAT64 = "FLOAT64"
    BOOLEAN = "BOOLEAN"
    STRING = "STRING"
    BYTES = "BYTES"
    ARRAY = "ARRAY"
    MAP = "MAP"
    STRUCT = "STRUCT"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct."""

    name: str
    index: int
    schema: "Schema"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schema:
    """
    What a value is. Immutable; equal when all parts are equal (contract 8), documentation included.

    Build structs with :func:`struct`, the others with :func:`array`, :func:`map_of`, :func:`decimal` or from the
    constants, and variants with :meth:`but`.
    """

    type: SchemaType
    optional: bool = False
    default: Any = None
    """The value that stands in for a missing one; None is no default."""
    name: str | None = None
    version: int | None = None
    doc: str | None = None
    parameters: Mapping[str, str] | None = None
    fields: Mapping[str, Field] | None = None
    """Of a struct, by name, in order."""
    key_schema: "Schema | None" = None
    """Of a map."""
    value_schema: "Schema | None" = None
    """Of a map's or an array's elements."""

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Schema):
            return NotImplemented
        return self._parts() == other._parts() and _same(self.default, other.default)

    def __hash__(self) -> int:
        return hash((self.type, self.optional, self.name, self.version, tuple(self.fields or ())))

    def _parts(self) -> tuple[object, ...]:
        return (
            self.type,
            self.optional,
            self.name,
            self.version,
            self.doc,
            dict(self.parameters) if self.parameters else None,
            tuple(self.fields.values()) if self.fields is not None else None,
            self.key_schema,
            self.value_schema,
        )

    def but(self, **changes: Any) -> "Schema":
        """
        This schema with some parts changed: ``STRING.but(optional=True, default="")``.

        Raises DataError when a default does not fit.
        """
        parts = {part: getattr(self, part) for part in _PARTS}
        unknown = changes.keys() - parts.keys()
        if unknown:
            raise TypeError(f"a schema has no {', '.join(sorted(unknown))}")
        made = Schema(**(parts | changes))
        if made.default is not None:
            made.validate(made.default)
        return made

    def field(self, name: str) -> "Schema":
        """
        The schema of one field of a struct.

        Raises DataError when this is no struct or has no such field.
        """
        if self.fields is None:
            raise DataError("Cannot look up fields on non-struct type")
        try:
            return self.fields[name].schema
        except KeyError:
            raise DataError(f"{name} is not a valid field name") from None

    def validate(self, value: Any, field: str | None = None) -> None:
        """
        Check that *value* fits, deeply.

        Raises DataError with Connect's words (contract 8): null where it is required, a wrong type, an
        unknown field. As there, a missing field of a struct passes when it has a default.
        """
        where = f' for field: "{field}"' if field else ""
        if value is None:
            if not self.optional:
                name = f'"{field}"' if field else "null"
                raise DataError(f"Invalid value: null used for required field: {name}, schema type: {self.type.value}")
            return
        expected = _LOGICAL.get(self.name) if self.name is not None else None
        accepted = expected or _ACCEPTED[self.type]
        if (type(value) not in accepted and not isinstance(value, accepted)) or (
            isinstance(value, bool) and bool not in accepted
        ):
            raise DataError(
                f"Invalid Python object{where} with schema type {self.name or self.type.value}: "
                f"{type(value).__module__}.{type(value).__qualname__}"
            )
        if expected is not None:
            return
        limits = _RANGES.get(self.type)
        if limits is not None and not limits[0] <= value <= limits[1]:
            raise DataError(f"Invalid value{where} with schema type {self.type.value}: {value} is out of range")
        if self.type is SchemaType.STRUCT:
            self._validate_struct(cast("dict[str, Any]", value))
        elif self.type is SchemaType.ARRAY:
            element = _child(self.value_schema)
            for item in value:
                element.validate(item, field)
        elif self.type is SchemaType.MAP:
            keys, values = _child(self.key_schema), _child(self.value_schema)
            for key, item in value.items():
                keys.validate(key, field)
                values.validate(item, field)

    def _validate_struct(self, value: dict[str, Any]) -> None:
        fields = self.fields or {}
        for name in value:
            if name not in fields:
                raise DataError(f"{name} is not a valid field name")
        for name, field in fields.items():
            item = value.get(name)
            if item is None and field.schema.default is not None:
                continue
            field.schema.validate(item, name)


def _same(one: Any, other: Any) -> bool:
    """Whether two defaults are the same value, as Java tells: 0.0 is not -0.0, 1.0 not 1.00 or True, NaN is NaN."""
    return one is other or (type(one) is type(other) and repr(one) == repr(other))


def _child(schema: Schema | None) -> Schema:
    if schema is None:
        raise DataError("No schema defined for element")
    return schema


_PARTS: Final = (
    "type",
    "optional",
    "default",
    "name",
    "version",
    "doc",
    "parameters",
    "fields",
    "key_schema",
    "value_schema",
)
_ACCEPTED: Final[dict[SchemaType, tuple[type, ...]]] = {
    SchemaType.INT8: (int,),
    SchemaType.INT16: (int,),
    SchemaType.INT32: (int,),
    SchemaType.INT64: (int,),
    SchemaType.FLOAT32: (float,),
    SchemaType.FLOAT64: (float,),
    SchemaType.BOOLEAN: (bool,),
    SchemaType.STRING: (str,),
    SchemaType.BYTES: (bytes, bytearray, memoryview),
    SchemaType.ARRAY: (list, tuple),
    SchemaType.MAP: (dict,),
    SchemaType.STRUCT: (dict,),
}
_LOGICAL: Final[dict[str, tuple[type, ...]]] = {
    DECIMAL_NAME: (Decimal,),
    DATE_NAME: (dt.date,),
    TIME_NAME: (dt.time,),
    TIMESTAMP_NAME: (dt.datetime,),
}
_RANGES: Final[dict[SchemaType, tuple[int, int]]] = {
    SchemaType.INT8: (-(2**7), 2**7 - 1),
    SchemaType.INT16: (-(2**15), 2**15 - 1),
    SchemaType.INT32: (-(2**31), 2**31 - 1),
    SchemaType.INT64: (-(2**63), 2**63 - 1),
}


def struct(
    fields: Mapping[str, Schema],
    *,
    name: str | None = None,
    optional: bool = False,
    version: int | None = None,
    doc: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Schema:
    """A struct with these fields in this order: ``struct({"id": INT64, "note": OPTIONAL_STRING}, name="Order")``."""
    made = {field: Field(field, index, schema) for index, (field, schema) in enumerate(fields.items())}
    if "" in made:
        raise DataError("fieldName cannot be null or empty.")
    return Schema(
        type=SchemaType.STRUCT,
        fields=made,
        name=name,
        optional=optional,
        version=version,
        doc=doc,
        parameters=parameters,
    )


def array(of: Schema | None, *, optional: bool = False) -> Schema:
    """A list of *of*; None where the elements have no common schema, as text inference may find."""
    return Schema(type=SchemaType.ARRAY, value_schema=of, optional=optional)


def map_of(keys: Schema | None, values: Schema | None, *, optional: bool = False) -> Schema:
    """A dict from *keys* to *values*."""
    return Schema(type=SchemaType.MAP, key_schema=keys, value_schema=values, optional=optional)


def decimal(scale: int, *, optional: bool = False) -> Schema:
    """A ``Decimal`` with *scale* digits behind the point."""
    return Schema(
        type=SchemaType.BYTES,
        name=DECIMAL_NAME,
        version=1,
        parameters={"scale": str(scale)},
        optional=optional,
    )


INT8: Final = Schema(type=SchemaType.INT8)
INT16: Final = Schema(type=SchemaType.INT16)
INT32: Final = Schema(type=SchemaType.INT32)
INT64: Final = Schema(type=SchemaType.INT64)
FLOAT32: Final = Schema(type=SchemaType.FLOAT32)
FLOAT64: Final = Schema(type=SchemaType.FLOAT64)
BOOLEAN: Final = Schema(type=SchemaType.BOOLEAN)
STRING: Final = Schema(type=SchemaType.STRING)
BYTES: Final = Schema(type=SchemaType.BYTES)
OPTIONAL_INT8: Final = INT8.but(optional=True)
OPTIONAL_INT16: Final = INT16.but(optional=True)
OPTIONAL_INT32: Final = INT32.but(optional=True)
OPTIONAL_INT64: Final = INT64.but(optional=True)
OPTIONAL_FLOAT32: Final = FLOAT32.but(optional=True)
OPTIONAL_FLOAT64: Final = FLOAT64.but(optional=True)
OPTIONAL_BOOLEAN: Final = BOOLEAN.but(optional=True)
OPTIONAL_STRING: Final = STRING.but(optional=True)
OPTIONAL_BYTES: Final = BYTES.but(optional=True)

DATE: Final = Schema(type=SchemaType.INT32, name=DATE_NAME, version=1)
"""A ``datetime.date``."""
TIME: Final = Schema(type=SchemaType.INT32, name=TIME_NAME, version=1)
"""A ``datetime.time``, to the millisecond."""
TIMESTAMP: Final = Schema(type=SchemaType.INT64, name=TIMESTAMP_NAME, version=1)
"""A ``datetime.datetime`` in UTC, to the millisecond."""

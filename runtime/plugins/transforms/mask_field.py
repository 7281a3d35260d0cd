"""
MaskField: fields blanked, or replaced by a fixed text or number (contract 7.1).

One difference on purpose: a masked Decimal gets the scale of its schema. Connect's gets scale 0, which most
converters then refuse to write.
"""

import datetime as dt
import math
import re
import struct as layouts
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from runtime.data.schema import DATE_NAME, DECIMAL_NAME, TIME_NAME, TIMESTAMP_NAME
from runtime.plugins.transforms.key_or_value import (
    REPLACE_NULL,
    Changed,
    KeyOrValue,
    OfKey,
    OfValue,
    fields_of,
    has_defaults,
    read_field,
    require_map,
    require_struct,
)
from runtime.plugins.version import VERSION
from runtime.sdk import (
    ConfigDef,
    DataError,
    Importance,
    Once,
    Record,
    RecordBatch,
    Schema,
    SchemaType,
    Type,
    list_of,
    non_empty,
)
from runtime.sdk import (
    Key as ConfigKey,
)

_PURPOSE: Final = "mask fields"
_BITS: Final = {SchemaType.INT8: 8, SchemaType.INT16: 16, SchemaType.INT32: 32, SchemaType.INT64: 64}
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,10})?\Z")
_MOST_DIGITS: Final = 1_000
_BLANKS: Final[dict[str | None, Any]] = {
    DATE_NAME: dt.date(1970, 1, 1),
    TIME_NAME: dt.time(),
    TIMESTAMP_NAME: dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
}


class MaskField(KeyOrValue):
    """Puts zero, an empty text or the replacement in place of fields that are not null."""

    version = VERSION
    null_passes = False
    config_def = ConfigDef(
        ConfigKey(
            "fields",
            Type.LIST,
            validator=list_of(empty=False, null=False),
            importance=Importance.HIGH,
            doc="Names of the fields to mask.",
        ),
        ConfigKey(
            "replacement",
            Type.STRING,
            default=None,
            validator=non_empty,
            importance=Importance.LOW,
            doc="What to put there, for texts and numbers; without it, what is empty or zero for the field's type.",
        ),
        REPLACE_NULL,
    )

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the settings."""
        parsed = self.config_def.parse(config)
        self._fields: tuple[str, ...] = tuple(parsed["fields"])
        self._replacement: str | None = parsed["replacement"]
        self._defaults: bool = parsed["replace.null.with.default"]
        self._masks: Once[Schema, dict[str, Any]] = Once(self._masks_of)

    def _masks_of(self, schema: Schema) -> dict[str, Any]:
        fields = fields_of(schema)
        return {name: self._mask(fields[name].schema) for name in self._fields if name in fields}

    def change(self, record: Record, schema: Schema | None, value: Any) -> Changed:
        """The value with its fields masked."""
        if schema is None:
            free = dict(require_map(value, _PURPOSE))
            for name in self._fields:
                free[name] = self._masked(free.get(name))
            return Changed(None, free)
        have = require_struct(schema, value, _PURPOSE)
        made: dict[str, Any] = {}
        for name, field in (schema.fields or {}).items():
            found = read_field(field, have, defaults=self._defaults)
            made[name] = self._mask(field.schema) if found is not None and name in self._fields else found
        return Changed(schema, made)

    def change_all(self, batch: RecordBatch, schema: Schema | None, values: Sequence[Any]) -> Changed:
        """One dict per value; with a schema, the masks are made once."""
        if schema is None:
            fields, masked = self._fields, self._masked
            return Changed(None, [{**value, **{name: masked(value.get(name)) for name in fields}} for value in values])
        if self._defaults and has_defaults(schema):
            raise TypeError("defaults are filled in one by one")
        if [1 for value in values if len(value) != len(schema.fields or ())]:
            raise TypeError("fields are missing")
        made = values
        for name, mask in self._masks(schema).items():
            # A fresh list or map for each record: what is downstream may change it in place.
            blank = type(mask) if mask in ([], {}) else None
            made = (
                [{**value, name: mask} if value[name] is not None else value for value in made]
                if blank is None
                else [{**value, name: blank()} if value[name] is not None else value for value in made]
            )
        return Changed(schema, made)

    def _mask(self, schema: Schema) -> Any:
        """What stands in for a value of *schema* that is not null. Raises DataError."""
        if self._replacement is not None:
            return self._replaced(schema)
        if schema.name == DECIMAL_NAME:
            return Decimal((0, (0,), -int((schema.parameters or {}).get("scale", "0"))))
        if schema.name in _BLANKS:
            return _BLANKS[schema.name]
        match schema.type:
            case SchemaType.STRING:
                return ""
            case SchemaType.BOOLEAN:
                return False
            case SchemaType.INT8 | SchemaType.INT16 | SchemaType.INT32 | SchemaType.INT64:
                return 0
            case SchemaType.FLOAT32 | SchemaType.FLOAT64:
                return 0.0
            case SchemaType.ARRAY:
                return []
            case SchemaType.MAP:
                return {}
            case _:
                raise DataError(f"Cannot mask value of type: {schema.type.value}")

    def _replaced(self, schema: Schema) -> Any:
        text = self._replacement or ""
        if schema.name in _BLANKS:
            raise DataError(f"Cannot mask value of type {schema.name} with custom replacement.")
        if schema.name == DECIMAL_NAME:
            return _decimal(text)
        match schema.type:
            case SchemaType.STRING:
                return text
            case SchemaType.INT8 | SchemaType.INT16 | SchemaType.INT32 | SchemaType.INT64:
                return _whole(text, _BITS[schema.type])
            case SchemaType.FLOAT32 | SchemaType.FLOAT64:
                return _fraction(text, single=schema.type is SchemaType.FLOAT32)
            case _:
                raise DataError(f"Cannot mask value of type {schema.type.value} with custom replacement.")

    def _masked(self, value: Any) -> Any:
        """What stands in for a value without schema."""
        if value is None:
            return None
        text = self._replacement
        if isinstance(value, str):
            return text or ""
        if isinstance(value, bool):
            if text is None:
                return False
        elif isinstance(value, int):
            return 0 if text is None else _whole(text, 64)
        elif isinstance(value, float):
            return 0.0 if text is None else _fraction(text)
        elif isinstance(value, Decimal):
            return Decimal(0) if text is None else _decimal(text)
        elif isinstance(value, dt.date | dt.time) and text is None:
            kind = TIMESTAMP_NAME if isinstance(value, dt.datetime) else DATE_NAME
            return _BLANKS[TIME_NAME if isinstance(value, dt.time) else kind]
        elif isinstance(value, list | dict) and text is None:
            return type(value)()
        how = " with custom replacement." if text is not None else ""
        raise DataError(f"Cannot mask value of type: {type(value)}{how}")


def _decimal(text: str) -> Decimal:
    if not _NUMBER.match(text):
        raise DataError(f"Unable to convert {text} to a number")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise DataError(f"Unable to convert {text} to a number") from None


def _whole(text: str, bits: int) -> int:
    """A number as so many bits hold it: fractions cut off, what is too large wrapped around, as Connect does."""
    number = _decimal(text)
    if number.adjusted() > _MOST_DIGITS:
        return 0  # so many powers of ten are that many powers of two: the bits that stay are zero
    half = 1 << (bits - 1)
    return (int(number) + half) % (2 * half) - half


def _fraction(text: str, *, single: bool = False) -> float:
    number = float(_decimal(text))
    if not single:
        return number
    try:
        return float(layouts.unpack("f", layouts.pack("f", number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


class Key(OfKey, MaskField):
    """MaskField for keys."""


class Value(OfValue, MaskField):
    """MaskField for values."""

"""
From Connect values to what orjson writes, with one writer per schema.

A :class:`Writer` knows two ways. ``write`` takes any value, checks it, and gives what orjson takes. ``unready``
says which values of a batch need that; for structs of strings, whole numbers, truth values and everyday fractions
there are none, and the values go to orjson as they are.
"""

import base64
import datetime as dt
import math
import struct as layouts
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from enum import Enum
from typing import Any, Final, Protocol

import orjson

from runtime.data.schema import DATE_NAME, DECIMAL_NAME, TIME_NAME, TIMESTAMP_NAME
from runtime.data.text import double_text
from runtime.sdk import DataError, Schema, SchemaType

Write = Callable[[Any], Any]

_NULL: Final = type(None)
_EXACTLY: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_EPOCH_DAY: Final = dt.date(1970, 1, 1).toordinal()
_KNOWN_SHAPES: Final = 4_096
_RANGES: Final = {
    SchemaType.INT8: (-(2**7), 2**7 - 1),
    SchemaType.INT16: (-(2**15), 2**15 - 1),
    SchemaType.INT32: (-(2**31), 2**31 - 1),
    SchemaType.INT64: (-(2**63), 2**63 - 1),
}


class DecimalFormat(Enum):
    """How Decimals are written."""

    BASE64 = "BASE64"
    NUMERIC = "NUMERIC"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say about writing."""

    decimals: DecimalFormat = DecimalFormat.BASE64
    defaults: bool = True
    """Whether null is written as the schema's default."""


@dataclass(frozen=True, slots=True)
class Writer:
    """How values of one schema are written."""

    write: Write
    """Any value, as orjson takes it. Raises DataError."""
    plain: frozenset[type] = frozenset()
    """Types whose values orjson takes as they are, as far as ``within`` holds."""
    within: tuple[float, float] | None = None
    """Bounds of plain numbers, the upper one included for whole numbers only."""
    unready: Callable[[Sequence[Any]], list[int]] | None = None
    """Which of a column's values are not plain; None where there is no quick answer and all go through *write*."""
    special: tuple[tuple[str, Write], ...] = ()
    """Of structs that ``unready`` leaves out: fields that are to be written one by one, on a copy of the struct."""


def writer_for(schema: Schema, rules: Rules) -> Writer:
    """The writer of *schema*."""
    made = _required_writer(schema, rules)
    nullable = _nullable(schema, rules, made)
    plain = made.plain
    if made.plain and schema.optional and (schema.default is None or not rules.defaults):
        plain = made.plain | {_NULL}
    unready = made.unready if made.unready is not None else _unready_scalars(plain, made.within)
    return Writer(nullable, plain, made.within, unready, made.special)


def _nullable(schema: Schema, rules: Rules, made: Writer) -> Write:
    write, default, optional = made.write, schema.default if rules.defaults else None, schema.optional

    def checked(value: Any) -> Any:
        if value is not None:
            return write(value)
        if default is not None:
            return write(default)
        if optional:
            return None
        raise DataError("Conversion error: null value for field that is required and has no default value")

    return checked


def _required_writer(schema: Schema, rules: Rules) -> Writer:
    logical = _LOGICAL.get(schema.name) if schema.name is not None else None
    if logical is not None:
        return Writer(logical(schema, rules))
    match schema.type:
        case SchemaType.STRING:
            return Writer(_instance(schema, str), frozenset({str}))
        case SchemaType.BOOLEAN:
            return Writer(_instance(schema, bool), frozenset({bool}))
        case SchemaType.INT8 | SchemaType.INT16 | SchemaType.INT32 | SchemaType.INT64:
            low, high = _RANGES[schema.type]
            # orjson refuses what 64 bits cannot hold, so only the narrower types need looking at.
            return Writer(
                _whole(schema, low, high),
                frozenset({int}),
                None if schema.type is SchemaType.INT64 else (low, high + 1),
            )
        case SchemaType.FLOAT64:
            return Writer(_fraction(schema, write_double), frozenset({float}), (1e-3, 1e7))
        case SchemaType.FLOAT32:
            return Writer(_fraction(schema, write_float))
        case SchemaType.BYTES:
            return Writer(_write_bytes)
        case SchemaType.ARRAY:
            return Writer(_list(schema, rules))
        case SchemaType.MAP:
            return Writer(_map(schema, rules))
        case SchemaType.STRUCT:
            return _struct(schema, rules)


def _unready_scalars(
    plain: frozenset[type], within: tuple[float, float] | None
) -> Callable[[Sequence[Any]], list[int]] | None:
    if not plain:
        return None
    if within is None:
        return lambda column: (
            []
            if set(map(type, column)) <= plain
            else [index for index, value in enumerate(column) if type(value) not in plain]
        )
    low, high = within
    return lambda column: [
        index
        for index, value in enumerate(column)
        if type(value) not in plain or (value is not None and not low <= value < high)
    ]


def _invalid(schema: Schema | None, value: Any) -> DataError:
    kind = schema.type.value if schema is not None else "unknown schema"
    return DataError(f"Invalid type for {kind}: {type(value)}")


def _instance(schema: Schema, kind: type) -> Write:
    def write(value: Any) -> Any:
        if isinstance(value, kind):
            return value if type(value) is kind else str.__str__(value)
        raise _invalid(schema, value)

    return write


def _whole(schema: Schema, low: int, high: int) -> Write:
    def write(value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            if low <= value <= high:
                return int(value)
            raise DataError(f"Invalid value with schema type {schema.type.value}: {value} is out of range")
        raise _invalid(schema, value)

    return write


def _fraction(schema: Schema, write_number: Callable[[float], Any]) -> Write:
    def write(value: Any) -> Any:
        if isinstance(value, float):
            return write_number(value)
        raise _invalid(schema, value)

    return write


def write_double(value: float) -> Any:
    """A double as Java writes it: in the middle as orjson does, else ``1.0E10`` or the string ``"NaN"``."""
    if 1e-3 <= value < 1e7 or -1e7 < value <= -1e-3 or value == 0:
        return float(value)
    if math.isfinite(value):
        return orjson.Fragment(double_text(value).encode())
    return double_text(value)


def write_float(value: float) -> Any:
    """A single-precision number, in as few digits as tell it from its neighbours."""
    try:
        single = layouts.unpack("f", layouts.pack("f", value))[0]
    except OverflowError:
        return double_text(math.copysign(math.inf, value))
    if 1e-3 <= single < 1e7 or -1e7 < single <= -1e-3:
        for precision in (6, 7, 8, 9):
            short = float(f"{single:.{precision}g}")
            if layouts.unpack("f", layouts.pack("f", short))[0] == single:
                return short
    text = double_text(single, single=True)
    return orjson.Fragment(text.encode()) if math.isfinite(single) else text


def _write_bytes(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    raise DataError(f"Invalid type for bytes type: {type(value)}")


def _list(schema: Schema, rules: Rules) -> Write:
    element = writer_for(_child(schema.value_schema), rules)
    write_one = element.write
    unready = None if element.special else element.unready

    def write(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise _invalid(schema, value)
        if unready is not None and not unready(value):
            return value
        return [write_one(item) for item in value]

    return write


def _map(schema: Schema, rules: Rules) -> Write:
    keys, values = _child(schema.key_schema), _child(schema.value_schema)
    write_key, write_value = writer_for(keys, rules).write, writer_for(values, rules).write
    by_name = keys.type is SchemaType.STRING

    def write(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _invalid(schema, value)
        if by_name:
            # A null key of an optional string is written as Java's text of a null node.
            return {
                "null" if (name := write_key(key)) is None else name: write_value(item) for key, item in value.items()
            }
        return [[write_key(key), write_value(item)] for key, item in value.items()]

    return write


def _struct(schema: Schema, rules: Rules) -> Writer:
    fields = schema.fields or {}
    names = tuple(fields)
    writers = [writer_for(field.schema, rules) for field in fields.values()]
    steps = [(name, writer.write) for name, writer in zip(names, writers, strict=True)]

    def write(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _invalid(schema, value)
        if not value.keys() <= fields.keys():
            raise DataError("Mismatching schema.")
        get = value.get
        return {name: write_one(get(name)) for name, write_one in steps}

    special = tuple((name, writer.write) for name, writer in zip(names, writers, strict=True) if not writer.plain)
    return Writer(write, unready=unready_structs(fields, writers), special=special)


class _Quick(Protocol):
    @property
    def plain(self) -> frozenset[type]: ...
    @property
    def within(self) -> tuple[float, float] | None: ...


def unready_structs(fields: Iterable[str], parts: Sequence[_Quick]) -> Callable[[Sequence[Any]], list[int]]:
    """
    Which structs of a column do not have exactly *fields*, in order, with values that are plain.

    A field whose part has no plain types may hold anything. Structs are told by the types of their values, and
    whether a combination of types will do is remembered; so a column costs two passes and no call per value.
    """
    names = tuple(fields)
    plain = [part.plain for part in parts]
    bounded = [(name, *part.within) for name, part in zip(names, parts, strict=True) if part.within is not None]
    shapes: dict[tuple[type, ...], bool] = {}

    def fits(shape: tuple[type, ...]) -> bool:
        if len(shapes) > _KNOWN_SHAPES:
            shapes.clear()
        known = len(shape) == len(plain) and all(
            kind in kinds or not kinds for kind, kinds in zip(shape, plain, strict=True)
        )
        shapes[shape] = known
        return known

    def odd(value: Any) -> bool:
        if type(value) is not dict or tuple(value) != names:
            return True
        shape = tuple(map(type, value.values()))
        if not (shapes[shape] if shape in shapes else fits(shape)):
            return True
        return any(value[name] is not None and not low <= value[name] < high for name, low, high in bounded)

    def unready(column: Sequence[Any]) -> list[int]:
        if {*map(type, column)} == {dict}:
            try:
                uniform = {*map(tuple, column)} == {names}
            except TypeError:  # keys that cannot be hashed are no field names
                uniform = False
            if uniform and all(
                shapes[shape] if shape in shapes else fits(shape)
                for shape in {tuple(map(type, value.values())) for value in column}
            ):
                out: set[int] = set()
                for name, low, high in bounded:
                    numbers = [value[name] for value in column]
                    out.update(
                        [i for i, number in enumerate(numbers) if number is not None and not low <= number < high]
                    )
                return sorted(out)
        return [index for index, value in enumerate(column) if odd(value)]

    return unready


def finished(column: Sequence[Any], special: Sequence[tuple[str, Callable[[Any], Any]]]) -> list[Any]:
    """Copies of structs with their special fields changed."""
    made = [value.copy() for value in column]
    for name, change in special:
        for value in made:
            value[name] = change(value[name])
    return made


def _child(schema: Schema | None) -> Schema:
    if schema is None:
        raise DataError("No schema defined for element")
    return schema


def unscaled_bytes(value: Decimal, scale: int) -> bytes:
    """A Decimal of *scale* as the big-endian two's complement of its digits. Raises DataError for another scale."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise DataError(f"Invalid type for Decimal, expected a finite number but was {value}")
    if -exponent != scale:
        raise DataError(
            "Decimal value has mismatching scale for given Decimal. "
            f"Schema has scale {scale}, value has scale {-exponent}"
        )
    number = int(value.scaleb(scale, _EXACTLY))
    return number.to_bytes((number if number >= 0 else ~number).bit_length() // 8 + 1, "big", signed=True)


def scale_of(schema: Schema) -> int:
    """The scale of a Decimal schema. Raises DataError when it has none."""
    text = (schema.parameters or {}).get("scale")
    if text is None:
        raise DataError("Invalid Decimal schema: scale parameter not found.")
    try:
        return int(text)
    except ValueError:
        raise DataError(f"Invalid scale parameter found in Decimal schema: {text}") from None


def _decimal(schema: Schema, rules: Rules) -> Write:
    def write(value: Any) -> Any:
        if not isinstance(value, Decimal):
            raise DataError(f"Invalid type for Decimal, expected Decimal but was {type(value)}")
        if rules.decimals is DecimalFormat.NUMERIC:
            if not value.is_finite():
                raise DataError(f"Invalid type for Decimal, expected a finite number but was {value}")
            return orjson.Fragment(str(value).encode())
        return base64.b64encode(unscaled_bytes(value, scale_of(schema))).decode("ascii")

    return write


def _date(schema: Schema, rules: Rules) -> Write:
    def write(value: Any) -> int:
        if isinstance(value, dt.datetime):
            if value.time() != dt.time():
                raise DataError("Kafka Connect Date type should not have any time fields set to non-zero values.")
        elif not isinstance(value, dt.date):
            raise DataError(f"Invalid type for Date, expected date but was {type(value)}")
        return dt.date.toordinal(value) - _EPOCH_DAY

    return write


def _time(schema: Schema, rules: Rules) -> Write:
    def write(value: Any) -> int:
        if not isinstance(value, dt.time):
            raise DataError(f"Invalid type for Time, expected time but was {type(value)}")
        return (value.hour * 3600 + value.minute * 60 + value.second) * 1000 + value.microsecond // 1000

    return write


def _timestamp(schema: Schema, rules: Rules) -> Write:
    last: Any = None
    last_ms = 0

    def write(value: Any) -> int:
        nonlocal last, last_ms
        if value is last:  # InsertField gives a batch's records one and the same
            return last_ms
        if not isinstance(value, dt.datetime):
            raise DataError(f"Invalid type for Timestamp, expected datetime but was {type(value)}")
        since: dt.timedelta = (value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)) - _EPOCH
        last, last_ms = value, since // _MILLISECOND
        return last_ms

    return write


_LOGICAL: Final[dict[str | None, Callable[[Schema, Rules], Write]]] = {
    DECIMAL_NAME: _decimal,
    DATE_NAME: _date,
    TIME_NAME: _time,
    TIMESTAMP_NAME: _timestamp,
}


_SIMPLE: Final = frozenset({str, int, bool, _NULL})


def write_free(value: Any) -> Any:
    """A value without schema, by its Python type. Raises DataError for one that has no counterpart in JSON."""
    kind = type(value)
    if kind in _SIMPLE:
        if kind is int and not -(2**63) <= value < 2**63:
            raise DataError(f"Invalid value without schema: {value} is out of range")
        return value
    if kind is float:
        return write_double(value)
    if isinstance(value, dict):
        if {*map(type, value)} <= {str}:
            if {*map(type, value.values())} <= _FREE_OF_CHECKS:
                return value
            return {key: write_free(item) for key, item in value.items()}
        if all(isinstance(key, str) for key in value):
            return {str.__str__(key): write_free(item) for key, item in value.items()}
        return [[write_free(key), write_free(item)] for key, item in value.items()]
    if isinstance(value, list | tuple):
        if {*map(type, value)} <= _FREE_OF_CHECKS:
            return value
        return [write_free(item) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return _write_bytes(value)
    if isinstance(value, str):
        return str.__str__(value)
    raise DataError(f"{kind} does not have corresponding schema type.")


_FREE_OF_CHECKS: Final = frozenset({str, bool, _NULL})

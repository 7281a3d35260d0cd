"""
From parsed JSON to Connect values, with one reader per schema.

As for writing there are two ways: ``read`` takes any node and coerces it as Connect does, ``unready`` says which
nodes of a batch need that. Nodes come from orjson, or, where a number must not lose digits, from :func:`parse_exactly`.
"""

import base64
import binascii
import datetime as dt
import json
import math
import re
import struct as layouts
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any, Final

import orjson

from runtime.data.schema import DATE_NAME, DECIMAL_NAME, TIME_NAME, TIMESTAMP_NAME
from runtime.plugins.converters.json_writing import scale_of, unready_structs
from runtime.sdk import DataError, Schema, SchemaType

Read = Callable[[Any], Any]

_NULL: Final = type(None)
_EXACTLY: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY: Final = dt.date(1970, 1, 1).toordinal()
_DEEPEST: Final = 1_000
"""Levels of nesting, as Connect's JSON library allows."""
_BITS: Final = {SchemaType.INT8: 8, SchemaType.INT16: 16, SchemaType.INT32: 32, SchemaType.INT64: 64}


class NeedsExactNumbers(Exception):
    """A number was met that orjson may have rounded; parse again with :func:`parse_exactly`."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How nodes of one schema are read."""

    read: Read
    """Any node. Raises DataError, or NeedsExactNumbers."""
    plain: frozenset[type] = frozenset()
    """Types whose nodes are values as they are, as far as ``within`` holds."""
    within: tuple[int, int] | None = None
    unready: Callable[[Sequence[Any]], list[int]] | None = None
    special: tuple[tuple[str, Read], ...] = ()
    """Of structs that ``unready`` leaves out: fields that are to be read one by one."""


# Parsing


def parse(data: bytes) -> tuple[Any, bool]:
    """
    What *data* holds, and whether its numbers are exact: the fast parser first, the lenient one for what it refuses.

    Raises DataError when it is no JSON. Empty data are null.
    """
    try:
        return orjson.loads(data), False
    except orjson.JSONDecodeError:
        return parse_exactly(data), True


def parse_free(data: bytes) -> Any:
    """What *data* holds, as values without schema. Raises DataError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return free(parse_exactly(data))


_LEADING_ZEROS: Final = re.compile(r'("(?:[^"\\]|\\.)*")|(?<![\d.eE+-])(-?)0+(?=\d)', re.DOTALL)


def parse_exactly(data: bytes, *, strict: bool = False) -> Any:
    """
    What *data* holds, fractions as Decimal; as lenient as Connect's reader (contract 7.5, 16).

    Leading zeros are fine, and unless *strict*, text behind the first value is not looked at. Raises DataError.
    """
    try:
        text = bytes(data).decode("utf-8").lstrip(" \t\r\n")
        if not text:
            return None
        if _too_deep(text):
            raise DataError(_BROKEN + f"Document nesting depth exceeds the maximum allowed ({_DEEPEST})")
        if "0" in text:
            text = _LEADING_ZEROS.sub(lambda match: match.group(1) or match.group(2), text)
        node, end = _EXACT.raw_decode(text)
        if isinstance(node, int | Decimal | None) and _RUNS_ON.match(text, end):
            raise ValueError(f"Unexpected character {text[end]!r} behind the value")
        if strict and text[end:].strip(" \t\r\n"):
            raise ValueError("text behind the value")
    except (ValueError, InvalidOperation, RecursionError) as err:
        raise DataError(_BROKEN + str(err)) from err
    return node


_RUNS_ON: Final = re.compile(r"[^ \t\r\n]")
"""Behind a bare number, true, false or null; brackets and quotes end by themselves."""
_BROKEN: Final = "Converting byte[] to Kafka Connect data failed due to serialization error: "


def _too_deep(text: str) -> bool:
    """Whether *text* nests deeper than Connect reads; counts brackets outside of strings."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return False
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match.group(1):
            depth += 1
            if depth > _DEEPEST:
                return True
        elif match.group(2):
            depth -= 1
            if depth == 0:
                return False
    return False


_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)


def _no_constant(name: str) -> Any:
    raise ValueError(f"Non-standard token '{name}'")


def _whole_number(text: str) -> int | Decimal:
    # Python limits how long an int's text may be; beyond a few hundred digits nothing fits a schema anyway.
    if len(text) > 1_000:
        raise ValueError(f"Number value length ({len(text)}) exceeds the maximum allowed (1000)")
    return int(text)


_EXACT: Final = json.JSONDecoder(parse_float=Decimal, parse_int=_whole_number, parse_constant=_no_constant)


def free(node: Any) -> Any:
    """A node without schema: Decimals, which only the exact parser makes, become floats."""
    if isinstance(node, Decimal):
        return float(node)
    if isinstance(node, list):
        return [free(item) for item in node]
    if isinstance(node, dict):
        return {key: free(item) for key, item in node.items()}
    return node


# Readers


def reader_for(schema: Schema, *, defaults: bool) -> Reader:
    """The reader of *schema*; *defaults* says whether null is read as the schema's default."""
    made = _required_reader(schema, defaults)
    default = schema.default if defaults else None
    plain = made.plain
    if plain and schema.optional and default is None:
        plain = plain | {_NULL}
    unready = made.unready if made.unready is not None else _unready_scalars(plain, made.within)
    return Reader(_nullable(schema, default, made.read), plain, made.within, unready, made.special)


def _nullable(schema: Schema, default: Any, read: Read) -> Read:
    optional = schema.optional

    def checked(node: Any) -> Any:
        if node is not None:
            return read(node)
        if default is not None:
            return default
        if optional:
            return None
        raise DataError(f"Invalid null value for required {schema.type.value} field")

    return checked


def _required_reader(schema: Schema, defaults: bool) -> Reader:
    logical = _LOGICAL.get(schema.name) if schema.name is not None else None
    if logical is not None:
        return Reader(logical(schema))
    match schema.type:
        case SchemaType.STRING:
            return Reader(_read_text(schema), frozenset({str}))
        case SchemaType.BOOLEAN:
            return Reader(lambda node: node is True, frozenset({bool}))
        case SchemaType.INT8 | SchemaType.INT16 | SchemaType.INT32 | SchemaType.INT64:
            bits = _BITS[schema.type]
            half = 1 << (bits - 1)
            return Reader(_read_whole(bits), frozenset({int}), (-half, half))
        case SchemaType.FLOAT64:
            return Reader(_read_double, frozenset({float}))
        case SchemaType.FLOAT32:
            return Reader(_read_float)
        case SchemaType.BYTES:
            return Reader(_read_bytes(schema))
        case SchemaType.ARRAY:
            return Reader(_read_list(_child(schema.value_schema), defaults))
        case SchemaType.MAP:
            return Reader(_read_map(_child(schema.key_schema), _child(schema.value_schema), defaults))
        case SchemaType.STRUCT:
            return _struct_reader(schema, defaults)


def _unready_scalars(
    plain: frozenset[type], within: tuple[int, int] | None
) -> Callable[[Sequence[Any]], list[int]] | None:
    if not plain:
        return None
    if within is None:
        return lambda column: (
            []
            if {*map(type, column)} <= plain
            else [index for index, node in enumerate(column) if type(node) not in plain]
        )
    low, high = within
    return lambda column: [
        index
        for index, node in enumerate(column)
        if type(node) not in plain or (node is not None and not low <= node < high)
    ]


def _read_text(schema: Schema) -> Read:
    def read(node: Any) -> str | None:
        if isinstance(node, str):
            return node
        if schema.optional:
            return None  # Connect reads anything but text as null
        raise DataError("Invalid value: null used for required field, schema type: STRING")

    return read


def _read_whole(bits: int) -> Read:
    # int8 and int16 are cut from 32 bits, as on the JVM; the result is the same as cutting once.
    half, mask = 1 << (bits - 1), (1 << bits) - 1

    def read(node: Any) -> int:
        if isinstance(node, bool):
            return 0
        if isinstance(node, float):
            raise NeedsExactNumbers
        if isinstance(node, int | Decimal):
            return ((int(node) + half) & mask) - half
        return 0

    return read


_SPELT: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _read_double(node: Any) -> float:
    if isinstance(node, float):
        return node
    if isinstance(node, int | Decimal) and not isinstance(node, bool):
        try:
            return float(node)
        except OverflowError:
            return math.inf if node > 0 else -math.inf
    return _SPELT.get(node, 0.0) if isinstance(node, str) else 0.0


def _read_float(node: Any) -> float:
    number = _read_double(node)
    try:
        return float(layouts.unpack("f", layouts.pack("f", number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def decode_base64(text: str) -> bytes:
    """Base64 as Connect's JSON library takes it, blanks between groups included. Raises DataError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as err:
        raise DataError("Invalid bytes field") from err


def _read_bytes(schema: Schema) -> Read:
    def read(node: Any) -> bytes | None:
        if isinstance(node, str):
            return decode_base64(node)
        if schema.optional:
            return None
        raise DataError("Invalid value: null used for required field, schema type: BYTES")

    return read


def _read_list(element: Schema, defaults: bool) -> Read:
    reader = reader_for(element, defaults=defaults)
    read_one = reader.read
    unready = None if reader.special else reader.unready

    def read(node: Any) -> list[Any]:
        # Connect reads an object's values as the array, and a lone value as an empty one.
        items = node if isinstance(node, list) else list(node.values()) if isinstance(node, dict) else []
        return items if unready is not None and not unready(items) else [read_one(item) for item in items]

    return read


def _read_map(keys: Schema, values: Schema, defaults: bool) -> Read:
    read_key, read_value = reader_for(keys, defaults=defaults).read, reader_for(values, defaults=defaults).read

    def by_name(node: Any) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise DataError(f"Maps with string fields should be encoded as JSON objects, but found {node_type(node)}")
        return {key: read_value(item) for key, item in node.items()}

    def by_pairs(node: Any) -> dict[Any, Any]:
        if not isinstance(node, list):
            raise DataError(
                f"Maps with non-string fields should be encoded as JSON array of tuples, but found {node_type(node)}"
            )
        made: dict[Any, Any] = {}
        for entry in node:
            if not isinstance(entry, list):
                raise DataError(f"Found invalid map entry instead of array tuple: {node_type(entry)}")
            if len(entry) != 2:
                raise DataError(f"Found invalid map entry, expected length 2 but found :{len(entry)}")
            key = read_key(entry[0])
            try:
                made[key] = read_value(entry[1])
            except TypeError as err:
                raise DataError(f"A map's key cannot be {node_type(entry[0])}: Python has no hash for it") from err
        return made

    return by_name if keys.type is SchemaType.STRING else by_pairs


def _struct_reader(schema: Schema, defaults: bool) -> Reader:
    fields = schema.fields or {}
    readers = [reader_for(field.schema, defaults=defaults) for field in fields.values()]
    steps = [(name, reader.read) for name, reader in zip(fields, readers, strict=True)]

    def read(node: Any) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise DataError(f"Structs should be encoded as JSON objects, but found {node_type(node)}")
        get = node.get
        return {name: read_one(get(name)) for name, read_one in steps}

    special = tuple((name, reader.read) for name, reader in zip(fields, readers, strict=True) if not reader.plain)
    return Reader(read, unready=unready_structs(fields, readers), special=special)


def node_type(node: Any) -> str:
    """What Connect's JSON library calls this kind of node."""
    if node is None:
        return "NULL"
    if isinstance(node, bool):
        return "BOOLEAN"
    if isinstance(node, str):
        return "STRING"
    if isinstance(node, list):
        return "ARRAY"
    return "OBJECT" if isinstance(node, dict) else "NUMBER"


def _child(schema: Schema | None) -> Schema:
    if schema is None:
        raise DataError("No schema defined for element")
    return schema


# Logical types


def _decimal(schema: Schema) -> Read:
    def read(node: Any) -> Decimal:
        if isinstance(node, str):
            try:
                unscaled = decode_base64(node)
            except DataError as err:
                raise DataError("Invalid bytes for Decimal field") from err
            if not unscaled:
                raise DataError("Invalid bytes for Decimal field")
            return Decimal(int.from_bytes(unscaled, "big", signed=True)).scaleb(-scale_of(schema), _EXACTLY)
        if isinstance(node, float):
            raise NeedsExactNumbers
        if isinstance(node, int | Decimal) and not isinstance(node, bool):
            return Decimal(node)
        raise DataError(
            "Invalid type for Decimal, underlying representation should be numeric or bytes but was " + node_type(node)
        )

    return read


def _date(schema: Schema) -> Read:
    def read(node: Any) -> dt.date:
        if not isinstance(node, int) or isinstance(node, bool) or not -(2**31) <= node < 2**31:
            raise DataError(
                "Invalid type for Date, underlying representation should be integer but was " + node_type(node)
            )
        try:
            return dt.date.fromordinal(node + _EPOCH_DAY)
        except (ValueError, OverflowError):
            raise DataError(f"Date {node} is outside the years 1 to 9999, which is all that Python knows") from None

    return read


def _time(schema: Schema) -> Read:
    def read(node: Any) -> dt.time:
        if not isinstance(node, int) or isinstance(node, bool) or not -(2**31) <= node < 2**31:
            raise DataError(
                "Invalid type for Time, underlying representation should be integer but was " + node_type(node)
            )
        if not 0 <= node < 86_400_000:
            raise DataError("Time values must use number of milliseconds greater than 0 and less than 86400000")
        seconds, ms = divmod(node, 1000)
        return dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60, ms * 1000)

    return read


def _timestamp(schema: Schema) -> Read:
    def read(node: Any) -> dt.datetime:
        if isinstance(node, float):
            raise NeedsExactNumbers
        if not isinstance(node, int) or isinstance(node, bool):
            raise DataError(
                "Invalid type for Timestamp, underlying representation should be integral but was " + node_type(node)
            )
        try:
            return _EPOCH + dt.timedelta(milliseconds=node)
        except OverflowError:
            raise DataError(
                f"Timestamp {node} is outside the years 1 to 9999, which is all that Python knows"
            ) from None

    return read


_LOGICAL: Final[dict[str | None, Callable[[Schema], Read]]] = {
    DECIMAL_NAME: _decimal,
    DATE_NAME: _date,
    TIME_NAME: _time,
    TIMESTAMP_NAME: _timestamp,
}

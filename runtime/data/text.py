"""
The text form of a value, as Java's ``toString`` gives it; StringConverter and the file sink write it.

Where Java prints an object's address (a byte array), we print base64: nobody can rely on an address.
"""

import base64
import datetime as dt
import math
import struct
from decimal import Decimal
from typing import Any

from runtime.data.schema import Schema, SchemaType


def text_of(schema: Schema | None, value: Any) -> str:
    """*value* as text: maps as ``{k=v, k2=v2}``, structs as ``Struct{a=1,b=x}`` without their null fields."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return double_text(value, single=schema is not None and schema.type is SchemaType.FLOAT32)
    if isinstance(value, dict):
        return _struct_text(schema, value) if _is_struct(schema) else _map_text(schema, value)
    if isinstance(value, list | tuple):
        element = schema.value_schema if schema is not None else None
        return "[" + ", ".join(text_of(element, item) for item in value) + "]"
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    if isinstance(value, dt.date):
        return value.strftime("%a %b %d 00:00:00 UTC %Y")
    if isinstance(value, dt.time):
        return value.strftime("Thu Jan 01 %H:%M:%S UTC 1970")
    return str(value)


def _is_struct(schema: Schema | None) -> bool:
    return schema is not None and schema.type is SchemaType.STRUCT


def _struct_text(schema: Schema | None, value: dict[str, Any]) -> str:
    fields = schema.fields if schema is not None and schema.fields is not None else {}
    shown = (
        f"{name}={text_of(field.schema, value[name])}" for name, field in fields.items() if value.get(name) is not None
    )
    return "Struct{" + ",".join(shown) + "}"


def _map_text(schema: Schema | None, value: dict[Any, Any]) -> str:
    keys = schema.key_schema if schema is not None else None
    values = schema.value_schema if schema is not None else None
    return "{" + ", ".join(f"{text_of(keys, k)}={text_of(values, v)}" for k, v in value.items()) + "}"


def double_text(value: float, *, single: bool = False) -> str:
    """A floating-point number as Java writes it: ``1.0``, ``1.0E10``, ``NaN``, ``-Infinity``."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    sign, digits, exponent = Decimal(_shortest_single(value) if single else repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    power = len(text) + exponent - 1
    lead = "-" if sign else ""
    if -3 <= power < 7:
        if power < 0:
            return f"{lead}0.{'0' * (-power - 1)}{text}"
        whole, rest = text[: power + 1].ljust(power + 1, "0"), text[power + 1 :]
        return f"{lead}{whole}.{rest or '0'}"
    return f"{lead}{text[0]}.{text[1:] or '0'}E{power}"


def _shortest_single(value: float) -> str:
    (exact,) = struct.unpack("f", struct.pack("f", value))
    for digits in range(1, 10):
        text = f"{exact:.{digits}g}"
        if struct.unpack("f", struct.pack("f", float(text)))[0] == exact:
            return text
    return repr(exact)

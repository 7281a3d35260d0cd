"""
Header values as text, and what a text most likely is: Connect's inference, oddities included (contract 7.6).

Text is cut at ``: , { } [ ] "`` into tokens. Only what begins like a value of a kind is tried as one, and what fails
to be is the string it was.
"""

import base64
import datetime as dt
import math
import re
import struct as layouts
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from runtime.data.text import double_text
from runtime.sdk import (
    BOOLEAN,
    DATE,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    TIME,
    TIMESTAMP,
    DataError,
    Schema,
    SchemaType,
    array,
    decimal,
    map_of,
)

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY: Final = 86_400_000
_MILLISECOND: Final = dt.timedelta(milliseconds=1)


# Writing


def write(schema: Schema | None, value: Any, *, embedded: bool = False) -> str:
    """The text of a header's value. Raises DataError for what has none."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value) if embedded else value
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, float):
        return double_text(value, single=schema is not None and schema.type is SchemaType.FLOAT32)
    if isinstance(value, bytes | bytearray | memoryview):
        text = base64.b64encode(value).decode("ascii")
        return f'"{text}"' if embedded else text
    if isinstance(value, list | tuple):
        element = schema.value_schema if schema is not None else None
        return "[" + ",".join(write(element, item, embedded=True) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(_entries(schema, value)) + "}"
    if isinstance(value, dt.date | dt.time):
        return _moment(value)
    raise DataError(f"Failed to serialize unexpected value type {type(value)}: {value}")


def _entries(schema: Schema | None, value: dict[Any, Any]) -> list[str]:
    if schema is not None and schema.fields is not None:
        return [
            f"{_quoted(name)}:{write(field.schema, _or_default(field.schema, value.get(name)), embedded=True)}"
            for name, field in schema.fields.items()
        ]
    keys, values = (schema.key_schema, schema.value_schema) if schema is not None else (None, None)
    return [f"{write(keys, k, embedded=True)}:{write(values, item, embedded=True)}" for k, item in value.items()]


def _or_default(schema: Schema, value: Any) -> Any:
    return schema.default if value is None else value


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _moment(value: "dt.date | dt.time") -> str:
    """Connect looks at the instant, not at its schema: the first day is a time, midnights are dates."""
    if isinstance(value, dt.time):
        moment = dt.datetime.combine(_EPOCH.date(), value, dt.UTC)
    elif isinstance(value, dt.datetime):
        moment = value.astimezone(dt.UTC) if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
    else:
        moment = dt.datetime.combine(value, dt.time(), dt.UTC)
    since = (moment - _EPOCH) // _MILLISECOND
    clock = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    if since < _DAY:
        return clock
    day = f"{moment.year:04d}-{moment:%m-%d}"
    return day if since % _DAY == 0 else f"{day}T{clock}"


# Reading


class Found(NamedTuple):
    """A value and its schema; null has neither."""

    schema: Schema | None
    value: Any


_NULL: Final = Found(None, None)


def infer(text: str) -> Found:
    """What *text* is; at the least, a string."""
    if not text:
        return Found(STRING, "")
    return _Inference(text).value(embedded=False)


class _NotThis(Exception):
    """What looked like a list, a map or an embedded value is none."""


_TOKEN: Final = re.compile(r'(?:\\.|[^:,{}\[\]"\\])+\\?|\\\Z|[:,{}\[\]"]', re.DOTALL)


class _Tokens:
    """A text's tokens, with a place that can be kept and gone back to."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(text)
        self.at = 0

    def more(self) -> bool:
        return self.at < len(self.tokens)

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def accept(self, expected: str) -> bool:
        """Step over *expected*, and over blank tokens in front of it; else stay."""
        at = self.at
        while at < len(self.tokens) - 1 and _blank(self.tokens[at]):
            at += 1
        if at < len(self.tokens) and _trim(self.tokens[at]) == expected:
            self.at = at + 1
            return True
        return False


def _blank(text: str) -> bool:
    return not text.strip()


def _trim(text: str) -> str:
    return text.strip("".join(map(chr, range(33))))


class _Inference:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _Tokens(text)

    def value(self, *, embedded: bool) -> Found:
        tokens = self._tokens
        if not tokens.more():
            return _NULL
        if embedded and tokens.accept('"'):
            return self._string()
        for literal, found in _LITERALS:
            if self._alone(literal, embedded=embedded):
                return found
        start = tokens.at
        try:
            if tokens.accept("["):
                return self._list()
            if tokens.accept("{"):
                return self._map()
        except _NotThis:
            tokens.at = start
        token = tokens.next()
        while not _trim(token) and embedded and tokens.more():
            token = tokens.next()
        if _blank(token):
            if embedded:
                raise _NotThis
            return Found(STRING, self._text)
        return self._scalar(_trim(token), embedded=embedded)

    def _alone(self, literal: str, *, embedded: bool) -> bool:
        start = self._tokens.at
        if self._tokens.accept(literal) and (embedded or not self._tokens.more()):
            return True
        self._tokens.at = start
        return False

    def _scalar(self, token: str, *, embedded: bool) -> Found:
        found: Found | None = None
        if token[:1].isdigit():
            found = self._moment(token)
        if found is None and (token[:1].isdigit() or token[:1] in ("+", "-")):
            found = _number(token)
        if found is not None:
            return found
        if embedded:
            raise _NotThis
        return Found(STRING, self._text)

    def _moment(self, token: str) -> Found | None:
        tokens = self._tokens
        rest = tokens.tokens[tokens.at : tokens.at + 4]
        if len(rest) == 4:  # unescaped colons have cut a time into five
            found = _moment_of(token + "".join(rest))
            if found is not None:
                tokens.at += 4
                return found
        return _moment_of(token)

    def _string(self) -> Found:
        tokens = self._tokens
        content: list[str] = []
        while tokens.more() and not tokens.accept('"'):
            content.append(tokens.next())
        text = "".join(content)
        return _moment_of(text) or Found(STRING, text)

    def _list(self) -> Found:
        tokens = self._tokens
        elements = _Merged()
        items: list[Found] = []
        while tokens.more():
            if tokens.accept("]"):
                schema = elements.schema()
                return Found(array(schema), [_aligned(schema, item) for item in items])
            if tokens.accept(","):
                raise _NotThis
            item = self.value(embedded=True)
            elements.add(item)
            items.append(item)
            start = tokens.at
            if tokens.accept("]"):
                tokens.at = start
            elif not tokens.accept(","):
                raise _NotThis
        raise _NotThis

    def _map(self) -> Found:
        tokens = self._tokens
        keys, values = _Merged(), _Merged()
        entries: list[tuple[Found, Found]] = []
        while tokens.more():
            if tokens.accept("}"):
                key_schema, value_schema = keys.schema(), values.schema()
                made: dict[Any, Any] = {}
                for key, item in entries:
                    try:
                        made[_aligned(key_schema, key)] = _aligned(value_schema, item)
                    except TypeError:
                        raise _NotThis from None  # a key Python cannot hash: a list or a map
                return Found(map_of(key_schema, value_schema), made)
            if tokens.accept(","):
                raise _NotThis
            key = self.value(embedded=True)
            if key.value is None or not tokens.accept(":"):
                raise _NotThis
            item = self.value(embedded=True)
            entries.append((key, item))
            keys.add(key)
            values.add(item)
            tokens.accept(",")
        raise _NotThis


_LITERALS: Final = (("null", _NULL), ("true", Found(BOOLEAN, True)), ("false", Found(BOOLEAN, False)))


class _Merged:
    """The one schema that several values have, or none."""

    _order: Final = (
        SchemaType.INT8,
        SchemaType.INT16,
        SchemaType.INT32,
        SchemaType.INT64,
        SchemaType.FLOAT32,
        SchemaType.FLOAT64,
    )

    def __init__(self) -> None:
        self._schema: Schema | None = None
        self._common = True

    def add(self, found: Found) -> None:
        if found.schema is None or not self._common:
            return
        if self._schema is None:
            self._schema = found.schema
            return
        had, new = self._schema, found.schema
        if had.type is not new.type and had.type in self._order and new.type in self._order:
            self._schema = max(had, new, key=lambda schema: self._order.index(schema.type))
        elif had != new:
            self._common = False

    def schema(self) -> Schema | None:
        return self._schema if self._common else None


def _aligned(schema: Schema | None, found: Found) -> Any:
    value = found.value
    if schema is not None and value is None:
        raise _NotThis  # Connect has no list of numbers with a hole in it
    other = found.schema
    if schema is not None and other is not None and other != schema and (schema.name or other.name):
        raise _NotThis  # a date among numbers is none of them
    if schema is not None and type(value) is int and schema.type in (SchemaType.FLOAT32, SchemaType.FLOAT64):
        return _single(value) if schema.type is SchemaType.FLOAT32 else float(value)
    return value


def _single(value: "int | Decimal | float") -> float:
    try:
        return float(layouts.unpack("f", layouts.pack("f", float(value)))[0])
    except OverflowError:
        return math.inf if value > 0 else -math.inf


_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,10})?\Z")
_WHOLE: Final = ((INT8, 2**7), (INT16, 2**15), (INT32, 2**31), (INT64, 2**63))
_MOST_DIGITS: Final = 1_000


def _number(token: str) -> Found | None:
    if not _NUMBER.match(token):
        return None
    try:
        number = Decimal(token)
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if number.adjusted() < 19 and exponent > -_MOST_DIGITS and number == number.to_integral_value():
        whole = int(number)
        for schema, limit in _WHOLE:
            if -limit <= whole < limit:
                return Found(schema, whole)
    if exponent != 0:
        single = _single(number)
        if math.isfinite(single):
            return Found(FLOAT32, single)
        double = float(number)
        if math.isfinite(double):
            return Found(FLOAT64, double)
    return Found(decimal(-exponent), number)


_TIME_OF_DAY: Final = r"\s*(\d+):\s*(-?\d+):\s*(-?\d+)\.\s*(-?\d+)Z"
_MOMENTS: Final[dict[int, tuple[Schema, re.Pattern[str]]]] = {
    13: (TIME, re.compile(_TIME_OF_DAY)),
    24: (TIMESTAMP, re.compile(r"\s*(\d+)-\s*(-?\d+)-\s*(-?\d+)T" + _TIME_OF_DAY)),
    10: (DATE, re.compile(r"\s*(\d+)-\s*(-?\d+)-\s*(-?\d+)")),
}


def _moment_of(token: str) -> Found | None:
    """A date, time or timestamp, told by its length; months and days beyond the calendar count on, as in Java."""
    token = token.replace("\\:", ":")
    kind = _MOMENTS.get(len(token))
    if kind is None:
        return None
    schema, pattern = kind
    match = pattern.match(token)
    if match is None:
        return None
    parts = [int(group) for group in match.groups()]
    try:
        if schema is TIME:
            return Found(TIME, (_EPOCH + _since_midnight(parts)).time())
        day = _day(*parts[:3])
        if schema is DATE:
            return Found(DATE, day)
        return Found(TIMESTAMP, dt.datetime.combine(day, dt.time(), dt.UTC) + _since_midnight(parts[3:]))
    except (OverflowError, ValueError):
        return None  # outside the years that Python knows


def _since_midnight(parts: list[int]) -> dt.timedelta:
    hours, minutes, seconds, milliseconds = parts
    return dt.timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)


def _day(year: int, month: int, day: int) -> dt.date:
    years, months = divmod(month - 1, 12)
    return dt.date(year + years, months + 1, 1) + dt.timedelta(days=day - 1)


__all__: Final = ["Found", "infer", "write"]

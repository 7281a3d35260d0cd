"""Schemas, values and records as hypothesis makes them: everything the data model allows, odd corners first."""

import datetime as dt
import struct as layouts
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from runtime.data import (
    BOOLEAN,
    BYTES,
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
    Header,
    Headers,
    Schema,
    SchemaType,
    SinkRecord,
    SourceRecord,
    array,
    decimal,
    map_of,
    struct,
)
from runtime.data.schema import DATE_NAME, DECIMAL_NAME, TIME_NAME, TIMESTAMP_NAME

NAMES = st.sampled_from(["id", "name", "a", "b", "ünï", "payload", "schema", "a.b", "x y"])
TEXTS = st.one_of(
    st.sampled_from(
        ["", "a", "é", "😀", "\x00", "\x1f", '"', "\\", "\\u0041", "/", "\u2028", "null", "1", ',"payload":']
    ),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=6),
)
_WIDTHS = {SchemaType.INT8: 7, SchemaType.INT16: 15, SchemaType.INT32: 31, SchemaType.INT64: 63}

# Doubles of few digits: JDKs before 19 print some others in more digits than they need.
DOUBLES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1e7, 9999999.5, 1e-3, 9.5e-4, 1e10, -1e10, 1e100, 1.5e-7, float("nan")]),
    st.sampled_from([float("inf"), float("-inf"), 123456.789]),
    st.integers(-(10**9), 10**9).map(lambda n: n / 64),
)
SINGLES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1e7, 1e10, float("nan"), float("inf"), float("-inf")]),
    st.integers(-(10**5), 10**5).map(lambda n: n / 8),
    st.sampled_from([0.1, 3.14, 1e-4, 16777216.0]),
).map(lambda x: layouts.unpack("f", layouts.pack("f", x))[0])


def _plain(schema: Schema) -> st.SearchStrategy[Any]:
    match schema.name:
        case n if n == DECIMAL_NAME:
            scale = int((schema.parameters or {})["scale"])
            return st.integers(-(10**20), 10**20).map(lambda n: Decimal(n).scaleb(-scale))
        case n if n == DATE_NAME:
            return st.dates()
        case n if n == TIME_NAME:
            return st.integers(0, 86_399_999).map(
                lambda ms: (dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=ms)).time()
            )
        case n if n == TIMESTAMP_NAME:
            return st.integers(-(10**13), 10**14).map(
                lambda ms: dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)
            )
    match schema.type:
        case SchemaType.STRING:
            return TEXTS
        case SchemaType.BOOLEAN:
            return st.booleans()
        case SchemaType.FLOAT64:
            return DOUBLES
        case SchemaType.FLOAT32:
            return SINGLES
        case SchemaType.BYTES:
            return st.binary(max_size=5)
        case SchemaType.ARRAY:
            assert schema.value_schema is not None
            return st.lists(values(schema.value_schema), max_size=3)
        case SchemaType.MAP:
            assert schema.key_schema is not None
            assert schema.value_schema is not None
            return st.dictionaries(values(schema.key_schema), values(schema.value_schema), max_size=3)
        case SchemaType.STRUCT:
            fields = schema.fields or {}
            return st.fixed_dictionaries({name: values(field.schema) for name, field in fields.items()}).map(
                lambda made: {name: made[name] for name in fields}  # in the schema's order, as structs are
            )
        case _:
            bits = _WIDTHS[schema.type]
            return st.integers(-(2**bits), 2**bits - 1)


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that fit *schema*; null where it may be."""
    plain = _plain(schema)
    return st.one_of(st.none(), plain, plain) if schema.optional else plain


@st.composite
def _optional(draw: st.DrawFn, schema: Schema) -> Schema:
    made = schema
    if draw(st.booleans()):
        made = made.but(optional=True)
    if draw(st.integers(0, 4)) == 0:
        made = made.but(default=draw(_plain(schema)))
    return made


SCALARS = st.sampled_from(
    [STRING, INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, BYTES, decimal(2), DATE, TIME, TIMESTAMP]
).flatmap(_optional)


@st.composite
def _structs(draw: st.DrawFn, fields: st.SearchStrategy[Schema]) -> Schema:
    made = struct(
        draw(st.dictionaries(NAMES, fields, min_size=1, max_size=4)),
        name=draw(st.sampled_from([None, "com.example.Thing"])),
        version=draw(st.sampled_from([None, 2])),
        doc=draw(st.sampled_from([None, 'a "doc" with ,"payload": in it'])),
    )
    return made.but(optional=True) if draw(st.booleans()) else made


def _composed(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    keys = st.sampled_from([STRING, INT32])
    return st.one_of(
        _structs(inner),
        inner.map(array),
        st.tuples(keys, inner).map(lambda pair: map_of(*pair)),
    )


SCHEMAS: st.SearchStrategy[Schema] = st.recursive(SCALARS, _composed, max_leaves=5)
STRUCTS: st.SearchStrategy[Schema] = _structs(st.one_of(SCALARS, SCALARS, SCALARS.map(array)))

FREE: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), DOUBLES, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
FREE_MAPS = st.dictionaries(NAMES, FREE, max_size=4)

TOPICS = st.sampled_from(["orders", "orders-2", "t"])
TIMESTAMPS = st.one_of(st.none(), st.sampled_from([0, 1_700_000_000_000]), st.integers(0, 10**13))
HEADERS = st.lists(st.tuples(NAMES, TEXTS), max_size=2).map(
    lambda pairs: Headers(Header(key, value, STRING) for key, value in pairs)
)


@st.composite
def records(
    draw: st.DrawFn, schema: Schema | None, value: st.SearchStrategy[Any], *, key: bool = False, sink: bool = False
) -> SourceRecord | SinkRecord:
    """Records whose value (or key) is one of *value*, of *schema*."""
    shared: dict[str, Any] = {
        "topic": draw(TOPICS),
        "partition": draw(st.one_of(st.none(), st.integers(0, 3))),
        "timestamp": draw(TIMESTAMPS),
        "headers": draw(HEADERS),
        ("key_schema" if key else "value_schema"): schema,
        ("key" if key else "value"): draw(value),
    }
    if sink:
        shared["partition"] = shared["partition"] or 0
        offset = draw(st.integers(0, 2**40))
        return SinkRecord(
            **shared,
            offset=offset,
            original_topic=shared["topic"],
            original_partition=shared["partition"],
            original_offset=offset,
        )
    return SourceRecord(**shared)

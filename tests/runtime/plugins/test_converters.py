"""The converters beside JSON: strings, bytes, numbers, headers."""

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.data import (
    BOOLEAN,
    BYTES,
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    OPTIONAL_BYTES,
    OPTIONAL_STRING,
    STRING,
    TIMESTAMP,
    Column,
    Computed,
    Constant,
    DataError,
    Header,
    Schema,
    array,
    struct,
)
from runtime.data.batch import values as column_values
from runtime.plugins.converters.numbers import (
    BooleanConverter,
    DoubleConverter,
    FloatConverter,
    IntegerConverter,
    LongConverter,
    ShortConverter,
)
from runtime.plugins.converters.raw import ByteArrayConverter
from runtime.plugins.converters.simple_header import SimpleHeaderConverter
from runtime.plugins.converters.text import StringConverter
from runtime.sdk import ConfigError, Converter

T = Constant("t")


def as_bytes(item: bytes | str | None) -> bytes | None:
    return item.encode() if isinstance(item, str) else item


def agree(converter: Converter, schema: Schema | None, column: list[Any]) -> None:
    """Batch form and record form, there and back."""
    written = [as_bytes(converter.from_connect("t", schema, value)) for value in column]
    for schemas in (Constant(schema), [schema] * len(column)):
        for given_column in (column, Computed(len(column), column.__getitem__)):
            batch: Column[Any] = given_column
            got = converter.from_connect_batch(len(column), T, schemas, batch)
            assert written == [as_bytes(item) for item in column_values(got, len(column))]
    pairs = [converter.to_connect("t", item) for item in written]
    back_schemas, back = converter.to_connect_batch(len(column), T, written)
    assert repr([value for _, value in pairs]) == repr(list(column_values(back, len(column))))
    assert [found for found, _ in pairs] == list(column_values(back_schemas, len(column)))


# StringConverter


@given(st.lists(st.one_of(st.none(), st.text(), st.integers(), st.booleans(), st.floats()), min_size=1, max_size=5))
def test_strings_batch_and_record_agree(column: list[Any]) -> None:
    agree(StringConverter(), None, column)


def test_strings_have_the_text_form_of_anything() -> None:
    schema = struct({"a": INT32, "b": OPTIONAL_STRING, "c": array(FLOAT64)})
    text = StringConverter().from_connect("t", schema, {"a": 1, "b": None, "c": [1.0, 1e10]})
    assert "Struct{a=1,c=[1.0, 1.0E10]}" == text
    assert (OPTIONAL_STRING, "é") == StringConverter().to_connect("t", "é".encode())


def test_strings_in_other_encodings() -> None:
    latin = StringConverter()
    latin.configure({"converter.encoding": "ISO-8859-1"}, is_key=False)
    assert b"\xe9?" == latin.from_connect("t", STRING, "é😀")
    assert [b"\xe9", b"a", None] == latin.from_connect_batch(3, T, Constant(STRING), ["é", "a", None])
    assert (OPTIONAL_STRING, "é") == latin.to_connect("t", b"\xe9")
    with pytest.raises(ConfigError, match=r"converter\.encoding"):
        latin.configure({"converter.encoding": "EBCDIC-of-old"}, is_key=False)


def test_strings_never_fail_on_bytes_that_are_none() -> None:
    assert (OPTIONAL_STRING, "a\ufffd") == StringConverter().to_connect("t", b"a\xff")
    assert ["a\ufffd", None] == StringConverter().to_connect_batch(2, T, [b"a\xff", None])[1]


# ByteArrayConverter


@given(st.lists(st.one_of(st.none(), st.binary()), min_size=1, max_size=5))
def test_bytes_batch_and_record_agree(column: list[Any]) -> None:
    agree(ByteArrayConverter(), BYTES, column)


def test_bytes_take_nothing_else() -> None:
    with pytest.raises(DataError, match="Invalid schema type for ByteArrayConverter: STRING"):
        ByteArrayConverter().from_connect("t", STRING, b"")
    with pytest.raises(DataError, match="not compatible"):
        ByteArrayConverter().from_connect_batch(2, T, Constant(None), [b"", "x"])
    assert b"ab" == ByteArrayConverter().from_connect("t", BYTES, bytearray(b"ab"))
    assert (OPTIONAL_BYTES, b"ab") == ByteArrayConverter().to_connect("t", b"ab")


# Numbers


@pytest.mark.parametrize(
    ("converter", "schema", "value", "data"),
    [
        (ShortConverter(), INT16, -2, b"\xff\xfe"),
        (IntegerConverter(), INT32, 1, b"\x00\x00\x00\x01"),
        (LongConverter(), INT64, 1, b"\x00" * 7 + b"\x01"),
        (FloatConverter(), FLOAT32, 1.5, b"\x3f\xc0\x00\x00"),
        (DoubleConverter(), FLOAT64, 1.5, b"\x3f\xf8" + b"\x00" * 6),
        (BooleanConverter(), BOOLEAN, True, b"\x01"),
        (BooleanConverter(), BOOLEAN, False, b"\x00"),
    ],
)
def test_numbers_are_big_endian(converter: Converter, schema: Schema, value: Any, data: bytes) -> None:
    assert data == converter.from_connect("t", schema, value)
    assert (schema.but(optional=True), value) == converter.to_connect("t", data)
    agree(converter, schema, [value, None, value])
    agree(converter, schema, [value, value])
    with pytest.raises(DataError):
        converter.to_connect("t", data + b"\x00")
    with pytest.raises(DataError):
        converter.to_connect_batch(2, T, [data, b""])
    with pytest.raises(DataError):
        converter.from_connect("t", STRING, "x")
    with pytest.raises(DataError):
        converter.from_connect_batch(2, T, Constant(None), [value, "x"])


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(DataError, match="out of range"):
        ShortConverter().from_connect("t", INT16, 2**15)
    with pytest.raises(DataError, match="out of range"):
        LongConverter().from_connect_batch(2, T, Constant(INT64), [1, 2**63])
    assert b"\x7f\x80\x00\x00" == FloatConverter().from_connect("t", FLOAT32, 1e300)


def test_a_truth_value_is_one_or_zero() -> None:
    with pytest.raises(DataError, match="Unexpected byte"):
        BooleanConverter().to_connect("t", b"\x02")


# SimpleHeaderConverter: the table of contract 7.6, which was made by running Connect


def infer(text: str) -> tuple[Schema | None, Any]:
    header = SimpleHeaderConverter().to_connect_header("t", "h", text.encode())
    return header.schema, header.value


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("1,2", INT8, 1),
        ("12:34", INT8, 12),
        ("1.5,x", FLOAT32, 1.5),
        ("[1]abc", array(INT8), [1]),
        ("true,", STRING, "true,"),
        ("abc", STRING, "abc"),
        ("a,b", STRING, "a,b"),
        ("  5 ", INT8, 5),
        ("+5", INT8, 5),
        ("-0.5", FLOAT32, -0.5),
        ("1e3", INT16, 1000),
        ("NaN", STRING, "NaN"),
        ("0x10", STRING, "0x10"),
        ("007", INT8, 7),
        ("12abc", STRING, "12abc"),
        ("1_000", STRING, "1_000"),
        ("12.", INT8, 12),
        ("12.5.6", STRING, "12.5.6"),
        ("2019-08-23T14:34:54.346Z", TIMESTAMP, dt.datetime(2019, 8, 23, 14, 34, 54, 346000, tzinfo=dt.UTC)),
        ("2019-08-23abc", STRING, "2019-08-23abc"),
        ('"quoted"', STRING, '"quoted"'),
        ("[1,null]", STRING, "[1,null]"),
        ("[a,b]", STRING, "[a,b]"),
        ("[1,2.5]", array(FLOAT32), [1.0, 2.5]),
        ("[1,300,70000]", array(INT32), [1, 300, 70000]),
        ("[]", array(None), []),
        ("[1,,2]", STRING, "[1,,2]"),
        ("[,1]", STRING, "[,1]"),
        ("[1,]", array(INT8), [1]),
        ("{k:v}", STRING, "{k:v}"),
        ('{"a":}', STRING, '{"a":}'),
        ("[true,1]", array(None), [True, 1]),
        ("null", None, None),
        ("nullx", STRING, "nullx"),
        ("-128", INT8, -128),
        ("-129", INT16, -129),
        ("100000", INT32, 100000),
        ("", STRING, ""),
        ("true", BOOLEAN, True),
    ],
)
def test_headers_are_read_as_what_they_look_like(text: str, schema: Schema | None, value: Any) -> None:
    assert (schema, value) == infer(text)


def test_headers_read_maps_dates_and_great_numbers() -> None:
    assert {"k": "v"} == infer('{"k":"v"}')[1]
    assert {"a": 'x\\"y'} == infer('{"a":"x\\"y"}')[1]
    assert {3: 4} == infer("{3:4}")[1]
    assert dt.date(2020, 2, 14) == infer("2019-13-45")[1]
    assert dt.time(14, 34, 54, 346000) == infer("14:34:54.346Z")[1] == infer(r"14\:34\:54.346Z")[1]
    assert Decimal("9223372036854775808") == infer("9223372036854775808")[1]
    assert Decimal("1E400") == infer("1E400")[1]
    assert math.isclose(3.4028235e39, infer("3.4028235E39")[1])


@pytest.mark.parametrize(
    ("schema", "value", "text"),
    [
        (None, [1, 'a"b', None, b"\x01\x02"], r'[1,"a\"b",null,"AQI="]'),
        (None, {"k": 1.0, 2: True}, '{"k":1.0,2:true}'),
        (BYTES, b"\x01\x02\x03", "AQID"),
        (FLOAT64, 1e10, "1.0E10"),
        (FLOAT32, 1e8, "1.0E8"),
        (STRING, 'as "is"', 'as "is"'),
        (INT8, 5, "5"),
        (struct({"f": STRING, "g": OPTIONAL_STRING}), {"f": "x", "g": None}, '{"f":"x","g":null}'),
        (None, dt.datetime(2020, 1, 2, 3, 4, 5, 6000, tzinfo=dt.UTC), "2020-01-02T03:04:05.006Z"),
        (None, dt.date(2020, 1, 2), "2020-01-02"),
        (None, dt.time(3, 4, 5), "03:04:05.000Z"),
    ],
)
def test_headers_are_written_as_text(schema: Schema | None, value: Any, text: str) -> None:
    assert text.encode() == SimpleHeaderConverter().from_connect_header("t", Header("h", value, schema))


@given(st.binary(max_size=40))
def test_headers_never_fail_to_be_read(data: bytes) -> None:
    SimpleHeaderConverter().to_connect_header("t", "h", data)


@given(st.text(alphabet='[]{}:,"\\ 0123456789.+-eEtruefalsnTZ', max_size=40))
def test_headers_like_lists_and_maps_never_fail(text: str) -> None:
    infer(text)


def test_headers_nested_too_deeply_are_bytes() -> None:
    assert infer("[" * 50_000)[1] in (b"[" * 50_000, "[" * 50_000)

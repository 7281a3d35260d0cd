"""JsonConverter: what it writes and reads, and that batches and records come to the same."""

import datetime as dt
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.data import (
    FLOAT64,
    INT32,
    INT64,
    OPTIONAL_STRING,
    STRING,
    TIMESTAMP,
    Constant,
    DataError,
    Schema,
    array,
    decimal,
    map_of,
    struct,
)
from runtime.data.batch import values as column_values
from runtime.plugins.converters.json_converter import JsonConverter
from runtime.sdk import ConfigError
from tests.samples import FREE, SCHEMAS, STRUCTS, values

T = Constant("topic")
ORDER = struct({"id": INT32, "note": OPTIONAL_STRING}, name="X")


def converter(**settings: str) -> JsonConverter:
    made = JsonConverter()
    made.configure({key.replace("_", "."): value for key, value in settings.items()})
    return made


def as_bytes(item: bytes | str | None) -> bytes | None:
    return item.encode() if isinstance(item, str) else item


def same(left: Any, right: Any) -> bool:
    return repr(left) == repr(right)  # tells 1 from 1.0 and from True, and nan is nan


# Writing


def test_envelope() -> None:
    """The schema stands beside the value, in Connect's order of keys."""
    expected = (
        b'{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},'
        b'{"type":"string","optional":true,"field":"note"}],"optional":false,"name":"X"},'
        b'"payload":{"id":1,"note":null}}'
    )
    assert expected == converter().from_connect("t", ORDER, {"id": 1, "note": None})


@pytest.mark.parametrize("enabled", ["true", "false"])
def test_tombstone(enabled: str) -> None:
    """No schema and no value is no bytes, with schemas or without."""
    assert converter(schemas_enable=enabled).from_connect("t", None, None) is None
    assert converter(schemas_enable=enabled).to_connect("t", None) == (None, None)


def test_null_with_a_schema_is_no_tombstone() -> None:
    assert b'{"schema":{"type":"string","optional":true},"payload":null}' == converter().from_connect(
        "t", OPTIONAL_STRING, None
    )
    assert b"null" == converter(schemas_enable="false").from_connect("t", OPTIONAL_STRING, None)


def test_decimals_as_base64_and_as_numbers() -> None:
    price = Decimal("1.56")
    assert b'"AJw="' == converter(schemas_enable="false").from_connect("t", decimal(2), price)
    numeric = converter(schemas_enable="false", decimal_format="numeric")
    assert b"1.50" == numeric.from_connect("t", decimal(2), Decimal("1.50"))
    with pytest.raises(DataError, match="mismatching scale"):
        converter().from_connect("t", decimal(3), price)


def test_maps_without_string_keys_are_pairs() -> None:
    plain = converter(schemas_enable="false")
    assert b"[[1,2]]" == plain.from_connect("t", map_of(INT32, INT32), {1: 2})
    assert b'[[1,2],["a",3]]' == plain.from_connect("t", None, {1: 2, "a": 3})


def test_defaults_stand_in_for_null() -> None:
    schema = struct({"n": INT32.but(optional=True, default=7)})
    assert b'{"n":7}' == converter(schemas_enable="false").from_connect("t", schema, {"n": None})
    keep = converter(schemas_enable="false", replace_null_with_default="false")
    assert b'{"n":null}' == keep.from_connect("t", schema, {"n": None})


@pytest.mark.parametrize(
    ("schema", "value", "says"),
    [
        (INT32, "x", "Invalid type for INT32"),
        (INT32, True, "Invalid type for INT32"),
        (INT32, 2**31, "out of range"),
        (STRING, 1, "Invalid type for STRING"),
        (STRING, None, "null value for field that is required"),
        (ORDER, {"id": 1, "other": 2}, "Mismatching schema"),
        (ORDER, [1], "Invalid type for STRUCT"),
        (array(INT32), {}, "Invalid type for ARRAY"),
        (None, object(), "does not have corresponding schema type"),
        (None, {"at": dt.date(2020, 1, 1)}, "does not have corresponding schema type"),
        (STRING, "\ud800", "serialization error"),
    ],
)
def test_what_does_not_fit_is_refused(schema: Schema | None, value: Any, says: str) -> None:
    """A wrong value is a DataError in both forms, also between good ones."""
    with pytest.raises(DataError, match=says):
        converter().from_connect("t", schema, value)
    with pytest.raises(DataError, match=says):
        converter().from_connect_batch(1, T, Constant(schema), [value])


# Reading


def test_reads_an_envelope_in_any_shape() -> None:
    """Order of keys and white space do not matter, nor whether the schema was seen before."""
    reader = converter()
    texts = [
        b'{"schema":{"type":"int32","optional":false},"payload":5}',
        b'{"payload":5,"schema":{"optional":false,"type":"int32"}}',
        b' { "schema" : {"type":"int32"}, "payload" : 5 } ',
        b'{"schema":{"type":"int32","optional":false},"payload":5}\n',
        b'{"schema":{"type":"int32","optional":false},"payload":5}',
        b'{"schema":{"type":"int32","optional":false},"payload":5}}',  # Connect stops at the end of the first value
    ]
    schemas, got = reader.to_connect_batch(len(texts), T, texts)
    assert [5] * len(texts) == got
    assert [INT32] * len(texts) == list(column_values(schemas, len(texts)))
    for text in texts:
        assert (INT32, 5) == reader.to_connect("t", text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"5",
        b'{"schema":null}',
        b'{"payload":1}',
        b'{"schema":null,"payload":1,"more":2}',
        b'{"schema":{"type":"int32"},"payload":1,"more":2}',
        b'{"schema":{"type":"int32","optional":false},"payload":1',
        b'{"schema":{"type":"int32","optional":false},"payload":}',
        b'{"schema":{"type":"int32","optional":false},"payload":null}',
        b'{"schema":{"type":"nope"},"payload":1}',
        b'{"schema":{},"payload":1}',
        b'{"schema":{"type":"array"},"payload":[]}',
        b'{"schema":{"type":"struct","fields":[{"type":"int32"}]},"payload":{}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_envelope_is_refused(text: bytes) -> None:
    """A broken record is a DataError in both forms, also behind one whose schema is known."""
    good = b'{"schema":{"type":"int32","optional":false},"payload":1}'
    reader = converter()
    with pytest.raises(DataError):
        reader.to_connect("t", text)
    with pytest.raises(DataError):
        reader.to_connect_batch(3, T, [good, text, good])


def test_reads_what_connect_reads() -> None:
    """Leading zeros, text behind the value, and the silent coercions of contract 16."""
    free = converter(schemas_enable="false")
    assert (None, 7) == free.to_connect("t", b"007")
    assert (None, 1) == free.to_connect("t", b"1 2")
    assert (None, {"a": [1, 2.5, None, True]}) == free.to_connect("t", b'{"a":[1,2.5,null,true]}')
    assert (None, None) == free.to_connect("t", b"")

    def read(kind: str, payload: str) -> Any:
        text = f'{{"schema":{{"type":"{kind}","optional":true}},"payload":{payload}}}'
        return converter().to_connect("t", text.encode())[1]

    assert 0 == read("int32", '"x"')
    assert -1 == read("int8", "255")
    assert read("string", "5") is None
    assert read("boolean", '"true"') is False


def test_decimals_keep_their_digits() -> None:
    schema = b'{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}}'
    text = b'{"schema":' + schema + b',"payload":1.10}'
    reader = converter()
    assert Decimal("1.10").as_tuple() == reader.to_connect("t", text)[1].as_tuple()
    _, got = reader.to_connect_batch(2, T, [text, text])
    assert [Decimal("1.10").as_tuple()] * 2 == [value.as_tuple() for value in got]


def test_a_fixed_schema_needs_no_envelope() -> None:
    reader = converter(schema_content='{"type":"struct","fields":[{"field":"n","type":"int32"}]}')
    schema, value = reader.to_connect("t", b'{"n":3,"other":4}')
    assert {"n": 3} == value
    assert schema == struct({"n": INT32})
    with pytest.raises(ConfigError, match=r"schema\.content"):
        converter(schema_content='{"type":"nope"}')


def test_numbers_that_json_has_no_word_for_come_back() -> None:
    written = converter().from_connect("t", FLOAT64, float("inf"))
    assert written is not None
    assert (FLOAT64, float("inf")) == converter().to_connect("t", as_bytes(written))


def test_deep_nesting_is_refused_not_fatal() -> None:
    free = converter(schemas_enable="false")
    with pytest.raises(DataError):
        free.to_connect("t", b"[" * 10_000 + b"]" * 10_000)
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(DataError):
        free.from_connect("t", None, deep)


def test_schemas_change_inside_a_batch() -> None:
    """Each record keeps its own schema, whatever the one in front of it had."""
    one = converter()
    texts = [
        as_bytes(one.from_connect("t", schema, value))
        for schema, value in [(STRING, "a"), (ORDER, {"id": 1, "note": None}), (STRING, "b"), (None, None), (INT64, 4)]
    ]
    reader = converter()
    for _ in range(2):  # first learning, then knowing
        schemas, got = reader.to_connect_batch(5, T, texts)
        assert [STRING, ORDER, STRING, None, INT64] == list(column_values(schemas, 5))
        assert ["a", {"id": 1, "note": None}, "b", None, 4] == got


# Batches against records


def _written(one: JsonConverter, schema: Schema | None, column: list[Any]) -> list[bytes | None] | None:
    try:
        return [as_bytes(one.from_connect("t", schema, value)) for value in column]
    except DataError:
        return None


@settings(deadline=None, max_examples=150)
@given(st.data(), st.sampled_from(["true", "false"]), st.one_of(SCHEMAS, STRUCTS))
def test_batches_write_and_read_what_records_do(data: st.DataObject, enabled: str, schema: Schema) -> None:
    """The promise of the batch form: the same bytes, the same values."""
    column = data.draw(st.lists(values(schema), min_size=1, max_size=6))
    one, many = converter(schemas_enable=enabled), converter(schemas_enable=enabled)
    expected = _written(one, schema, column)
    if expected is None:
        with pytest.raises(DataError):
            many.from_connect_batch(len(column), T, Constant(schema), column)
        return
    got = many.from_connect_batch(len(column), T, Constant(schema), column)
    assert expected == [as_bytes(item) for item in column_values(got, len(column))]
    for _ in range(2):
        pairs = [one.to_connect("t", text) for text in expected]
        schemas, back = many.to_connect_batch(len(column), T, expected)
        assert same([value for _, value in pairs], list(column_values(back, len(column))))
        assert [schema for schema, _ in pairs] == list(column_values(schemas, len(column)))


@settings(deadline=None, max_examples=100)
@given(st.lists(FREE, min_size=1, max_size=5), st.sampled_from(["true", "false"]))
def test_batches_without_schema_too(column: list[Any], enabled: str) -> None:
    one, many = converter(schemas_enable=enabled), converter(schemas_enable=enabled)
    expected = [as_bytes(one.from_connect("t", None, value)) for value in column]
    assert expected == many.from_connect_batch(len(column), T, Constant(None), column)
    _, back = many.to_connect_batch(len(column), T, expected)
    assert same([one.to_connect("t", text)[1] for text in expected], list(column_values(back, len(column))))


@settings(deadline=None, max_examples=200)
@given(st.data(), STRUCTS)
def test_damaged_records_are_refused_or_read_alike(data: st.DataObject, schema: Schema) -> None:
    """Bytes cut, doubled or exchanged: batch and record form say the same, and nothing else than DataError."""
    one, many = converter(), converter()
    texts = _written(one, schema, data.draw(st.lists(values(schema), min_size=2, max_size=3)))
    if texts is None or None in texts:
        return
    hurt = [bytearray(text or b"") for text in texts]
    many.to_connect_batch(1, T, [texts[0]])
    place = data.draw(st.integers(0, len(hurt[1]) - 1))
    match data.draw(st.sampled_from(["cut", "byte", "more"])):
        case "cut":
            del hurt[1][place:]
        case "byte":
            hurt[1][place] = data.draw(st.integers(0, 255))
        case _:
            hurt[1] += data.draw(st.sampled_from([b"}", b" ", b"1", b",", b"\x00"]))
    column = [bytes(text) for text in hurt]
    try:
        expected = [one.to_connect("t", text) for text in column]
    except DataError:
        with pytest.raises(DataError):
            many.to_connect_batch(len(column), T, column)
        return
    schemas, got = many.to_connect_batch(len(column), T, column)
    assert same([value for _, value in expected], list(column_values(got, len(column))))
    assert [schema for schema, _ in expected] == list(column_values(schemas, len(column)))


def test_the_payload_is_what_orjson_reads() -> None:
    """Other JSON readers agree with us about what we write."""
    written = converter().from_connect(
        "t", struct({"at": TIMESTAMP, "text": STRING}), {"at": dt.datetime(2020, 1, 2, tzinfo=dt.UTC), "text": "😀\x1f"}
    )
    assert {"at": 1577923200000, "text": "😀\x1f"} == orjson.loads(as_bytes(written) or b"")["payload"]

"""Schemas, and what fits them (contract 8)."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.data import (
    BYTES,
    DATE,
    FLOAT64,
    INT8,
    INT32,
    INT64,
    OPTIONAL_STRING,
    STRING,
    TIMESTAMP,
    DataError,
    Header,
    Headers,
    Schema,
    array,
    decimal,
    map_of,
    struct,
    text_of,
)
from tests.samples import SCHEMAS, values

ORDER = struct({"id": INT64, "note": OPTIONAL_STRING}, name="Order")


@given(st.data(), SCHEMAS)
def test_values_made_for_a_schema_fit_it(data: st.DataObject, schema: Schema) -> None:
    schema.validate(data.draw(values(schema)))


@pytest.mark.parametrize(
    ("schema", "value", "says"),
    [
        (INT32, None, "null used for required field: null, schema type: INT32"),
        (INT32, "x", "schema type INT32: builtins.str"),
        (INT32, True, "schema type INT32: builtins.bool"),
        (INT8, 128, "out of range"),
        (FLOAT64, 1, "schema type FLOAT64"),
        (STRING, b"", "schema type STRING"),
        (decimal(2), b"", "Decimal"),
        (DATE, 3, "Date"),
        (array(INT32), [1, None], "null used for required"),
        (map_of(STRING, INT32), {"a": "b"}, "INT32"),
        (array(None), [1], "No schema defined for element"),
        (ORDER, {"id": None, "note": "x"}, 'required field: "id"'),
        (ORDER, {"id": 1, "other": 1}, "other is not a valid field name"),
        (ORDER, {"id": 1, "note": 5}, 'for field: "note"'),
    ],
)
def test_what_does_not_fit(schema: Schema, value: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        schema.validate(value)


def test_a_missing_field_passes_where_it_has_a_default() -> None:
    struct({"n": INT32.but(default=3)}).validate({})


def test_equality_is_of_all_parts() -> None:
    assert struct({"id": INT64, "note": OPTIONAL_STRING}, name="Order") == ORDER
    assert hash(struct({"id": INT64, "note": OPTIONAL_STRING}, name="Order")) == hash(ORDER)
    for other in (
        ORDER.but(doc="x"),
        ORDER.but(version=1),
        ORDER.but(optional=True),
        struct({"note": OPTIONAL_STRING, "id": INT64}, name="Order"),
        ORDER.but(parameters={"a": "b"}),
    ):
        assert other != ORDER
    assert INT32.but(default=1) != INT32.but(default=2)


def test_variants_are_checked() -> None:
    with pytest.raises(DataError):
        INT32.but(default="x")
    with pytest.raises(TypeError, match="no colour"):
        INT32.but(colour="red")
    with pytest.raises(DataError, match="non-struct"):
        INT32.field("x")
    with pytest.raises(DataError, match="not a valid field name"):
        ORDER.field("x")


@pytest.mark.parametrize(
    ("schema", "value", "text"),
    [
        (None, None, "null"),
        (None, True, "true"),
        (FLOAT64, 1e7, "1.0E7"),
        (FLOAT64, 1e-3, "0.001"),
        (FLOAT64, 1.5e-4, "1.5E-4"),
        (FLOAT64, -0.0, "-0.0"),
        (BYTES, b"\x01", "AQ=="),
        (None, {"a": [1, None]}, "{a=[1, null]}"),
        (ORDER, {"id": 1, "note": None}, "Struct{id=1}"),
        (decimal(2), Decimal("1.50"), "1.50"),
        (TIMESTAMP, dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC), "Thu Jan 02 03:04:05 UTC 2020"),
    ],
)
def test_text_is_javas(schema: Schema | None, value: Any, text: str) -> None:
    assert text == text_of(schema, value)


def test_headers_are_an_ordered_multimap() -> None:
    headers = Headers().add("a", 1).add("b", 2).add("a", "x", STRING)
    assert [1, "x"] == [item.value for item in headers.all("a")]
    assert Header("a", "x", STRING) == headers.last("a")
    assert ["b"] == [item.key for item in headers.without(["a"])]
    assert [("b", 2), ("a", "x")] == [(item.key, item.value) for item in headers.latest()]
    assert headers.last("c") is None
    assert 2 == len(headers.apply(lambda item: item if item.key == "a" else None))
    with pytest.raises(DataError):
        headers.add("c", 1, STRING)

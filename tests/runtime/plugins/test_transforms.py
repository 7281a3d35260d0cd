"""Transforms and predicates: what they do (contract 7.1, 7.3), and that batches and records come to the same."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.data import (
    BOOLEAN,
    BYTES,
    INT32,
    INT64,
    OPTIONAL_STRING,
    STRING,
    TIMESTAMP,
    Constant,
    DataError,
    Header,
    Headers,
    Record,
    RecordBatch,
    Schema,
    SinkRecord,
    SourceRecord,
    array,
    decimal,
    map_of,
    struct,
)
from runtime.data.batch import values as column_values
from runtime.plugins.predicates.has_header_key import HasHeaderKey
from runtime.plugins.predicates.record_is_tombstone import RecordIsTombstone
from runtime.plugins.predicates.topic_name_matches import TopicNameMatches
from runtime.plugins.transforms import hoist_field, insert_field, mask_field, replace_field
from runtime.plugins.transforms.filter import Filter
from runtime.plugins.transforms.regex_router import RegexRouter
from runtime.sdk import ConfigError, Predicate, Transformation
from tests.samples import FREE, FREE_MAPS, NAMES, SCHEMAS, STRUCTS, records, values

PERSON = struct({"name": STRING, "age": INT32, "note": OPTIONAL_STRING}, name="Person", version=3)
ANN = {"name": "Ann", "age": 40, "note": None}


def made(kind: type[Transformation], **config: str) -> Any:
    one = kind()
    one.configure({key.replace("_", "."): value for key, value in config.items()})
    return one


def guard(kind: type[Predicate], **config: str) -> Any:
    one = kind()
    one.configure(config)
    return one


def source(value: Any, schema: Schema | None = None, **more: Any) -> SourceRecord:
    return SourceRecord(topic="orders", value=value, value_schema=schema, **more)


def sink(value: Any, schema: Schema | None = None, **more: Any) -> SinkRecord:
    return SinkRecord(topic="orders", partition=2, offset=17, value=value, value_schema=schema, **more)


# InsertField


def test_insert_field_with_a_schema() -> None:
    insert = made(
        insert_field.Value,
        topic_field="t!",
        partition_field="p",
        offset_field="o?",
        timestamp_field="at",
        static_field="s",
        static_value="v",
    )
    got = insert.apply(sink(ANN, PERSON, timestamp=1_000))
    at = dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC)
    assert {**ANN, "t": "orders", "p": 2, "o": 17, "at": at, "s": "v"} == got.value
    assert "Person" == got.value_schema.name
    assert STRING == got.value_schema.field("t")
    assert TIMESTAMP.but(optional=True) == got.value_schema.field("at")
    assert INT64.but(optional=True) == got.value_schema.field("o")


def test_insert_field_without_schema_leaves_out_what_there_is_not() -> None:
    insert = made(insert_field.Value, partition_field="p", timestamp_field="at", topic_field="t")
    assert {"a": 1, "t": "orders"} == insert.apply(source({"a": 1})).value
    assert {"a": 1, "t": "orders", "at": 5} == insert.apply(source({"a": 1}, timestamp=5)).value


def test_insert_field_has_its_limits() -> None:
    offset = made(insert_field.Value, offset_field="o")
    with pytest.raises(DataError, match="Only SinkRecord supported"):
        offset.apply(source({"a": 1}))
    with pytest.raises(DataError, match="Only Map objects supported"):
        offset.apply(sink("text"))
    with pytest.raises(DataError, match="Only Struct objects supported"):
        offset.apply(sink("text", STRING))
    with pytest.raises(DataError, match="duplication name"):
        made(insert_field.Value, topic_field="name").apply(source(ANN, PERSON))
    tombstone = sink(None, PERSON)
    assert tombstone == offset.apply(tombstone)
    with pytest.raises(ConfigError, match="No field insertion configured"):
        made(insert_field.Key)
    with pytest.raises(ConfigError, match="No value specified for static field: s"):
        made(insert_field.Key, static_field="s")


# HoistField


def test_hoist_field() -> None:
    hoist = made(hoist_field.Value, field="line")
    got = hoist.apply(source("x", STRING))
    assert {"line": "x"} == got.value
    assert struct({"line": STRING}) == got.value_schema
    assert {"line": None} == hoist.apply(source(None)).value
    with pytest.raises(DataError, match="null used for required field"):
        hoist.apply(source(None, STRING))


# ReplaceField


def test_replace_field() -> None:
    replace = made(replace_field.Value, exclude="note", renames="name:who,age:years")
    got = replace.apply(source(ANN, PERSON))
    assert {"who": "Ann", "years": 40} == got.value
    assert ["who", "years"] == list(got.value) == list(got.value_schema.fields)
    assert ("Person", 3) == (got.value_schema.name, got.value_schema.version)
    assert {"who": "Ann", 5: 6} == replace.apply(source({"name": "Ann", "note": 1, 5: 6})).value


def test_replace_field_includes_by_old_names() -> None:
    replace = made(replace_field.Value, include="name", renames="name:note")
    assert {"note": "Ann"} == replace.apply(source(ANN, PERSON)).value
    assert {"note": "Ann"} == replace.apply(source(ANN)).value
    swap = made(replace_field.Value, renames="name:note,note:name")
    assert {"note": "Ann", "age": 40, "name": None} == swap.apply(source(ANN, PERSON)).value


@pytest.mark.parametrize("renames", ["a", "a:", "a:b:c"])
def test_replace_field_refuses_bad_renames(renames: str) -> None:
    with pytest.raises(ConfigError, match="Invalid rename mapping"):
        made(replace_field.Value, renames=renames)


# MaskField


def test_mask_field_blanks() -> None:
    schema = struct({"s": STRING, "i": INT32, "b": BOOLEAN, "d": decimal(2), "l": array(STRING), "m": map_of(STRING, INT32), "at": TIMESTAMP, "n": OPTIONAL_STRING})  # fmt: skip  # noqa: E501
    value = {"s": "x", "i": 5, "b": True, "d": Decimal("1.50"), "l": ["x"], "m": {"a": 1}, "at": dt.datetime.now(dt.UTC), "n": None}  # fmt: skip  # noqa: E501
    mask = made(mask_field.Value, fields=",".join(value))
    got = mask.apply(source(value, schema))
    blank = {"s": "", "i": 0, "b": False, "d": Decimal("0.00"), "l": [], "m": {}, "at": dt.datetime(1970, 1, 1, tzinfo=dt.UTC), "n": None}  # fmt: skip  # noqa: E501
    assert repr(blank) == repr(got.value)
    assert schema is got.value_schema


def test_mask_field_replaces() -> None:
    mask = made(mask_field.Value, fields="name,age", replacement="42")
    assert {"name": "42", "age": 42, "note": None} == mask.apply(source(ANN, PERSON)).value
    assert {"name": "42", "age": 42, "note": None} == mask.apply(source(ANN)).value
    assert {"age": None, "name": None} == mask.apply(source({})).value
    with pytest.raises(DataError, match="Unable to convert x to a number"):
        made(mask_field.Value, fields="age", replacement="x").apply(source(ANN, PERSON))


def test_mask_field_has_its_limits() -> None:
    mask = made(mask_field.Value, fields="x")
    with pytest.raises(DataError, match="Cannot mask value of type"):
        mask.apply(source({"x": b"1"}, struct({"x": BYTES})))
    with pytest.raises(DataError, match="Only Map objects supported"):
        mask.apply(source(None))
    with pytest.raises(DataError, match="with custom replacement"):
        made(mask_field.Value, fields="x", replacement="1").apply(source({"x": True}))
    with pytest.raises(ConfigError, match="must not be empty"):
        made(mask_field.Value, fields="")


# RegexRouter


@pytest.mark.parametrize(
    ("regex", "replacement", "topic", "routed"),
    [
        (r"(.*)", "$1-x", "orders", "orders-x"),
        (r"(.*)-(\d{8})", "$1", "orders-20200101", "orders"),
        (r"(?<base>\w+)_raw", "${base}", "orders_raw", "orders"),
        (r"ord", "x", "orders", "orders"),
        (r"\Qa.b\E", "x", "a.b", "x"),
        (r"\p{Alpha}+", r"\$1", "orders", "$1"),
        (r"a|ab", "x", "ab", "xb"),
        (r"(a)(b)?", "$1$2", "a", "a"),
        (r"(a)", "$12", "a", "a2"),
    ],
)
def test_regex_router_speaks_java(regex: str, replacement: str, topic: str, routed: str) -> None:
    router = made(RegexRouter, regex=regex, replacement=replacement)
    assert routed == router.apply(source(1).but(topic=topic)).topic


def test_regex_router_complains() -> None:
    with pytest.raises(ConfigError, match="Invalid regex"):
        made(RegexRouter, regex="(", replacement="x")
    with pytest.raises(ConfigError, match="classes inside classes"):
        made(RegexRouter, regex="[a-z&&[^b]]", replacement="x")
    with pytest.raises(DataError, match="No group 3"):
        made(RegexRouter, regex="(.*)", replacement="$3").apply(source(1))


# Filter, predicates


def test_filter_drops() -> None:
    assert Filter().apply(source(1)) is None
    batch, kept = Filter().apply_batch(RecordBatch.of([sink(1), sink(2)]))
    assert (0, []) == (batch.count, kept)
    assert 0 == len(list(batch.rows()))


def test_predicates() -> None:
    headers = Headers([Header("h", 1), Header("g", 2)])
    assert guard(HasHeaderKey, name="h").test(source(1, headers=headers))
    assert not guard(HasHeaderKey, name="x").test(source(1, headers=headers))
    assert RecordIsTombstone().test(source(None))
    assert not RecordIsTombstone().test(source(0))
    assert guard(TopicNameMatches, pattern="ord.*").test(source(1))
    assert not guard(TopicNameMatches, pattern="ord").test(source(1))
    with pytest.raises(ConfigError, match="must be non-empty"):
        guard(HasHeaderKey, name="")


# Batches against records


def outcome(transform: Transformation, record: Record) -> Record | DataError | None:
    try:
        return transform.apply(record)
    except DataError as err:
        return err


def agree(transform: Transformation, rows: Sequence[Record]) -> None:
    """The batch form gives what the record form gives; where one record is bad, it raises DataError."""
    expected = [outcome(transform, row) for row in rows]
    batch = RecordBatch.of(rows)
    before = repr(list(batch.rows()))
    if any(isinstance(one, DataError) for one in expected):
        with pytest.raises(DataError):
            transform.apply_batch(batch)
    else:
        got, kept = transform.apply_batch(batch)
        assert repr([one for one in expected if one is not None]) == repr(list(got.rows()))
        assert [i for i, one in enumerate(expected) if one is not None] == (list(range(len(rows))) if kept is None else kept)  # fmt: skip  # noqa: E501
    assert before == repr(list(batch.rows())), "a transform must not change what it was given"


@st.composite
def batches(draw: st.DrawFn, *, key: bool) -> list[Record]:
    """Records of one schema, of several, or of none; with null among them, or what does not fit a transform."""
    side = draw(st.booleans())
    kinds: list[tuple[Schema | None, st.SearchStrategy[Any]]] = []
    for _ in range(draw(st.integers(1, 2))):
        match draw(st.integers(0, 4)):
            case 0:
                kinds.append((None, FREE_MAPS))
            case 1:
                schema = draw(SCHEMAS)
                kinds.append((schema, values(schema)))
            case 2:
                kinds.append((None, FREE))
            case _:
                schema = draw(STRUCTS)
                kinds.append((schema, values(schema)))
    out: list[Record] = []
    for _ in range(draw(st.integers(1, 5))):
        schema, strategy = draw(st.sampled_from(kinds))
        rare = draw(st.integers(0, 9)) == 0
        out.append(draw(records(schema, st.none() if rare else strategy, key=key, sink=side)))
    return out


CONFIGS: list[tuple[Any, st.SearchStrategy[dict[str, str]]]] = [
    (
        insert_field,
        st.fixed_dictionaries(
            {"topic_field": st.sampled_from(["t", "name", "t!"])},
            optional={
                "partition_field": st.just("p"),
                "offset_field": st.just("o"),
                "timestamp_field": st.just("at"),
                "static_field": st.just("s"),
                "replace_null_with_default": st.just("false"),
            },
        ).map(lambda config: {**config, "static_value": "v"}),
    ),
    (hoist_field, NAMES.map(lambda name: {"field": name})),
    (
        replace_field,
        st.fixed_dictionaries(
            {},
            optional={
                "include": st.sampled_from(["id,name", "a", ""]),
                "exclude": st.sampled_from(["id", "name,b", "nope"]),
                "renames": st.sampled_from(["id:x", "name:a", "a:b,b:a"]),
                "replace_null_with_default": st.just("false"),
            },
        ),
    ),
    (
        mask_field,
        st.fixed_dictionaries(
            {"fields": st.sampled_from(["id", "name,a", "b"])},
            optional={"replacement": st.sampled_from(["7", "x"]), "replace_null_with_default": st.just("false")},
        ),
    ),
]


@pytest.mark.parametrize("key", [False, True], ids=["Value", "Key"])
@pytest.mark.parametrize(("module", "configs"), CONFIGS, ids=lambda it: getattr(it, "__name__", "").split(".")[-1])
def test_batches_and_records_agree(module: Any, configs: st.SearchStrategy[dict[str, str]], key: bool) -> None:
    """The record form is the oracle of the batch form."""

    @settings(deadline=None, max_examples=150)
    @given(batches(key=key), configs)
    def check(rows: list[Record], config: dict[str, str]) -> None:
        agree(made(module.Key if key else module.Value, **config), rows)

    check()


@given(batches(key=False))
def test_router_and_predicates_agree(rows: list[Record]) -> None:
    agree(made(RegexRouter, regex="orders(.*)", replacement="o$1"), rows)
    agree(Filter(), rows)
    batch = RecordBatch.of(rows)
    for predicate in (
        guard(HasHeaderKey, name="id"),
        RecordIsTombstone(),
        guard(TopicNameMatches, pattern="orders.*"),
    ):
        assert [predicate.test(row) for row in rows] == list(column_values(predicate.test_batch(batch), len(rows)))


def test_a_rewritten_schema_is_one_object_for_all_batches() -> None:
    """Converters know schemas by identity: a transform that made a new one per batch would cost them their memory."""
    insert = made(insert_field.Value, topic_field="t")
    first, _ = insert.apply_batch(RecordBatch(count=1, topic=Constant("a"), value_schema=Constant(PERSON), value=[ANN]))
    again, _ = insert.apply_batch(
        RecordBatch(count=1, topic=Constant("b"), value_schema=Constant(PERSON.but(version=3)), value=[ANN])
    )
    assert first.value_schema.value is again.value_schema.value

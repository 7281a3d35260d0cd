"""
Converters, transforms and predicates against Connect's own, on the same random records.

What may differ, and why, is said once, in :data:`ALLOWED`; every other difference is a failure.
"""

import base64
import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from runtime.data import (
    BOOLEAN,
    BYTES,
    FLOAT32,
    FLOAT64,
    INT16,
    INT32,
    INT64,
    STRING,
    ConnectError,
    DataError,
    Header,
    Record,
    Schema,
)
from runtime.plugins.converters.json_converter import JsonConverter
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
from runtime.plugins.predicates.has_header_key import HasHeaderKey
from runtime.plugins.predicates.record_is_tombstone import RecordIsTombstone
from runtime.plugins.predicates.topic_name_matches import TopicNameMatches
from runtime.plugins.transforms import hoist_field, insert_field, mask_field, replace_field
from runtime.plugins.transforms.filter import Filter
from runtime.plugins.transforms.regex_router import RegexRouter
from runtime.sdk import ConfigError, Converter, Predicate, Transformation
from tests.conformance.oracle import Oracle, Refused, record_form, schema_form, value_form
from tests.samples import FREE, FREE_MAPS, NAMES, SCHEMAS, STRUCTS, records, values

ALLOWED: Final = {
    "NaN read back": "Connect's JSON reader takes the strings NaN and Infinity, which its writer writes, for 0.0",
    "integers beyond 64 bits": "without a schema Connect lets them wrap around; we keep their value",
    "no text for a required string": "Connect reads {type: string}, 5 as null, which its schema forbids; we refuse",
    "null pointers": "where Connect ends in a NullPointerException",
    "renamed onto a field": "ReplaceField looks a field up by its old name even where it never had it, and fails",
    "malformed UTF-8": "Java and Python put a different number of U+FFFD in place of the same broken bytes",
    "dates among numbers": "text inference makes dates of the numbers in [1,2019-08-23]; we leave the text as it is",
    "negative zero": "Connect's JSON reader goes through BigDecimal, which has none",
    "masked decimal": "MaskField gives a Decimal scale 0 whatever its schema says, which converters then refuse",
    "text of bytes": "StringConverter writes a byte array's address; we write base64",
    "text of dates": "java.util.Date prints in the JVM's zone and locale; we print the same form in UTC",
    "text of a map": "a map's text lists its entries in the order of a Java hash map",
    "order of a map": "so does its JSON",
    "leading blanks before a list": "text inference loses what stands behind blanks and a bracket; we keep the text",
    "headers of mixed lists": "numbers without a schema have no width in Python",
    "lists as keys": "a map's key that is a list or a map has no hash in Python; such text stays a string",
    "single precision": "JDKs before 19 print some floats in more digits than they need",
    "null as a map's key": "Python and Java agree, JSON has no word for it",
}
"""Every difference that the tests below leave out, with its reason."""

_CONNECT: Final = "org.apache.kafka.connect."
JSON: Final = f"{_CONNECT}json.JsonConverter"
QUICK = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def encoded(data: bytes | str | None) -> str | None:
    if data is None:
        return None
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def ours(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except ConnectError:
        return Refused


def theirs(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Refused as err:
        if err.kind == "java.lang.NullPointerException":  # null pointers
            assume(False)
        return Refused


def has(schema: Schema | None, value: Any, wanted: Callable[[Schema | None, Any], bool]) -> bool:
    """Whether *wanted* holds anywhere inside a value, or in a default of its schema."""
    if wanted(schema, value):
        return True
    if schema is not None and schema.default is not None and wanted(schema, schema.default):
        return True
    if schema is not None and schema.fields is not None:
        items = value if isinstance(value, dict) else {}
        return any(has(field.schema, items.get(name), wanted) for name, field in schema.fields.items())
    keys, inner = (schema.key_schema, schema.value_schema) if schema is not None else (None, None)
    if isinstance(value, dict) and any(has(keys, k, wanted) or has(inner, v, wanted) for k, v in value.items()):
        return True
    if isinstance(value, list) and any(has(inner, item, wanted) for item in value):
        return True
    return any(child is not None and has(child, None, wanted) for child in (keys, inner))


def is_map_of_several(schema: Schema | None, value: Any) -> bool:
    return isinstance(value, dict) and (schema is None or schema.fields is None) and len(value) > 1


def is_strange_number(_schema: Schema | None, value: Any) -> bool:
    return isinstance(value, float) and (value != value or abs(value) == float("inf"))


@pytest.mark.parametrize("enabled", ["true", "false"])
@pytest.mark.parametrize("decimals", ["BASE64", "NUMERIC"])
@pytest.mark.parametrize("defaults", ["true", "false"])
def test_json(oracle: Oracle, enabled: str, decimals: str, defaults: str) -> None:
    """The same bytes out, and the same values back in, for every type."""
    config = {"schemas.enable": enabled, "decimal.format": decimals, "replace.null.with.default": defaults}
    converter = JsonConverter()
    converter.configure(config)

    @QUICK
    @given(st.data(), st.one_of(SCHEMAS, STRUCTS))
    def check(data: st.DataObject, schema: Schema) -> None:
        value = data.draw(values(schema))
        assume(not has(schema, value, is_map_of_several))  # order of a map
        asked = {"schema": schema_form(schema), "value": value_form(schema, value)}
        java = theirs(lambda: oracle.ask("from", JSON, config, **asked))
        assert java == ours(lambda: encoded(converter.from_connect("topic", schema, value)))
        if java is Refused or has(schema, value, is_strange_number):  # NaN read back
            return
        there = theirs(lambda: _plain(oracle.ask("to", JSON, config, data=java)))
        assert there == ours(lambda: _read(converter, java))

    check()


def _read(converter: Converter, data: str | None) -> Any:
    schema, value = converter.to_connect("topic", None if data is None else base64.b64decode(data))
    form = {"schema": schema_form(schema), "value": value_form(schema, value)}
    return _plain(form) if isinstance(converter, JsonConverter) else form


def _plain(form: Any) -> Any:
    """Numbers as numbers, however many digits a JDK takes to print them; negative zero as zero."""
    if isinstance(form, dict):
        return {key: _plain(item) for key, item in form.items()}
    if isinstance(form, list) and len(form) == 2 and form[0] in ("f32", "f64"):
        return [form[0], repr(float(form[1]) + 0.0)]
    return [_plain(item) for item in form] if isinstance(form, list) else form


@pytest.mark.parametrize("enabled", ["true", "false"])
def test_json_without_schema(oracle: Oracle, enabled: str) -> None:
    config = {"schemas.enable": enabled}
    converter = JsonConverter()
    converter.configure(config)

    @QUICK
    @given(FREE)
    def check(value: Any) -> None:
        assume(not has(None, value, is_map_of_several))
        java = theirs(lambda: oracle.ask("from", JSON, config, schema=None, value=value_form(None, value)))
        assert java == ours(lambda: encoded(converter.from_connect("topic", None, value)))
        if java is not Refused:
            assert _plain(oracle.ask("to", JSON, config, data=java)) == _read(converter, java)

    check()


_ODD_JSON = [
    '{"schema":{"type":"int8"},"payload":300}', '{"schema":{"type":"int32"},"payload":"x"}',
    '{"schema":{"type":"int32"},"payload":1.9}', '{"schema":{"type":"int64"},"payload":9223372036854775808}',
    '{"schema":{"type":"int32"},"payload":true}', '{"schema":{"type":"int16"},"payload":-40000}',
    '{"schema":{"type":"string","optional":true},"payload":5}', '{"schema":{"type":"string"},"payload":5}',
    '{"schema":{"type":"boolean"},"payload":"true"}', '{"schema":{"type":"boolean"},"payload":1}',
    '{"schema":{"type":"array","items":{"type":"int32"}},"payload":1}',
    '{"schema":{"type":"array","items":{"type":"int32"}},"payload":{"a":1}}',
    '{"schema":{"type":"bytes"},"payload":"!!"}', '{"schema":{"type":"bytes"},"payload":"QQ"}',
    '{"schema":{"type":"bytes","optional":true},"payload":5}',
    '{"schema":{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}},"payload":[]}',
    '{"schema":{"type":"map","keys":{"type":"int32"},"values":{"type":"int32"}},"payload":{}}',
    '{"schema":{"type":"map","keys":{"type":"int32"},"values":{"type":"int32"}},"payload":[[1]]}',
    '{"schema":{"type":"map","keys":{"type":"int32"},"values":{"type":"int32"}},"payload":[1]}',
    '{"schema":{"type":"map","keys":{"type":"int32"},"values":{"type":"int32"}},"payload":[[1,2]]}',
    '{"schema":{"type":"struct","fields":[{"type":"int32","field":"a"}]},"payload":[]}',
    '{"schema":{"type":"struct","fields":[{"type":"int32","field":"a"}]},"payload":{}}',
    '{"schema":{"type":"struct","fields":[{"type":"int32","optional":true,"field":"a"}]},"payload":{"b":1}}',
    '{"schema":{"type":"struct","fields":[{"type":"int32","default":4,"field":"a"}]},"payload":{"a":null}}',
    '{"schema":{"type":"struct"},"payload":{}}', '{"schema":{"type":"struct","fields":[{}]},"payload":{}}',
    '{"schema":{"type":"struct","fields":[]},"payload":{}}',
    '{"schema":{"type":"array"},"payload":[]}', '{"schema":{"type":"map"},"payload":{}}',
    '{"schema":{"type":"nope"},"payload":1}', '{"schema":{"type":5},"payload":1}', '{"schema":{},"payload":1}',
    '{"schema":5,"payload":1}', '{"schema":null,"payload":{"a":[1,"x",null]}}', '{"schema":null,"payload":null}',
    '{"schema":{"type":"int32","optional":"true"},"payload":null}',
    '{"schema":{"type":"int32","name":"n","version":3,"doc":"d","parameters":{"a":"b"}},"payload":1}',
    '{"schema":{"type":"int32","parameters":{"a":1}},"payload":1}',
    '{"schema":{"type":"int32","version":"x"},"payload":1}',
    '{"schema":{"type":"int32","default":null},"payload":1}',
    '{"schema":{"type":"int32","optional":true,"default":null},"payload":1}',
    '{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":"AJw="}',
    '{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":1.5000}',
    '{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":7}',
    '{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":true}',
    '{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal"},"payload":"AJw="}',
    '{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1},"payload":18000}',
    '{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1},"payload":"x"}',
    '{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1},"payload":86399999}',
    '{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1},"payload":-1}',
    '{"schema":{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1},"payload":-5}',
    '{"schema":{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1},"payload":1.5}',
    '{"schema":{"type":"float"},"payload":0.1}', '{"schema":{"type":"float"},"payload":1e300}',
    '{"schema":{"type":"double"},"payload":5}', '{"schema":{"type":"double"},"payload":"x"}',
    '{"schema":{"type":"int32"},"payload":1} trailing', '{"schema":{"type":"int32"},"payload":1}}',
    '{"payload":1,"schema":{"type":"int32"}}', '{"schema":{"type":"int32"},"payload":1,"x":2}',
    '{"schema":{"type":"int32"}}', "[]", "1", '""', "{}", "", " ", "{", "nope", "'a'", "NaN",
    "007", "-01", "1.", ".5", "+1",
    '{"schema":{"type":"int32"},"payload":007}', '{"a":1,"a":2}', '{"schema":{"type":"int32"},"payload":1,"payload":2}',
    '"\\ud83d\\ude00"', '"\t"', '"\\x"', '{"a":1,}', "[1 2]", "// c\n1", "1e400", "tru", '"open',
]  # fmt: skip


_DIFFERS: Final = {
    ("false", '{"schema":{"type":"int64"},"payload":9223372036854775808}'): "integers beyond 64 bits",
    ("true", '{"schema":{"type":"string"},"payload":5}'): "no text for a required string",
}


@pytest.mark.parametrize("enabled", ["true", "false"])
@pytest.mark.parametrize("text", _ODD_JSON)
def test_odd_json(oracle: Oracle, enabled: str, text: str) -> None:
    """What other programs write, and what nobody should."""
    if (enabled, text) in _DIFFERS:
        pytest.skip(ALLOWED[_DIFFERS[enabled, text]])
    config = {"schemas.enable": enabled}
    converter = JsonConverter()
    converter.configure(config)
    data = base64.b64encode(text.encode()).decode()
    java = theirs(lambda: _plain(oracle.ask("to", JSON, config, data=data)))
    assert java == ours(lambda: _read(converter, data))
    batch = ours(lambda: converter.to_connect_batch(1, ["topic"], [text.encode()]))
    assert (java is Refused) == (batch is Refused)


_SIMPLE: list[tuple[str, Converter, Schema]] = [
    (f"{_CONNECT}converters.ShortConverter", ShortConverter(), INT16),
    (f"{_CONNECT}converters.IntegerConverter", IntegerConverter(), INT32),
    (f"{_CONNECT}converters.LongConverter", LongConverter(), INT64),
    (f"{_CONNECT}converters.FloatConverter", FloatConverter(), FLOAT32),
    (f"{_CONNECT}converters.DoubleConverter", DoubleConverter(), FLOAT64),
    (f"{_CONNECT}converters.BooleanConverter", BooleanConverter(), BOOLEAN),
    (f"{_CONNECT}converters.ByteArrayConverter", ByteArrayConverter(), BYTES),
    (f"{_CONNECT}storage.StringConverter", StringConverter(), STRING),
]


@pytest.mark.parametrize(("name", "converter", "schema"), _SIMPLE, ids=lambda it: str(it).rpartition(".")[2])
def test_simple_converters(oracle: Oracle, name: str, converter: Converter, schema: Schema) -> None:
    """Bytes and values of the converters for one type, wrong ones included."""

    @QUICK
    @given(st.one_of(values(schema), st.none()), st.one_of(st.none(), st.binary(max_size=9)))
    def check(value: Any, data: bytes | None) -> None:
        asked = {"schema": schema_form(schema), "value": value_form(schema, value)}
        java = theirs(lambda: oracle.ask("from", name, {}, **asked))
        assert java == ours(lambda: encoded(converter.from_connect("topic", schema, value)))
        assume(schema is not STRING or data is None or b"\xef\xbf\xbd" not in data.decode("utf-8", "replace").encode())
        assert theirs(lambda: oracle.ask("to", name, {}, data=encoded(data))) == ours(
            lambda: _read(converter, encoded(data))
        )

    if schema is FLOAT32:  # single precision: random bytes make floats of all digits
        assert encoded(b"\x3f\xc0\x00\x00") == oracle.ask(
            "from", name, {}, schema=schema_form(schema), value=["f32", "1.5"]
        )
        return
    check()


def test_text_of_anything(oracle: Oracle) -> None:
    """StringConverter, and with it the file sink, writes Java's text form of every value but those allowed."""
    name, converter = f"{_CONNECT}storage.StringConverter", StringConverter()

    @QUICK
    @given(st.data(), st.one_of(SCHEMAS, STRUCTS))
    def check(data: st.DataObject, schema: Schema) -> None:
        value = data.draw(values(schema))
        assume(not has(schema, value, lambda _, item: isinstance(item, bytes)))
        assume(not has(schema, value, is_map_of_several))
        assume(
            not has(schema, value, lambda s, item: s is not None and s.name is not None and "connect.data" in s.name)
        )
        asked = {"schema": schema_form(schema), "value": value_form(schema, value)}
        java = theirs(lambda: oracle.ask("from", name, {}, **asked))
        assert java == ours(lambda: encoded(converter.from_connect("topic", schema, value)))

    check()


# Headers

_PIECES = [
    "1", "2", "300", "70000", "-5", "+7", "1.5", "3.25e2", "a", "abc", "true", "false", "null", '"', '"x"', '"four"',
    ",", ",", ":", "{", "}", "[", "]", " ", "\\", "2019-08-23", "14:34:54.346Z", "2019-08-23T14:34:54.346Z", ".", "1e3",
    "[1,2]", '{"a":1}', "12", "0x", "-", "é", "99999999999",
]  # fmt: skip


def _wide(form: Any) -> Any:
    """A header's value with the width of numbers that have no schema left out, and floats as numbers."""
    if isinstance(form, dict):
        return {key: _wide(item) if key in ("value", "key") else item for key, item in form.items()}
    if isinstance(form, list) and len(form) == 2 and form[0] in ("i8", "i16", "i32", "i64"):
        return ["int", form[1]]
    if isinstance(form, list) and len(form) == 2 and form[0] in ("f32", "f64"):
        return ["float", f"{float(form[1]):.7g}"]
    if isinstance(form, list):
        return [_wide(item) for item in form]
    return form


@settings(QUICK, max_examples=1_500)
@given(
    text=st.lists(st.sampled_from(_PIECES), min_size=1, max_size=8).map("".join), wrap=st.sampled_from(["", "[]", "{}"])
)
def test_header_inference(oracle: Oracle, text: str, wrap: str) -> None:
    """Text is read as what Connect takes it for."""
    text = f"{wrap[:1]}{text}{wrap[1:]}"
    assume(text.strip() != "null")  # the oracle has no form for a header without schema and value
    assume(not (text.startswith(" ") and text.strip()[:1] in ("[", "{", '"', ",", ":", "]", "}")))
    data = base64.b64encode(text.encode()).decode()
    header = SimpleHeaderConverter().to_connect_header("topic", "h", text.encode())
    mine = {"schema": schema_form(header.schema), "value": value_form(header.schema, header.value)}
    java = oracle.ask("to header", f"{_CONNECT}storage.SimpleHeaderConverter", {}, data=data)
    assume(header.schema is not STRING or "connect.data." not in json.dumps(java))  # dates among numbers
    assume('"keys": {"type": "ARRAY"' not in json.dumps(java) and '"keys": {"type": "MAP"' not in json.dumps(java))
    assert _wide(java) == _wide(mine)


def test_header_text(oracle: Oracle) -> None:
    """Values are written as Connect writes them."""

    @QUICK
    @given(st.data(), st.one_of(SCHEMAS, STRUCTS))
    def check(data: st.DataObject, schema: Schema) -> None:
        value = data.draw(values(schema))
        assume(not has(schema, value, is_map_of_several))
        name = f"{_CONNECT}storage.SimpleHeaderConverter"
        asked = {"schema": schema_form(schema), "value": value_form(schema, value)}
        java = theirs(lambda: oracle.ask("from header", name, {}, **asked))
        mine = ours(lambda: encoded(SimpleHeaderConverter().from_connect_header("topic", Header("h", value, schema))))
        assert java == mine

    check()


# Transforms

_TRANSFORMS: dict[str, tuple[type[Transformation], st.SearchStrategy[dict[str, str]]]] = {
    "InsertField$Value": (
        insert_field.Value,
        st.fixed_dictionaries(
            {"static.value": st.just("v")},
            optional={
                "topic.field": st.sampled_from(["t", "name", "t!"]),
                "partition.field": st.just("p"),
                "offset.field": st.sampled_from(["o", "o!"]),
                "timestamp.field": st.just("at"),
                "static.field": st.just("s?"),
                "replace.null.with.default": st.just("false"),
            },
        ),
    ),
    "HoistField$Value": (hoist_field.Value, NAMES.map(lambda name: {"field": name})),
    "ReplaceField$Value": (
        replace_field.Value,
        st.fixed_dictionaries(
            {},
            optional={
                "include": st.sampled_from(["id,name", "a", ""]),
                "exclude": st.sampled_from(["id", "name,b", "nope"]),
                "renames": st.sampled_from(["id:x", "name:a", "a:b,b:a", ":x"]),
                "replace.null.with.default": st.just("false"),
            },
        ),
    ),
    "MaskField$Value": (
        mask_field.Value,
        st.fixed_dictionaries(
            {"fields": st.sampled_from(["id", "name,a", "b"])},
            optional={
                "replacement": st.sampled_from(["7", "x", "1.5", "300"]),
                "replace.null.with.default": st.just("false"),
            },
        ),
    ),
    "RegexRouter": (
        RegexRouter,
        st.fixed_dictionaries(
            {
                "regex": st.sampled_from(["(.*)", "orders", r"(\w+)-(?<n>\d)", r"[a-z]+", r"\p{Alpha}+", "t|o.*"]),
                "replacement": st.sampled_from(["x", "$1", "$1$2", r"\$1", "a$0b", "${n}", "$"]),
            }
        ),
    ),
    "Filter": (Filter, st.just({})),
}


@pytest.mark.parametrize("name", _TRANSFORMS)
def test_transforms(oracle: Oracle, name: str) -> None:
    """The same record out, or a refusal where Connect refuses."""
    kind, configs = _TRANSFORMS[name]

    @settings(QUICK, max_examples=250)
    @given(st.data(), configs)
    def check(data: st.DataObject, config: dict[str, str]) -> None:
        schema = data.draw(st.one_of(st.none(), STRUCTS, STRUCTS, SCHEMAS))
        strategy = values(schema) if schema is not None else st.one_of(FREE_MAPS, FREE)
        record = data.draw(records(schema, strategy, sink=data.draw(st.booleans())))
        assume(name != "MaskField$Value" or not has(schema, record.value, is_decimal))  # masked decimal
        assume(not (name.startswith("ReplaceField") and renames_onto(schema, config)))
        question = {"record": record_form(record)}
        java = theirs(lambda: oracle.ask("transform", f"{_CONNECT}transforms.{name}", config, **question))
        mine = ours(lambda: _transformed(kind, config, record))
        if schema is None and java is not Refused:
            java, mine = _wide(java), _wide(mine)  # headers of mixed lists
        assert java == mine

    check()


def renames_onto(schema: Schema | None, config: dict[str, str]) -> bool:
    pairs = [pair.split(":") for pair in config.get("renames", "").split(",") if pair]
    fields = (schema.fields if schema is not None else None) or {}
    return any(pair[-1] in fields and pair[-1] not in {old for old, *_ in pairs} for pair in pairs)


def is_decimal(schema: Schema | None, _value: Any) -> bool:
    return schema is not None and schema.name is not None and schema.name.endswith("Decimal")


def _transformed(kind: type[Transformation], config: dict[str, str], record: Record) -> Any:
    one = kind()
    try:
        one.configure(config)
    except ConfigError as err:
        raise DataError(str(err)) from err
    made = one.apply(record)
    return None if made is None else record_form(made)


_GUARDS: dict[str, tuple[type[Predicate], list[dict[str, str]]]] = {
    "HasHeaderKey": (HasHeaderKey, [{"name": "id"}, {"name": "a.b"}]),
    "RecordIsTombstone": (RecordIsTombstone, [{}]),
    "TopicNameMatches": (TopicNameMatches, [{"pattern": "orders.*"}, {"pattern": "t|orders-\\d"}, {"pattern": "rder"}]),
}


@pytest.mark.parametrize("name", _GUARDS)
def test_predicates(oracle: Oracle, name: str) -> None:
    kind, configs = _GUARDS[name]

    @QUICK
    @given(records(None, st.one_of(st.none(), FREE)), st.sampled_from(configs))
    def check(record: Record, config: dict[str, str]) -> None:
        one = kind()
        one.configure(config)
        asked = oracle.ask("test", f"{_CONNECT}transforms.predicates.{name}", config, record=record_form(record))
        assert asked == one.test(record)

    check()

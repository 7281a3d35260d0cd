"""Converters and transforms as a configuration asks for them (contract 2.4, 7.0)."""

import pytest

from runtime.catalog import Catalog, UnknownPlugin
from runtime.catalog.construct import Constructor
from runtime.data import INT32, STRING, SourceRecord
from runtime.sdk import ConfigError

WORKER = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
}


@pytest.fixture(scope="module")
def construct() -> Constructor:
    return Constructor(Catalog(), WORKER)


def test_an_inherited_converter_has_the_workers_settings(construct: Constructor) -> None:
    made = construct.converter("value", {"value.converter.schemas.enable": "true"})
    assert b"1" == made.converter.from_connect("t", INT32, 1)
    assert "org.apache.kafka.connect.json.JsonConverter" == made.class_name


def test_a_converter_of_ones_own_has_none_of_them(construct: Constructor) -> None:
    made = construct.converter("value", {"value.converter": "JsonConverter"})
    assert b'{"schema":{"type":"int32","optional":false},"payload":1}' == made.converter.from_connect("t", INT32, 1)


def test_headers_are_simple_unless_said(construct: Constructor) -> None:
    assert construct.header_converter({}).class_name.endswith("SimpleHeaderConverter")
    assert construct.header_converter({"header.converter": "StringConverter"}).class_name.endswith("StringConverter")


def test_transforms_in_order_with_their_predicates(construct: Constructor) -> None:
    config = {
        "transforms": "wrap, gone",
        "transforms.wrap.type": "org.apache.kafka.connect.transforms.HoistField$Value",
        "transforms.wrap.field": "line",
        "transforms.gone.type": "Filter",
        "transforms.gone.predicate": "dull",
        "transforms.gone.negate": "true",
        "predicates": "dull",
        "predicates.dull.type": "TopicNameMatches",
        "predicates.dull.pattern": "d.*",
    }
    wrap, gone = construct.transforms(config)
    assert ("wrap", None, False) == (wrap.alias, wrap.predicate, wrap.negate)
    record = wrap.transformation.apply(SourceRecord(topic="t", value="x", value_schema=STRING))
    assert record is not None
    assert {"line": "x"} == record.value
    assert gone.negate
    assert gone.predicate is not None
    assert gone.predicate.test(SourceRecord(topic="dull"))


def test_what_cannot_be_constructed(construct: Constructor) -> None:
    with pytest.raises(UnknownPlugin):
        construct.converter("key", {"key.converter": "Nope"})
    with pytest.raises(ConfigError, match=r"transforms\.a\.type"):
        construct.transforms({"transforms": "a"})
    with pytest.raises(UnknownPlugin):
        construct.transforms(
            {"transforms": "a", "transforms.a.type": "org.apache.kafka.connect.transforms.InsertField"}
        )
    with pytest.raises(ConfigError, match="nope"):
        construct.transforms({"transforms": "a", "transforms.a.type": "Filter", "transforms.a.predicate": "nope"})

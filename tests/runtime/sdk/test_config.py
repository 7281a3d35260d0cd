"""Configuration definitions say what Connect's say, word for word (contract 9.1, 16)."""

from collections.abc import Mapping
from typing import Any

import pytest

from runtime.contract import Importance, Type
from runtime.sdk import (
    REQUIRED,
    ConfigDef,
    ConfigError,
    Key,
    Recommendation,
    Secret,
    all_of,
    at_least,
    between,
    list_of,
    no_control_characters,
    non_empty,
    one_of,
    regex,
    split_evenly,
)
from runtime.sdk.config import parse_value, to_text


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Type.BOOLEAN, " TRUE ", True),
        (Type.BOOLEAN, "False", False),
        (Type.INT, " +7 ", 7),
        (Type.INT, "-2147483648", -(2**31)),
        (Type.SHORT, "32767", 32767),
        (Type.LONG, "9223372036854775807", 2**63 - 1),
        (Type.DOUBLE, "1.5e3", 1500.0),
        (Type.DOUBLE, "2d", 2.0),
        (Type.LIST, " a , b,c ", ["a", "b", "c"]),
        (Type.LIST, "", []),
        (Type.LIST, "a,,b", ["a", "", "b"]),
        (Type.STRING, "  x\t", "x"),
        (Type.STRING, "a\x85", "a\x85"),
        (Type.INT, None, None),
    ],
)
def test_parse(kind: Type, text: str | None, value: Any) -> None:
    assert value == parse_value("k", kind, text)


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (Type.BOOLEAN, "yes", "Invalid value yes for configuration k: Expected value to be either true or false"),
        (Type.INT, "2147483648", "Invalid value 2147483648 for configuration k: Not a number of type INT"),
        (Type.INT, "1.0", "Invalid value 1.0 for configuration k: Not a number of type INT"),
        (Type.SHORT, "40000", "Invalid value 40000 for configuration k: Not a number of type SHORT"),
        (Type.LONG, "", "Invalid value  for configuration k: Not a number of type LONG"),
        (Type.DOUBLE, "1_0", "Invalid value 1_0 for configuration k: Not a number of type DOUBLE"),
    ],
)
def test_parse_complains(kind: Type, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_value("k", kind, text)
    assert says == str(refused.value)


@pytest.mark.parametrize(
    ("validator", "value", "says"),
    [
        (at_least(1), 0, "Invalid value 0 for configuration k: Value must be at least 1"),
        (at_least(1), None, "Invalid value null for configuration k: Value must be non-null"),
        (between(1, 2), 3, "Invalid value 3 for configuration k: Value must be no more than 2"),
        (one_of("a", "b"), "c", "Invalid value c for configuration k: String must be one of: a, b"),
        (one_of("a", "b"), None, "Invalid value null for configuration k: String must be one of: a, b"),
        (one_of("a", ignore_case=True), "x", "Invalid value x for configuration k: String must be one of (case insensitive): A"),  # noqa: E501
        (non_empty, "", "Invalid value  for configuration k: String must be non-empty"),
        (no_control_characters, "", "Invalid value  for configuration k: String may not be empty"),
        (no_control_characters, "a\nb\x7f", "Invalid value a\nb\x7f for configuration k: String may not contain control sequences but had the following ASCII chars: 10, 127"),  # noqa: E501
        (list_of(), ["a", "a"], "Configuration 'k' values must not be duplicated."),
        (list_of(), ["a", ""], "Configuration 'k' values must not be empty."),
        (list_of(null=False), None, "Configuration 'k' values must not be null."),
        (list_of(empty=False), [], "Configuration 'k' must not be empty. Valid values include: any non-empty value"),
        (all_of(non_empty, one_of("a")), "", "Invalid value  for configuration k: String must be non-empty"),
    ],
)  # fmt: skip
def test_validators(validator: Any, value: Any, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        validator("k", value)
    assert says == str(refused.value)


def test_validators_let_pass() -> None:
    for validator, value in [
        (at_least(1), 1),
        (one_of("a", ignore_case=True), "A"),
        (non_empty, None),
        (no_control_characters, None),
        (list_of(), None),
        (regex, "a.*"),
        (regex, None),
    ]:
        validator("k", value)  # type: ignore[operator]


NUMBERS = ConfigDef(
    Key("n", Type.INT, validator=at_least(1), importance=Importance.HIGH, doc="A number."),
    Key("s", Type.STRING, default="x"),
    Key("p", Type.PASSWORD, default=None),
)


def test_a_definition_parses() -> None:
    assert {"n": 3, "s": "x", "p": None} == NUMBERS.parse({"n": "3", "unknown": "y"})
    with pytest.raises(ConfigError, match='Missing required configuration "n" which has no default value'):
        NUMBERS.parse({})


def test_a_definition_validates_everything_at_once() -> None:
    """A value that does not parse is still looked at by its validator, as null."""
    n, s, p = NUMBERS.validate({"n": "x", "p": "secret"})
    assert [
        "Invalid value x for configuration n: Not a number of type INT",
        "Invalid value null for configuration n: Value must be non-null",
    ] == n.errors
    assert (None, "x", []) == (n.value, s.value, s.errors)
    assert isinstance(p.value, Secret)
    assert "secret" not in f"{p.value} {p!r}"
    assert "[hidden]" == to_text(Type.PASSWORD, p.value)


def test_a_recommender_offers_and_hides() -> None:
    def offer(name: str, parsed: Mapping[str, Any]) -> Recommendation:
        return Recommendation(("a", "b"), visible=parsed["other"] == "on")

    definition = ConfigDef(Key("k", Type.STRING, default=None, recommender=offer), Key("other", Type.STRING))
    k, _ = definition.validate({"k": "z", "other": "off"})
    assert (["a", "b"], False, []) == (k.recommended, k.visible, k.errors)


def test_definitions_add_up() -> None:
    both = NUMBERS + ConfigDef(Key("n", Type.STRING), Key("m", Type.STRING, default=None))
    assert ["n", "s", "p", "m"] == list(both.keys)
    assert Type.INT is both.keys["n"].type
    with pytest.raises(ConfigError, match="defined twice"):
        ConfigDef(Key("a", Type.STRING), Key("a", Type.INT))


def test_described() -> None:
    field = NUMBERS.keys["n"].describe()
    assert (True, None, "n", Importance.HIGH) == (
        field.required,
        field.default_value,
        field.display_name,
        field.importance,
    )
    assert REQUIRED is NUMBERS.keys["n"].default
    assert "1.0" == Key("d", Type.DOUBLE, default=1.0).describe().default_value
    assert "a,b" == Key("l", Type.LIST, default=["a", "b"]).describe().default_value


def test_split_evenly() -> None:
    assert [[1, 2], [3, 4], [5]] == split_evenly([1, 2, 3, 4, 5], 3)
    assert [[1], []] == split_evenly([1], 2)
    with pytest.raises(ValueError, match="positive"):
        split_evenly([1], 0)

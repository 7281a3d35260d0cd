"""
Configuration definitions: what keys a plugin takes, checked and described (contract 9.1).

A plugin declares ``config_def = ConfigDef(Key("file", Type.STRING, default=None, ...), ...)``. The catalogue shows it
over REST, validates with it, and plugins read their settings through :meth:`ConfigDef.parse`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeAlias

from runtime.contract import ConfigField, Importance, Type, Width
from runtime.data.text import double_text
from runtime.foundation.secret import Secret
from runtime.sdk.errors import ConfigError
from runtime.sdk.patterns import compile_pattern

HIDDEN: Final = "[hidden]"


class _Required(Enum):
    REQUIRED = "required"


REQUIRED: Final = _Required.REQUIRED
"""As a key's default: there is none, the user must give a value."""

Validator: TypeAlias = Callable[[str, Any], None]
"""Called with name and parsed value; raises ConfigError."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What a recommender has to say about a key, given all the parsed values."""

    values: tuple[Any, ...] = ()
    visible: bool = True


Recommender: TypeAlias = Callable[[str, Mapping[str, Any]], Recommendation]


@dataclass(frozen=True, slots=True)
class Key:
    """One configuration key."""

    name: str
    type: Type
    default: Any = REQUIRED
    """The parsed default, None for "none needed", or REQUIRED."""
    validator: Validator | None = None
    importance: Importance = Importance.MEDIUM
    doc: str = ""
    group: str | None = None
    order: int = -1
    width: Width = Width.NONE
    display_name: str | None = None
    dependents: tuple[str, ...] = ()
    recommender: Recommender | None = None
    internal: bool = False
    """Accepted, but not shown to people."""

    def describe(self) -> ConfigField:
        """How REST shows this key."""
        return ConfigField(
            name=self.name,
            type=self.type,
            required=self.default is REQUIRED,
            default_value=None if self.default is REQUIRED else to_text(self.type, self.default),
            importance=self.importance,
            documentation=self.doc,
            group=self.group,
            order_in_group=self.order,
            width=self.width,
            display_name=self.name if self.display_name is None else self.display_name,
            dependents=self.dependents,
        )


@dataclass(slots=True)
class ConfigValue:
    """What validation found about one key: the ``value`` object of a validate reply."""

    name: str
    value: Any = None
    """Parsed, or None when it could not be."""
    recommended: list[Any] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    visible: bool = True


class ConfigDef:
    """The keys a plugin takes, in order."""

    __slots__ = ("keys",)

    def __init__(self, *keys: Key) -> None:
        self.keys: dict[str, Key] = {}
        for key in keys:
            if key.name in self.keys:
                raise ConfigError(key.name, message=f"Configuration {key.name} is defined twice.")
            self.keys[key.name] = key

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys.values())

    def __add__(self, other: "ConfigDef") -> "ConfigDef":
        return ConfigDef(*self, *(key for key in other if key.name not in self.keys))

    def parse(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """
        Every defined key with its parsed value or default; unknown keys are left out.

        Raises ConfigError for the first value that is missing or wrong.
        """
        parsed: dict[str, Any] = {}
        for key in self:
            value, errors = _check(key, given)
            if errors:
                raise errors[0]
            parsed[key.name] = value
        return parsed

    def validate(self, given: Mapping[str, Any]) -> list[ConfigValue]:
        """What is right and wrong about each defined key, with recommendations; never raises."""
        found: dict[str, ConfigValue] = {}
        for key in self:
            value, errors = _check(key, given)
            found[key.name] = ConfigValue(key.name, value, errors=[str(error) for error in errors])
        parsed = {name: result.value for name, result in found.items()}
        for key in self:
            if key.recommender is None:
                continue
            result = found[key.name]
            try:
                said = key.recommender(key.name, parsed)
            except ConfigError as err:
                result.errors.append(str(err))
                continue
            # Recommendations are offers, never limits: Connect does not complain about other values.
            result.visible = said.visible
            result.recommended = list(said.values)
        return list(found.values())


def _check(key: Key, given: Mapping[str, Any]) -> tuple[Any, list[ConfigError]]:
    errors: list[ConfigError] = []
    value: Any = None
    if key.name in given:
        try:
            value = parse_value(key.name, key.type, given[key.name])
        except ConfigError as err:
            errors.append(err)
    elif key.default is REQUIRED:
        errors.append(
            ConfigError(key.name, message=f'Missing required configuration "{key.name}" which has no default value.')
        )
    else:
        value = key.default
    if key.validator is not None:
        try:
            key.validator(key.name, value)
        except ConfigError as err:
            errors.append(err)
    return value, errors


def parse_value(name: str, kind: Type, given: Any) -> Any:
    """
    A given value, usually text, as the type's own Python value: bool, str, int, float, list of str, Secret.

    Raises ConfigError when it does not parse.
    """
    if given is None:
        return None
    text = given.strip(_BLANKS) if isinstance(given, str) and not isinstance(given, Secret) else given
    match kind:
        case Type.BOOLEAN:
            if isinstance(text, bool):
                return text
            if isinstance(text, str) and text.lower() in ("true", "false"):
                return text.lower() == "true"
            raise ConfigError(name, given, "Expected value to be either true or false")
        case Type.INT | Type.SHORT | Type.LONG:
            return _integer(name, kind, given, text)
        case Type.DOUBLE:
            if isinstance(text, float):
                return text
            if isinstance(text, str) and _DOUBLE.match(text):
                return float(text.rstrip("dDfF"))
            raise ConfigError(name, given, "Not a number of type DOUBLE")
        case Type.LIST:
            if isinstance(text, list | tuple):
                return list(text)
            return [item.strip(_SPACES) for item in text.split(",")] if text else []
        case Type.PASSWORD:
            return text if isinstance(text, Secret) else Secret(text)
        case _:
            return text


_BLANKS: Final = "".join(map(chr, range(33)))
"""What surrounds a value without being part of it, as on the JVM."""
_SPACES: Final = " \t\n\x0b\f\r"
_LIMITS: Final = {Type.SHORT: 2**15, Type.INT: 2**31, Type.LONG: 2**63}
_INTEGER: Final = re.compile(r"[+-]?\d+\Z")
_DOUBLE: Final = re.compile(r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[dDfF]?)\Z")


def _integer(name: str, kind: Type, given: Any, text: Any) -> int:
    if isinstance(text, int) and not isinstance(text, bool):
        number = text
    elif isinstance(text, str) and _INTEGER.match(text):
        number = int(text)
    else:
        raise ConfigError(name, given, f"Not a number of type {kind.value}")
    if not -_LIMITS[kind] <= number < _LIMITS[kind]:
        raise ConfigError(name, given, f"Not a number of type {kind.value}")
    return number


def to_text(kind: Type, value: Any) -> str | None:
    """A parsed value as REST shows it: lists joined by commas, passwords hidden."""
    if value is None:
        return None
    match kind:
        case Type.PASSWORD:
            return HIDDEN
        case Type.LIST:
            return ",".join(value)
        case Type.BOOLEAN:
            return "true" if value is True else "false" if value is False else str(value)
        case Type.DOUBLE:
            return double_text(value)
        case _:
            return str(value)


# Validators. Their reasons are Connect's own words, which tools search for.


def at_least(least: float) -> Validator:
    """Numbers not below *least*."""

    def check(name: str, value: Any) -> None:
        if value is None:
            raise ConfigError(name, value, "Value must be non-null")
        if value < least:
            raise ConfigError(name, value, f"Value must be at least {least}")

    return check


def between(least: float, most: float) -> Validator:
    """Numbers from *least* to *most*, both included."""

    def check(name: str, value: Any) -> None:
        at_least(least)(name, value)
        if value > most:
            raise ConfigError(name, value, f"Value must be no more than {most}")

    return check


def one_of(*allowed: str, ignore_case: bool = False) -> Validator:
    """One of these strings; null is none of them."""
    folded = {item.upper() for item in allowed}

    def check(name: str, value: Any) -> None:
        if ignore_case:
            if value is None or value.upper() not in folded:
                offer = ", ".join(item.upper() for item in allowed)
                raise ConfigError(name, value, f"String must be one of (case insensitive): {offer}")
        elif value not in allowed:
            raise ConfigError(name, value, f"String must be one of: {', '.join(allowed)}")

    return check


def non_empty(name: str, value: Any) -> None:
    """A string that is not empty, where there is one."""
    if value is not None and value == "":
        raise ConfigError(name, value, "String must be non-empty")


def no_control_characters(name: str, value: Any) -> None:
    """A non-empty string without ASCII control characters; for names."""
    if value is None:
        return
    if value == "":
        raise ConfigError(name, value, "String may not be empty")
    bad = [ord(char) for char in value if ord(char) < 32 or 127 <= ord(char) < 160]
    if bad:
        codes = ", ".join(str(code) for code in bad)
        raise ConfigError(
            name,
            value,
            f"String may not contain control sequences but had the following ASCII chars: {codes}",
        )


def list_of(*, empty: bool = True, null: bool = True, unique: bool = True) -> Validator:
    """Lists, with or without emptiness, null and repetition (KIP-1161)."""

    def check(name: str, value: Any) -> None:
        if value is None:
            if not null:
                raise ConfigError(name, message=f"Configuration '{name}' values must not be null.")
            return
        if not value and not empty:
            raise ConfigError(
                name,
                message=f"Configuration '{name}' must not be empty. Valid values include: any non-empty value",
            )
        if unique and len(set(value)) != len(value):
            raise ConfigError(name, message=f"Configuration '{name}' values must not be duplicated.")
        if any(item == "" for item in value):
            raise ConfigError(name, message=f"Configuration '{name}' values must not be empty.")

    return check


def regex(name: str, value: Any) -> None:
    """A regular expression in Java's syntax that compiles, where there is one."""
    if not value:
        return
    try:
        compile_pattern(value)
    except ValueError as err:
        raise ConfigError(name, value, f"Invalid regex: {err}") from None


def all_of(*checks: Validator) -> Validator:
    """Each of these, in order."""

    def check(name: str, value: Any) -> None:
        for one in checks:
            one(name, value)

    return check


def recommend(values: Iterable[Any]) -> Recommender:
    """A recommender that always offers the same values."""
    offered = tuple(values)
    return lambda _name, _parsed: Recommendation(offered)


def split_evenly(items: Sequence[Any], groups: int) -> list[list[Any]]:
    """*items* in *groups* contiguous parts; the first ones are longer by one where it does not divide (contract 8)."""
    if groups < 1:
        raise ValueError("Number of groups must be positive.")
    base, extra = divmod(len(items), groups)
    out: list[list[Any]] = []
    start = 0
    for index in range(groups):
        size = base + (1 if index < extra else 0)
        out.append(list(items[start : start + size]))
        start += size
    return out

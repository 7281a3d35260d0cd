"""What a configuration field looks like from outside, as ``/connector-plugins`` reports it (contract 1.4, 9.5)."""

from dataclasses import dataclass
from enum import Enum


class Type(Enum):
    """Types of configuration values (contract 1.4)."""

    BOOLEAN = "BOOLEAN"
    STRING = "STRING"
    INT = "INT"
    SHORT = "SHORT"
    LONG = "LONG"
    DOUBLE = "DOUBLE"
    LIST = "LIST"
    CLASS = "CLASS"
    PASSWORD = "PASSWORD"  # noqa: S105  a type's name, not a password


class Importance(Enum):
    """How much a reader of the documentation should care."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Width(Enum):
    """How wide a form field for the value would be."""

    NONE = "NONE"
    SHORT = "SHORT"
    MEDIUM = "MEDIUM"
    LONG = "LONG"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigField:
    """The ``definition`` object of a validate reply; every value is text as REST shows it."""

    name: str
    type: Type
    required: bool
    default_value: str | None
    importance: Importance
    documentation: str
    group: str | None = None
    order_in_group: int = -1
    width: Width = Width.NONE
    display_name: str = ""
    dependents: tuple[str, ...] = ()

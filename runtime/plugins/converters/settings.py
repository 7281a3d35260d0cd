"""Keys that several converters share."""

from typing import Final

from runtime.sdk import ConfigDef, Importance, Key, Type, one_of

CONVERTER_TYPE: Final = Key(
    "converter.type",
    Type.STRING,
    validator=one_of("key", "value", "header"),
    importance=Importance.LOW,
    doc="What this converter converts; the worker fills it in.",
)

COMMON: Final = ConfigDef(CONVERTER_TYPE)

"""The kinds of plugins, named as REST lists them, and how a class shows which it is."""

from enum import Enum
from typing import Final

from runtime.sdk import (
    ConfigProvider,
    Converter,
    HeaderConverter,
    Plugin,
    Predicate,
    SinkConnector,
    SourceConnector,
    Transformation,
)


class PluginKind(Enum):
    """What a plugin is for (contract 1.4); a class may be of two kinds, as most converters are."""

    SINK = "sink"
    SOURCE = "source"
    TRANSFORMATION = "transformation"
    PREDICATE = "predicate"
    CONVERTER = "converter"
    HEADER_CONVERTER = "header_converter"
    CONFIG_PROVIDER = "config_provider"
    """Never listed over REST."""


BASES: Final[dict[PluginKind, type[Plugin]]] = {
    PluginKind.SINK: SinkConnector,
    PluginKind.SOURCE: SourceConnector,
    PluginKind.TRANSFORMATION: Transformation,
    PluginKind.PREDICATE: Predicate,
    PluginKind.CONVERTER: Converter,
    PluginKind.HEADER_CONVERTER: HeaderConverter,
    PluginKind.CONFIG_PROVIDER: ConfigProvider,
}
"""In the order in which REST lists them."""

CONNECTORS: Final = (PluginKind.SOURCE, PluginKind.SINK)


def kinds_of(cls: type) -> tuple[PluginKind, ...]:
    """Every kind that *cls* is of; empty for what is no plugin."""
    return tuple(kind for kind, base in BASES.items() if issubclass(cls, base))

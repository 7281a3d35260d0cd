"""
Constructs what a connector's configuration names: converters, transforms, predicates (contract 2.4, 7.0).

A converter named by the connector takes its settings from the connector; one inherited from the worker takes all of
its settings from the worker. Nothing is mixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.catalog.discovery import Catalog
from runtime.catalog.kinds import PluginKind
from runtime.sdk import ConfigError, ConfigProvider, Converter, HeaderConverter, Plugin, Predicate, Transformation

Config = Mapping[str, str]

_OWN_KEYS = frozenset({"type", "plugin.version", "predicate", "negate"})


@dataclass(frozen=True, slots=True)
class BuiltTransform:
    """One transform of a connector, configured, with the predicate that guards it."""

    alias: str
    transformation: Transformation
    class_name: str
    predicate: Predicate | None
    negate: bool


@dataclass(frozen=True, slots=True)
class BuiltConverter:
    """A converter for keys or values, configured."""

    converter: Converter
    class_name: str


@dataclass(frozen=True, slots=True)
class BuiltHeaderConverter:
    """A converter for headers, configured."""

    converter: HeaderConverter
    class_name: str


class Constructor:
    """Constructs plugins for connectors of one worker, whose configuration *worker* is."""

    def __init__(self, catalog: Catalog, worker: Config) -> None:
        self._catalog = catalog
        self._worker = worker

    def converter(self, role: str, connector: Config) -> BuiltConverter:
        """
        The converter for *role*, ``key`` or ``value``.

        Raises UnknownPlugin, ConfigError, or what its constructor raises.
        """
        name, settings = self._converter_settings(f"{role}.converter", connector)
        made, class_name = self._make(name, PluginKind.CONVERTER)
        assert isinstance(made, Converter)
        made.configure({**settings, "converter.type": role}, is_key=role == "key")
        return BuiltConverter(made, class_name)

    def header_converter(self, connector: Config) -> BuiltHeaderConverter:
        """The converter for headers. Raises as :meth:`converter`."""
        name, settings = self._converter_settings("header.converter", connector)
        made, class_name = self._make(name, PluginKind.HEADER_CONVERTER)
        assert isinstance(made, HeaderConverter)
        if isinstance(made, Converter):
            made.configure({**settings, "converter.type": "header"}, is_key=False)
        else:
            made.configure({**settings, "converter.type": "header"})
        return BuiltHeaderConverter(made, class_name)

    def transforms(self, connector: Config) -> list[BuiltTransform]:
        """
        The connector's transforms in order.

        Raises UnknownPlugin, ConfigError, or what a constructor raises.
        """
        return [self._transform(alias, connector) for alias in _aliases(connector, "transforms")]

    def _transform(self, alias: str, connector: Config) -> BuiltTransform:
        prefix = f"transforms.{alias}."
        made, class_name = self._make(_required(connector, f"{prefix}type"), PluginKind.TRANSFORMATION)
        assert isinstance(made, Transformation)
        made.configure(_plugin_settings(connector, prefix))
        named = connector.get(f"{prefix}predicate", "").strip()
        negate = connector.get(f"{prefix}negate", "false").strip().lower() == "true"
        predicate = self._predicate(named, connector) if named else None
        return BuiltTransform(alias, made, class_name, predicate, negate)

    def _predicate(self, alias: str, connector: Config) -> Predicate:
        prefix = f"predicates.{alias}."
        if alias not in _aliases(connector, "predicates"):
            raise ConfigError(f"{prefix}type", message=f"No predicate is declared as {alias}: add it to 'predicates'.")
        made, _ = self._make(_required(connector, f"{prefix}type"), PluginKind.PREDICATE)
        assert isinstance(made, Predicate)
        made.configure(_plugin_settings(connector, prefix))
        return made

    def _converter_settings(self, key: str, connector: Config) -> tuple[str, dict[str, Any]]:
        source = connector if connector.get(key) else self._worker
        name = source.get(key) or "org.apache.kafka.connect.storage.SimpleHeaderConverter"
        prefix = f"{key}."
        return name, {k.removeprefix(prefix): value for k, value in source.items() if k.startswith(prefix)}

    def _make(self, name: str, kind: PluginKind) -> tuple[Plugin, str]:
        info = self._catalog.find(name.strip(), kind)
        return info.cls(), info.class_name


def _aliases(connector: Config, key: str) -> list[str]:
    return [alias.strip() for alias in (connector.get(key) or "").split(",") if alias.strip()]


def _required(connector: Config, key: str) -> str:
    value = connector.get(key)
    if not value:
        raise ConfigError(key, message=f'Missing required configuration "{key}" which has no default value.')
    return value


def _plugin_settings(connector: Config, prefix: str) -> dict[str, str]:
    return {
        key.removeprefix(prefix): value
        for key, value in connector.items()
        if key.startswith(prefix) and key.removeprefix(prefix) not in _OWN_KEYS
    }


def config_providers(catalog: Catalog, worker: Config) -> dict[str, ConfigProvider]:
    """
    The config providers that a worker's configuration declares, by the names it gives them (contract 10).

    Raises UnknownPlugin, ConfigError.
    """
    made: dict[str, ConfigProvider] = {}
    for alias in _aliases(worker, "config.providers"):
        prefix = f"config.providers.{alias}."
        info = catalog.find(_required(worker, f"{prefix}class").strip(), PluginKind.CONFIG_PROVIDER)
        provider = info.cls()
        assert isinstance(provider, ConfigProvider)
        provider.configure(
            {key.removeprefix(f"{prefix}param."): v for key, v in worker.items() if key.startswith(f"{prefix}param.")}
        )
        made[alias] = provider
    return made

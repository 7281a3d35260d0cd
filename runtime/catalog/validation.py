"""
Judges a connector's configuration, as ``/connector-plugins/{plugin}/config/validate`` and every write does
(contract 9.2, 16): the framework's keys, those of transforms and predicates, converters' settings, client overrides,
and the connector's own. All complaints at once, none of them showing a value that was looked up elsewhere.

Where we differ from Connect on purpose:

- A value from a config provider is shown as its reference, and complaints about it do not repeat it.
- A client override that does not parse is a complaint; Connect answers 500.
- ``config.providers*`` in a connector's configuration is left out of account; Connect would try to use them.
- Null for a key of the connector's own counts as left out; Connect lets it pass even where a value is required.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from runtime.catalog import framework
from runtime.catalog.client_keys import Client, keys_of
from runtime.catalog.discovery import Catalog, PluginInfo
from runtime.catalog.framework import Surroundings
from runtime.catalog.kinds import CONNECTORS, PluginKind
from runtime.catalog.overrides import policy_of
from runtime.contract import ConfigField, Type
from runtime.foundation import logs
from runtime.sdk import (
    ConfigDef,
    ConfigError,
    ConfigValue,
    Connector,
    ExactlyOnceSupport,
    Key,
    SourceConnector,
    compile_pattern,
)
from runtime.sdk.config import parse_value, to_text

log = logs.get(__name__)

_NULL: Final = "Null value can not be supplied as the configuration value."
_LISTED: Final = ("sink", "source", "converter", "header_converter", "transformation", "predicate")


class Resolves(Protocol):
    """What replaces references in a configuration; :class:`runtime.secrets.Resolver` fits."""

    def resolve(self, config: Mapping[str, str]) -> Any:
        """The configuration with references replaced, and which keys that touched."""
        ...


@dataclass(slots=True)
class ConfigInfo:
    """One entry of a validate reply: a key's definition, where it has one, and what is to be said of its value."""

    definition: ConfigField | None
    name: str
    value: str | None = None
    recommended: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    visible: bool = True

    def json(self) -> dict[str, Any]:
        """As REST shows it."""
        return {
            "definition": None if self.definition is None else definition_json(self.definition),
            "value": {
                "name": self.name,
                "value": self.value,
                "recommended_values": self.recommended,
                "errors": self.errors,
                "visible": self.visible,
            },
        }


@dataclass(slots=True)
class ConfigInfos:
    """A validate reply."""

    name: str
    groups: list[str]
    configs: list[ConfigInfo]
    error_count: int

    def json(self) -> dict[str, Any]:
        """As REST shows it."""
        return {
            "name": self.name,
            "error_count": self.error_count,
            "groups": self.groups,
            "configs": [config.json() for config in self.configs],
        }


def definition_json(field: ConfigField) -> dict[str, Any]:
    """A definition as REST shows it."""
    return {
        "name": field.name,
        "type": field.type.value,
        "required": field.required,
        "default_value": field.default_value,
        "importance": field.importance.value,
        "documentation": field.documentation,
        "group": field.group,
        "order_in_group": field.order_in_group,
        "width": field.width.value,
        "display_name": field.display_name,
        "dependents": list(field.dependents),
    }


def validate(
    catalog: Catalog, resolver: Resolves, config: Mapping[str, str | None], *, worker: Mapping[str, str]
) -> dict[str, Any]:
    """
    The body of a validate reply about *config*; *worker* is the worker's own configuration, resolved.

    Raises UnknownPlugin or ConfigError where there is no connector to ask.
    """
    return judge(catalog, resolver, config, worker=worker).json()


def judge(
    catalog: Catalog, resolver: Resolves, config: Mapping[str, str | None], *, worker: Mapping[str, str]
) -> ConfigInfos:
    """As :func:`validate`, for callers in Python."""
    given = {key: value for key, value in config.items() if not key.startswith("config.providers")}
    resolved = resolver.resolve({key: value for key, value in given.items() if value is not None})
    named = given.get("connector.class")
    if not named:
        raise ConfigError("connector.class", message="Connector config contains no connector type")
    info = catalog.find(resolved.config["connector.class"].strip(), CONNECTORS)
    connector = info.cls()
    assert isinstance(connector, Connector)
    found = _Judgement(catalog, worker, info, connector, given, resolved.config).infos(named)
    _hide(found.configs, given, resolved.config, resolved.from_providers)
    return found


def describe(catalog: Catalog, plugin: str, version: str | None = None) -> list[dict[str, Any]] | None:
    """
    The keys of a plugin of any kind that REST lists, None when there is none (contract 1.4).

    Raises ConfigError for kinds that are not listed, and when there is no such *version* of it.
    """
    for kind in PluginKind:
        info = framework.usable(catalog, plugin, kind)
        if info is None:
            continue
        if kind is PluginKind.CONFIG_PROVIDER:
            raise ConfigError(plugin, message=f"Invalid plugin class {plugin}. Valid types are {', '.join(_LISTED)}.")
        if version not in (None, "", "latest", info.version):
            raise ConfigError(
                plugin,
                message=f"Plugin {info.class_name} not found that matches the version range [{version},{version}], "
                f"available versions: [{info.version}]",
            )
        keys = list(info.cls.config_def)
        if kind in CONNECTORS:
            own = {key.name for key in keys}
            keys += [key for key in _framework_keys(info, None) if key.name not in own]
        return [definition_json(key.describe()) for key in keys if not key.internal]
    return None


def _framework_keys(info: PluginInfo, around: Surroundings | None) -> Iterator[Key]:
    yield from framework.common(info, around)
    yield from framework.source() if info.kind is PluginKind.SOURCE else framework.sink()
    if around is not None:
        yield from framework.aliased("transforms", PluginKind.TRANSFORMATION, around)
        yield from framework.aliased("predicates", PluginKind.PREDICATE, around)


class _Judgement:
    """One configuration on its way through the steps of contract 9.2."""

    def __init__(
        self,
        catalog: Catalog,
        worker: Mapping[str, str],
        info: PluginInfo,
        connector: Connector,
        given: Mapping[str, str | None],
        resolved: Mapping[str, str],
    ) -> None:
        self._catalog = catalog
        self._worker = worker
        self._info = info
        self._connector = connector
        self._resolved = resolved
        self._given: dict[str, str | None] = {key: resolved.get(key) for key in given}

    def infos(self, named: str) -> ConfigInfos:
        keys = {key.name: key for key in self._keys()}
        values = {value.name: value for value in ConfigDef(*keys.values()).validate(self._given)}
        self._show_classes(keys, values)
        if self._info.kind is PluginKind.SINK:
            self._check_sink(values)
        else:
            self._check_source(values)
        for name, text in self._given.items():
            if text is None:
                values.setdefault(name, ConfigValue(name)).errors.append(_NULL)
        groups = _groups(keys.values())
        converters = self._converters(values)
        overrides = self._overrides()
        own = {key.name: key for key in self._connector.config_def}
        for value in self._connector.validate(self._resolved):
            values[value.name] = value
        keys |= own
        groups += _groups(own.values())
        configs = [_info(None, value) for name, value in values.items() if name not in keys]
        configs += [_info(key, values.get(name, ConfigValue(name))) for name, key in keys.items() if not key.internal]
        errors = sum(len(config.errors) for config in configs)
        for more in (*overrides, *converters):
            configs += more.configs
            groups += [group for group in more.groups if group not in groups]
            errors += more.error_count
        return ConfigInfos(named, groups, configs, errors)

    def _keys(self) -> Iterator[Key]:
        return _framework_keys(self._info, Surroundings(self._catalog, self._worker, self._given))

    def _show_classes(self, keys: Mapping[str, Key], values: Mapping[str, ConfigValue]) -> None:
        """Replace names of classes by the full ones; those that mean nothing have no value."""
        for name, key in keys.items():
            value = values[name]
            if key.type is Type.CLASS and value.value is not None:
                known = self._catalog.known_as(value.value, _kind_of(name))
                value.value = None if known is None else known.class_name

    # Sinks (contract 2.4)

    def _check_sink(self, values: Mapping[str, ConfigValue]) -> None:
        topics, pattern = values["topics"], values["topics.regex"]
        if not topics.errors and not pattern.errors:
            _check_topics(topics, pattern, values["errors.deadletterqueue.topic.name"].value)
        group = self._worker.get("group.id")
        if not group:
            return
        own = self._given.get("consumer.override.group.id")
        if own is not None:
            # Connect lists the override once more where it compares it; tools count on what it lists.
            twice = ConfigValue("consumer.override.group.id", own)
            if own == group:
                twice.errors.append(f"Consumer group {own} conflicts with Connect worker group {group}")
            if isinstance(values, dict):
                values[twice.name] = twice
        elif f"connect-{values['name'].value}" == group:
            values["name"].errors.append(
                f"Consumer group for sink connector named {values['name'].value} "
                f"conflicts with Connect worker group {group}"
            )

    # Sources (contract 2.4, 5.4)

    def _check_source(self, values: Mapping[str, ConfigValue]) -> None:
        if not isinstance(self._connector, SourceConnector) or not self._worker.get("group.id"):
            return
        support, boundary = values["exactly.once.support"], values["transaction.boundary"]
        if not support.errors and str(support.value).lower() == "required":
            self._check_exactly_once(support, self._connector)
        if not boundary.errors and str(boundary.value).lower() == "connector":
            try:
                able = self._connector.can_define_transaction_boundaries(self._resolved)
            except Exception as err:  # noqa: BLE001  an author's code; its failure is what there is to say
                boundary.errors.append(f"An unexpected error occurred during validation: {err}")
                return
            if not able:
                boundary.errors.append(
                    "The connector does not support connector-defined transaction boundaries with the given "
                    "configuration. Please reconfigure it to use a different transaction boundary definition."
                )

    def _check_exactly_once(self, support: ConfigValue, connector: SourceConnector) -> None:
        if not self._exactly_once_worker:
            support.errors.append("This worker does not have exactly-once source support enabled.")
        try:
            said = connector.exactly_once_support(self._resolved)
        except Exception as err:  # noqa: BLE001  as above
            support.errors.append(f"An unexpected error occurred during validation: {err}")
            return
        if said is None:
            support.errors.append(
                "The connector does not say whether it supports exactly-once semantics. Look into its documentation; "
                'if it does, set this property to "requested", which leaves out this check.'
            )
        elif said is not ExactlyOnceSupport.SUPPORTED:
            support.errors.append(
                "The connector does not support exactly-once semantics with the provided configuration."
            )

    @property
    def _exactly_once_worker(self) -> bool:
        return (self._worker.get("exactly.once.source.support") or "disabled").strip().lower() == "enabled"

    # Converters' settings

    def _converters(self, values: Mapping[str, ConfigValue]) -> list[ConfigInfos]:
        found: list[ConfigInfos] = []
        for role, kind in (
            ("key", PluginKind.CONVERTER),
            ("value", PluginKind.CONVERTER),
            ("header", PluginKind.HEADER_CONVERTER),
        ):
            value = values[f"{role}.converter"]
            if self._given.get(value.name) is None or value.errors:
                continue
            info = framework.usable(self._catalog, self._given[value.name], kind)
            if info is None:
                continue
            try:
                info.cls()
            except Exception as err:  # noqa: BLE001  an author's code
                value.errors.append(f"Failed to load class {info.class_name}: {err}")
                continue
            found.append(self._settings(f"{value.name}.", info, {"converter.type": role}))
        return found

    def _settings(self, prefix: str, info: PluginInfo, defaults: Mapping[str, str]) -> ConfigInfos:
        given = dict(defaults)
        given |= {key.removeprefix(prefix): text for key, text in self._resolved.items() if key.startswith(prefix)}
        keys = info.cls.config_def.keys
        configs = [
            _info(_prefixed(prefix, keys[value.name]), _renamed(prefix, value))
            for value in info.cls.config_def.validate(given)
        ]
        return ConfigInfos("", _groups(keys.values()), configs, sum(1 for config in configs if config.errors))

    # Client overrides (contract 2.5)

    def _overrides(self) -> list[ConfigInfos]:
        judge_setting = policy_of(self._worker)
        return [self._override(client, judge_setting) for client in self._clients()]

    def _clients(self) -> Iterator[Client]:
        """The clients whose settings matter to this connector."""
        if self._info.kind is PluginKind.SINK:
            dead_letters = bool((self._given.get("errors.deadletterqueue.topic.name") or "").strip())
            uses = {Client.CONSUMER: True, Client.PRODUCER: dead_letters, Client.ADMIN: dead_letters}
        else:
            enabled = (self._worker.get("topic.creation.enable") or "true").strip().lower() == "true"
            creates = enabled and any(key.startswith("topic.creation.") for key in self._given)
            own_offsets = self._exactly_once_worker or self._given.get("offsets.storage.topic") is not None
            uses = {Client.PRODUCER: True, Client.ADMIN: creates or own_offsets, Client.CONSUMER: own_offsets}
        return (client for client in Client if uses[client])

    def _override(self, client: Client, judge_setting: Callable[[str], str | None]) -> ConfigInfos:
        prefix = f"{client.value}.override."
        known = keys_of(client)
        configs: list[ConfigInfo] = []
        for name, text in self._resolved.items():
            if not name.startswith(prefix):
                continue
            setting = name.removeprefix(prefix)
            key = known.get(setting)
            value = ConfigValue(name, text)
            if key is not None:
                try:
                    value.value = parse_value(name, key.type, text)
                except ConfigError as err:
                    value.value = None
                    value.errors.append(str(err))
            refusal = judge_setting(setting)
            if refusal is not None:
                value.errors.append(refusal)
            configs.append(_info(None if key is None else _prefixed(prefix, key), value))
        return ConfigInfos("", [], configs, sum(1 for config in configs if config.errors))


def _check_topics(topics: ConfigValue, pattern: ConfigValue, dead_letters: Any) -> None:
    if not topics.value and not pattern.value:
        for value in (topics, pattern):
            value.errors.append("Must configure one of topics or topics.regex")
        return
    if topics.value and pattern.value:
        for value in (topics, pattern):
            value.errors.append("topics and topics.regex are mutually exclusive options, but both are set.")
        return
    if not dead_letters:
        return
    if topics.value and dead_letters in topics.value:
        topics.errors.append(
            f"The DLQ topic '{dead_letters}' may not be included in the list of topics "
            f"('topics=[{', '.join(topics.value)}]') consumed by the connector"
        )
    if pattern.value and compile_pattern(pattern.value).fullmatch(dead_letters):
        pattern.errors.append(
            f"The DLQ topic '{dead_letters}' may not be matched by the regex for the topics "
            f"('topics.regex={pattern.value}') consumed by the connector"
        )


def _kind_of(name: str) -> PluginKind:
    if name.startswith("transforms."):
        return PluginKind.TRANSFORMATION
    if name.startswith("predicates."):
        return PluginKind.PREDICATE
    return PluginKind.HEADER_CONVERTER if name == "header.converter" else PluginKind.CONVERTER


def _groups(keys: Iterable[Key]) -> list[str]:
    return list(dict.fromkeys(key.group for key in keys if key.group is not None))


def _prefixed(prefix: str, key: Key) -> Key:
    return replace(
        key,
        name=prefix + key.name,
        display_name=key.name if key.display_name is None else key.display_name,
        dependents=tuple(prefix + name for name in key.dependents),
    )


def _renamed(prefix: str, value: ConfigValue) -> ConfigValue:
    return ConfigValue(prefix + value.name, value.value, value.recommended, value.errors, value.visible)


def _info(key: Key | None, value: ConfigValue) -> ConfigInfo:
    def text(item: Any) -> str | None:
        if key is None:
            return None if item is None else str(item)
        return to_text(key.type, item)

    # Recommendations for a list are for one element of it.
    offered: Sequence[Any] = value.recommended
    shown = [str(item) for item in offered] if key is not None and key.type is Type.LIST else [text(i) for i in offered]
    return ConfigInfo(
        None if key is None else key.describe(),
        value.name,
        text(value.value),
        [item for item in shown if item is not None],
        list(value.errors),
        value.visible,
    )


def _hide(
    configs: Iterable[ConfigInfo],
    given: Mapping[str, str | None],
    resolved: Mapping[str, str],
    looked_up: frozenset[str],
) -> None:
    """Take back out what config providers put in."""
    if not looked_up:
        return
    for config in configs:
        if config.name in looked_up:
            config.value = given[config.name]
            config.recommended = []
            if config.errors:
                config.errors = [f"Invalid value for configuration {config.name}: what its reference stands for"]
            continue
        for name in looked_up:
            secret = resolved[name].strip()
            if secret:
                config.errors = [error.replace(secret, given[name] or "") for error in config.errors]

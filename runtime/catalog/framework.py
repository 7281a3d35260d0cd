"""
The keys that every connector has, whoever wrote it (contract 2.4, 9.5).

What depends on the installed plugins and on the worker, the defaults of converters and the classes to choose from,
comes in through :class:`Surroundings`; without one, definitions are shown bare.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runtime.catalog.discovery import Catalog, PluginInfo
from runtime.catalog.kinds import PluginKind
from runtime.contract import Importance, Type, Width
from runtime.sdk import (
    REQUIRED,
    ConfigError,
    Key,
    Recommendation,
    at_least,
    list_of,
    no_control_characters,
    non_empty,
    one_of,
    regex,
)
from runtime.sdk.config import Recommender, Validator, all_of
from runtime.sdk.plugin import UNDEFINED

DEFAULT_HEADER_CONVERTER: Final = "org.apache.kafka.connect.storage.SimpleHeaderConverter"

_COMMON: Final = "Common"
_ERRORS: Final = "Error Handling"
_EXACTLY_ONCE: Final = "Exactly Once Support"

_INTERFACES: Final = {
    PluginKind.CONVERTER: "Converter",
    PluginKind.HEADER_CONVERTER: "HeaderConverter",
    PluginKind.TRANSFORMATION: "Transformation",
    PluginKind.PREDICATE: "Predicate",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is installed, what the worker says, and what the connector says."""

    catalog: Catalog
    worker: Mapping[str, str]
    connector: Mapping[str, str | None]


def class_named(catalog: Catalog, kind: PluginKind) -> Validator:
    """Names of classes of *kind* that can be constructed; with Connect's words for those that are not."""

    def check(name: str, value: Any) -> None:
        if value is None:
            return
        info = catalog.known_as(value, kind)
        if info is None:
            raise ConfigError(name, value, f"Class {value} could not be found.")
        if info.kind is not kind:
            raise ConfigError(
                name, message=f"Class class {info.class_name} does not implement the {_INTERFACES[kind]} interface"
            )
        if info not in catalog.plugins():
            variants = ", ".join(it.class_name for it in catalog.variants(info))
            hint = f" Did you mean {variants}?" if variants else ""
            raise ConfigError(name, message=f"This class is abstract and cannot be created.{hint}")

    return check


def usable(catalog: Catalog, name: str | None, kind: PluginKind) -> PluginInfo | None:
    """The plugin of *kind* that *name* means, None where it means none that could be constructed."""
    if not name:
        return None
    info = catalog.known_as(name.strip(), kind)
    return info if info is not None and info.kind is kind and info in catalog.plugins() else None


def version_of(info: PluginInfo | None) -> str | None:
    """A plugin's version where it has one."""
    return None if info is None or info.version == UNDEFINED else info.version


def _offer(values: Sequence[str], *, visible: bool = True) -> Recommender:
    offered = Recommendation(tuple(values), visible)
    return lambda _name, _parsed: offered


def _unique_aliases(name: str, value: Any) -> None:
    if value is not None and len(set(value)) != len(value):
        raise ConfigError(name, value, "Duplicate alias provided.")


def common(connector: PluginInfo, around: Surroundings | None) -> Iterator[Key]:
    """Keys of sources and sinks alike."""
    version = version_of(connector)
    yield Key(
        "name",
        Type.STRING,
        validator=no_control_characters,
        importance=Importance.HIGH,
        doc="The connector's name, which nothing else in the cluster may have.",
        group=_COMMON,
        order=1,
        width=Width.MEDIUM,
        display_name="Connector name",
    )
    yield Key(
        "connector.class",
        Type.STRING,
        importance=Importance.HIGH,
        doc="Which connector to run: its class name, that name's last part, or the same without 'Connector'.",
        group=_COMMON,
        order=2,
        width=Width.LONG,
        display_name="Connector class",
    )
    yield Key(
        "connector.plugin.version",
        Type.STRING,
        default=version,
        importance=Importance.MEDIUM,
        doc="Which version of the connector to run; the newest when it is left out.",
        group=_COMMON,
        order=3,
        width=Width.MEDIUM,
        display_name="Connector version",
        recommender=None if around is None else _offer([version] if version else []),
    )
    yield Key(
        "tasks.max",
        Type.INT,
        default=1,
        validator=at_least(1),
        importance=Importance.HIGH,
        doc="The most tasks the connector may be split into.",
        group=_COMMON,
        order=4,
        width=Width.SHORT,
        display_name="Tasks max",
    )
    yield Key(
        "tasks.max.enforce",
        Type.BOOLEAN,
        default=True,
        importance=Importance.LOW,
        doc="Whether a connector that asks for more tasks than tasks.max fails, rather than getting them. Deprecated.",
        group=_COMMON,
        order=5,
        width=Width.SHORT,
        display_name="Enforce tasks max",
    )
    yield from _converter("key", "Key", PluginKind.CONVERTER, 6, around)
    yield from _converter("value", "Value", PluginKind.CONVERTER, 8, around)
    yield from _converter("header", "Header", PluginKind.HEADER_CONVERTER, 10, around)
    yield Key(
        "transforms",
        Type.LIST,
        default=[],
        validator=_unique_aliases,
        importance=Importance.LOW,
        doc="Names for the transforms that records go through, in this order.",
        group="Transforms",
        order=12,
        width=Width.LONG,
        display_name="Transforms",
    )
    yield Key(
        "predicates",
        Type.LIST,
        default=[],
        validator=_unique_aliases,
        importance=Importance.LOW,
        doc="Names for the predicates that transforms may refer to.",
        group="Predicates",
        order=13,
        width=Width.LONG,
        display_name="Predicates",
    )
    yield Key(
        "config.action.reload",
        Type.STRING,
        default="restart",
        validator=one_of("none", "restart"),
        importance=Importance.LOW,
        doc="What to do when a value looked up elsewhere expires: restart the connector, or nothing.",
        group=_COMMON,
        order=14,
        width=Width.MEDIUM,
        display_name="Reload Action",
    )
    yield from _errors()


def _converter(role: str, title: str, kind: PluginKind, order: int, around: Surroundings | None) -> Iterator[Key]:
    name = f"{role}.converter"
    default: str | None = None
    version: str | None = None
    visible = True
    if around is not None:
        fallback = DEFAULT_HEADER_CONVERTER if kind is PluginKind.HEADER_CONVERTER else None
        inherited = usable(around.catalog, around.worker.get(name) or fallback, kind)
        default = inherited.class_name if inherited is not None else None
        own = around.connector.get(name)
        version = version_of(inherited if own is None else usable(around.catalog, own, kind))
        visible = own is None or around.catalog.known_as(own.strip(), kind) is not None
    yield Key(
        name,
        Type.CLASS,
        default=default,
        validator=None if around is None else class_named(around.catalog, kind),
        importance=Importance.LOW,
        doc=f"The converter between Connect's data and bytes for {role}s; the worker's when it is left out. "
        "One that is named here takes none of the worker's settings for its own.",
        group=_COMMON,
        order=order,
        width=Width.SHORT,
        display_name=f"{title} converter class",
        recommender=None
        if around is None
        else _offer(sorted(it.class_name for it in around.catalog.plugins() if it.kind is kind)),
    )
    yield Key(
        f"{name}.plugin.version",
        Type.STRING,
        default=version,
        importance=Importance.LOW,
        doc=f"Which version of the {role} converter to use.",
        group=_COMMON,
        order=order + 1,
        width=Width.SHORT,
        display_name=f"{title} converter version",
        recommender=None if around is None else _offer([version] if version else [], visible=visible),
    )


def _errors() -> Iterator[Key]:
    def key(name: str, kind: Type, default: Any, order: int, title: str, doc: str, **more: Any) -> Key:
        return Key(
            name,
            kind,
            default=default,
            importance=Importance.MEDIUM,
            doc=doc,
            group=_ERRORS,
            order=order,
            display_name=title,
            **more,
        )

    yield key(
        "errors.retry.timeout",
        Type.LONG,
        0,
        1,
        "Retry Timeout for Errors",
        "Milliseconds for which a failed operation is tried again; 0 for not at all, -1 for ever.",
        width=Width.MEDIUM,
    )
    yield key(
        "errors.retry.delay.max.ms",
        Type.LONG,
        60_000,
        2,
        "Maximum Delay Between Retries for Errors",
        "The longest wait between two tries, in milliseconds.",
        width=Width.MEDIUM,
    )
    yield key(
        "errors.tolerance",
        Type.STRING,
        "none",
        3,
        "Error Tolerance",
        "Whether a bad record stops the task (none) or is skipped (all).",
        validator=one_of("none", "all"),
        width=Width.SHORT,
    )
    yield key(
        "errors.log.enable",
        Type.BOOLEAN,
        False,
        4,
        "Log Errors",
        "Whether each bad record is logged.",
        width=Width.SHORT,
    )
    yield key(
        "errors.log.include.messages",
        Type.BOOLEAN,
        False,
        5,
        "Log Error Details",
        "Whether that log says which record it was; for sources, with its contents.",
        width=Width.SHORT,
    )


def sink() -> Iterator[Key]:
    """Keys of sinks."""
    yield Key(
        "topics",
        Type.LIST,
        default=[],
        validator=list_of(null=False),
        importance=Importance.HIGH,
        doc="The topics to read; either these or topics.regex.",
        group=_COMMON,
        order=4,
        width=Width.LONG,
        display_name="Topics",
    )
    yield Key(
        "topics.regex",
        Type.STRING,
        default="",
        validator=regex,
        importance=Importance.HIGH,
        doc="A pattern (Java's syntax) for the topics to read, those that come later included.",
        group=_COMMON,
        order=4,
        width=Width.LONG,
        display_name="Topics regex",
    )
    yield Key(
        "errors.deadletterqueue.topic.name",
        Type.STRING,
        default="",
        importance=Importance.MEDIUM,
        doc="A topic to send bad records to; none when it is empty.",
        group=_ERRORS,
        order=6,
        width=Width.MEDIUM,
        display_name="Dead Letter Queue Topic Name",
    )
    yield Key(
        "errors.deadletterqueue.topic.replication.factor",
        Type.SHORT,
        default=3,
        importance=Importance.MEDIUM,
        doc="How many replicas that topic gets when it is created.",
        group=_ERRORS,
        order=7,
        width=Width.MEDIUM,
        display_name="Dead Letter Queue Topic Replication Factor",
    )
    yield Key(
        "errors.deadletterqueue.context.headers.enable",
        Type.BOOLEAN,
        default=False,
        importance=Importance.MEDIUM,
        doc="Whether records sent there carry headers that say what went wrong, and where they came from.",
        group=_ERRORS,
        order=8,
        width=Width.MEDIUM,
        display_name="Enable Error Context Headers",
    )


def source() -> Iterator[Key]:
    """Keys of sources."""
    yield Key(
        "topic.creation.groups",
        Type.LIST,
        default=[],
        validator=_unique_aliases,
        importance=Importance.LOW,
        doc="Names for groups of topics to create, each with settings of its own; 'default' is always there.",
        group="Topic Creation",
        order=1,
        width=Width.LONG,
        display_name="Topic Creation Groups",
    )
    yield Key(
        "exactly.once.support",
        Type.STRING,
        default="requested",
        validator=one_of("REQUIRED", "REQUESTED", ignore_case=True),
        importance=Importance.MEDIUM,
        doc="Whether the connector must be able to write each record exactly once (required), or need not.",
        group=_EXACTLY_ONCE,
        order=2,
        width=Width.SHORT,
        display_name="Exactly once support",
    )
    yield Key(
        "transaction.boundary",
        Type.STRING,
        default="poll",
        validator=one_of("INTERVAL", "POLL", "CONNECTOR", ignore_case=True),
        importance=Importance.MEDIUM,
        doc="Where transactions end: after each poll, after an interval, or where the connector says.",
        group=_EXACTLY_ONCE,
        order=3,
        width=Width.SHORT,
        display_name="Transaction Boundary",
    )
    yield Key(
        "transaction.boundary.interval.ms",
        Type.LONG,
        default=None,
        validator=_at_least_if_given(0),
        importance=Importance.LOW,
        doc="Milliseconds between the ends of transactions; the worker's offset.flush.interval.ms when left out.",
        group=_EXACTLY_ONCE,
        order=4,
        width=Width.SHORT,
        display_name="Transaction boundary interval",
    )
    yield Key(
        "offsets.storage.topic",
        Type.STRING,
        default=None,
        validator=non_empty,
        importance=Importance.LOW,
        doc="A topic of the connector's own for its offsets, in place of the worker's.",
        group="offsets.topic",
        order=1,
        width=Width.LONG,
        display_name="Offsets topic",
    )


def _at_least_if_given(least: float) -> Validator:
    check = at_least(least)

    def lenient(name: str, value: Any) -> None:
        if value is not None:
            check(name, value)

    return lenient


_PREDICATE: Final = Key(
    "predicate",
    Type.STRING,
    default=None,
    importance=Importance.MEDIUM,
    doc="The name of a predicate: the transform applies to records for which it holds.",
)
_NEGATE: Final = Key(
    "negate",
    Type.BOOLEAN,
    default=False,
    importance=Importance.MEDIUM,
    doc="Whether the transform applies where the predicate does not hold, instead.",
)


def aliased(plural: str, kind: PluginKind, around: Surroundings) -> Iterator[Key]:
    """The keys of every transform or predicate that the connector names (contract 9.5)."""
    given = around.connector.get(plural) or ""
    aliases = dict.fromkeys(part.strip() for part in given.split(",")) if given.strip() else {}
    for alias in aliases:
        yield from _alias(plural, alias, kind, around)


def _alias(plural: str, alias: str, kind: PluginKind, around: Surroundings) -> Iterator[Key]:
    prefix = f"{plural}.{alias}."
    group = f"{plural.capitalize()}: {alias}"
    title = _INTERFACES[kind]
    info = usable(around.catalog, around.connector.get(f"{prefix}type"), kind)
    checks = [class_named(around.catalog, kind)]
    if kind is PluginKind.TRANSFORMATION:
        checks.insert(0, _negates_something(prefix, around.connector))
    version = version_of(info)
    yield Key(
        f"{prefix}type",
        Type.CLASS,
        validator=all_of(*checks),
        importance=Importance.HIGH,
        doc=f"The class of the {title.lower()} named {alias}.",
        group=group,
        order=0,
        width=Width.LONG,
        display_name=f"{title} type for {alias}",
        recommender=_offer(sorted(it.class_name for it in around.catalog.plugins() if it.kind is kind)),
    )
    yield Key(
        f"{prefix}plugin.version",
        Type.STRING,
        default=version,
        importance=Importance.HIGH,
        doc=f"Which version of the {title.lower()} named {alias} to use.",
        group=group,
        order=1,
        width=Width.LONG,
        display_name=f"{title} version for {alias}",
        recommender=_offer([version] if version else []),
    )
    if info is None:
        return
    own = list(info.cls.config_def)
    if kind is PluginKind.TRANSFORMATION:
        own = [_PREDICATE, _NEGATE, *(key for key in own if key.name not in ("predicate", "negate"))]
    for order, key in enumerate(sorted(own, key=_as_read), 2):
        yield _embedded(prefix, group, order, key)


def _negates_something(prefix: str, connector: Mapping[str, str | None]) -> Validator:
    def check(_name: str, _value: Any) -> None:
        if f"{prefix}negate" in connector and f"{prefix}predicate" not in connector:
            raise ConfigError(
                prefix,
                message=f"Config '{prefix}negate' was provided but there is no config '{prefix}predicate' "
                "defining a predicate to be negated.",
            )

    return check


def _as_read(key: Key) -> tuple[bool, int, str]:
    """What must be given first, then by importance, then by name."""
    return key.default is not REQUIRED, list(Importance).index(key.importance), key.name


def _embedded(prefix: str, group: str, order: int, key: Key) -> Key:
    """A transform's own key among the connector's; its validator and recommender see the names they know."""
    validator, recommender = key.validator, key.recommender

    def check(name: str, value: Any) -> None:
        assert validator is not None
        validator(name.removeprefix(prefix), value)

    def offer(name: str, parsed: Mapping[str, Any]) -> Recommendation:
        assert recommender is not None
        own = {known.removeprefix(prefix): value for known, value in parsed.items() if known.startswith(prefix)}
        return recommender(name.removeprefix(prefix), own)

    return Key(
        prefix + key.name,
        key.type,
        default=key.default,
        validator=None if validator is None else check,
        importance=key.importance,
        doc=key.doc,
        group=group if key.group is None else f"{group}: {key.group}",
        order=order,
        width=key.width,
        display_name=key.name if key.display_name is None else key.display_name,
        dependents=tuple(prefix + name for name in key.dependents),
        recommender=None if recommender is None else offer,
        internal=key.internal,
    )

"""
A worker's configuration: the properties file that Apache Kafka Connect reads, composed into each room's settings.

All complaints come at once. Keys that nobody knows are warned about with the nearest one that somebody does, and
otherwise left alone, as Connect does (contract 2.1-2.3).
"""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import javaproperties

from runtime.contract import Problem, Type, WorkerId
from runtime.foundation.nearest import did_you_mean
from runtime.kafka.admin import InternalTopic
from runtime.kafka.settings import ClientSettings, translate, without_prefix
from runtime.rest.server import Listener
from runtime.sdk import ConfigDef, Key, all_of, at_least, list_of, one_of

_COMMON: Final = ConfigDef(
    Key("client.dns.lookup", Type.STRING, "use_all_dns_ips"),
    Key("key.converter", Type.CLASS),
    Key("value.converter", Type.CLASS),
    Key("key.converter.plugin.version", Type.STRING, None),
    Key("value.converter.plugin.version", Type.STRING, None),
    Key("header.converter", Type.CLASS, "org.apache.kafka.connect.storage.SimpleHeaderConverter"),
    Key("header.converter.plugin.version", Type.STRING, None),
    Key("task.shutdown.graceful.timeout.ms", Type.LONG, 5_000, at_least(0)),
    Key("offset.flush.interval.ms", Type.LONG, 60_000, at_least(1)),
    Key("offset.flush.timeout.ms", Type.LONG, 5_000, at_least(1)),
    Key("plugin.path", Type.LIST, None),
    Key("plugin.discovery", Type.STRING, "hybrid_warn"),
    Key("config.providers", Type.LIST, []),
    Key(
        "connector.client.config.override.policy",
        Type.STRING,
        "All",
    ),
    Key("connector.client.config.override.allowlist", Type.LIST, []),
    Key("topic.creation.enable", Type.BOOLEAN, True),
    Key("topic.tracking.enable", Type.BOOLEAN, True),
    Key("topic.tracking.allow.reset", Type.BOOLEAN, True),
    Key("listeners", Type.LIST, ["http://:8083"], list_of(empty=False, null=False)),
    Key("rest.advertised.host.name", Type.STRING, None),
    Key("rest.advertised.port", Type.INT, None),
    Key("rest.advertised.listener", Type.STRING, None),
    Key("access.control.allow.origin", Type.STRING, ""),
    Key("access.control.allow.methods", Type.STRING, ""),
    Key("admin.listeners", Type.LIST, None),
    Key("rest.extension.classes", Type.LIST, []),
    Key("response.http.headers.config", Type.STRING, ""),
    Key("ssl.client.auth", Type.STRING, "none"),
    Key("metric.reporters", Type.LIST, []),
    Key("metrics.sample.window.ms", Type.LONG, 30_000),
    Key("metrics.num.samples", Type.INT, 2),
    Key("metrics.recording.level", Type.STRING, "INFO"),
    # Ours.
    Key("host.processes", Type.INT, None),
    Key("log.level", Type.STRING, "INFO", one_of("DEBUG", "INFO", "WARNING", "ERROR", ignore_case=True)),
    Key("log.format", Type.STRING, "text", one_of("text", "json")),
)
_STANDALONE: Final = ConfigDef(
    Key("bootstrap.servers", Type.LIST, validator=list_of(empty=False, null=False)),
    Key("offset.storage.file.filename", Type.STRING),
)
_factor: Final = all_of(at_least(-1))
_DISTRIBUTED: Final = ConfigDef(
    Key("bootstrap.servers", Type.LIST, validator=list_of(empty=False, null=False)),
    Key("group.id", Type.STRING),
    Key("config.storage.topic", Type.STRING),
    Key("offset.storage.topic", Type.STRING),
    Key("status.storage.topic", Type.STRING),
    Key("config.storage.replication.factor", Type.SHORT, 3, _factor),
    Key("offset.storage.replication.factor", Type.SHORT, 3, _factor),
    Key("status.storage.replication.factor", Type.SHORT, 3, _factor),
    Key("offset.storage.partitions", Type.INT, 25, _factor),
    Key("status.storage.partitions", Type.INT, 5, _factor),
    Key("internal.topics.automatic.creation.enable", Type.BOOLEAN, True),
    Key("session.timeout.ms", Type.INT, 10_000),
    Key("heartbeat.interval.ms", Type.INT, 3_000),
    Key("rebalance.timeout.ms", Type.INT, 60_000),
    Key("worker.sync.timeout.ms", Type.INT, 3_000),
    Key("worker.unsync.backoff.ms", Type.INT, 300_000),
    Key("connect.protocol", Type.STRING, "sessioned", one_of("eager", "compatible", "sessioned", ignore_case=True)),
    Key("scheduled.rebalance.max.delay.ms", Type.INT, 300_000, at_least(0)),
    Key(
        "exactly.once.source.support",
        Type.STRING,
        "disabled",
        one_of("disabled", "preparing", "enabled", ignore_case=True),
    ),
    Key("inter.worker.key.generation.algorithm", Type.STRING, "HmacSHA256"),
    Key("inter.worker.key.size", Type.INT, None),
    Key("inter.worker.key.ttl.ms", Type.INT, 3_600_000),
    Key("inter.worker.signature.algorithm", Type.STRING, "HmacSHA256"),
    Key("inter.worker.verification.algorithms", Type.LIST, ["HmacSHA256"]),
)
_CLIENT: Final = frozenset(
    """client.id metadata.max.age.ms send.buffer.bytes receive.buffer.bytes reconnect.backoff.ms
    reconnect.backoff.max.ms retry.backoff.ms retry.backoff.max.ms request.timeout.ms connections.max.idle.ms
    socket.connection.setup.timeout.ms socket.connection.setup.timeout.max.ms bootstrap.resolve.timeout.ms
    metadata.recovery.strategy metadata.recovery.rebootstrap.trigger.ms metadata.cluster.check.enable
    security.protocol security.providers bootstrap.servers""".split()  # noqa: SIM905  one name a line would fill a page
)
_PREFIXES: Final = (
    "producer.",
    "consumer.",
    "admin.",
    "key.converter.",
    "value.converter.",
    "header.converter.",
    "config.providers.",
    "config.storage.",
    "offset.storage.",
    "status.storage.",
    "sasl.",
    "ssl.",
    "listeners.https.",
    "admin.listeners.",
    "metrics.context.",
)
_IGNORED: Final = frozenset({"internal.key.converter", "internal.value.converter"})


class SettingsError(Exception):
    """The worker's configuration is wrong; all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """A worker's configuration, checked."""

    raw: Mapping[str, str]
    """As written."""
    values: Mapping[str, Any]
    """Every key that has a definition, parsed."""
    distributed: bool
    listeners: tuple[Listener, ...]
    warnings: tuple[Problem, ...]
    """What is odd but does not keep the worker from starting."""

    @property
    def advertised_host(self) -> str:
        """The host name that others reach this worker by."""
        return self.values["rest.advertised.host.name"] or self.listeners[0].host or socket.gethostname()

    def worker_id(self, port: int) -> WorkerId:
        """``host:port`` of the advertised listener, when the first one listens on *port*."""
        return WorkerId(f"{self.advertised_host}:{self.values['rest.advertised.port'] or port}")

    def client(self, prefix: str = "") -> ClientSettings:
        """librdkafka settings for the worker's own clients; *prefix* adds ``admin.`` and the like."""
        base = {
            key: value
            for key, value in self.raw.items()
            if key in _CLIENT or key.startswith("sasl.") or (key.startswith("ssl.") and key != "ssl.client.auth")
        }
        # Of no use to librdkafka, or meant for the group protocol.
        for key in (
            "metadata.cluster.check.enable",
            "security.providers",
            "metadata.recovery.strategy",
            "metadata.recovery.rebootstrap.trigger.ms",
            "bootstrap.resolve.timeout.ms",
            "client.id",
            "socket.connection.setup.timeout.max.ms",
        ):
            base.pop(key, None)
        return translate({**base, **without_prefix(self.raw, prefix)} if prefix else base)

    def internal_topics(self) -> tuple[InternalTopic, InternalTopic, InternalTopic]:
        """Config, offset and status topic, as they are to be created."""
        return self._topic("config", 1), self._topic("offset", None), self._topic("status", None)

    def _topic(self, what: str, partitions: int | None) -> InternalTopic:
        prefix = f"{what}.storage."
        settings = without_prefix(self.raw, prefix)
        for own in ("topic", "replication.factor", "partitions", "cleanup.policy"):
            settings.pop(own, None)
        return InternalTopic(
            name=self.values[f"{prefix}topic"],
            partitions=partitions if partitions is not None else self.values[f"{prefix}partitions"],
            replication=self.values[f"{prefix}replication.factor"],
            settings=settings,
        )


def read_properties(path: Path) -> dict[str, str]:
    """
    A Java properties file.

    Raises SettingsError when there is none or it cannot be parsed.
    """
    try:
        with path.open(encoding="utf-8") as text:
            return dict(javaproperties.load(text))
    except (OSError, ValueError) as err:
        reason = err.strerror if isinstance(err, OSError) else str(err)
        raise SettingsError([Problem(str(path), f"cannot be read: {reason}")]) from err


def parse(raw: Mapping[str, str], *, distributed: bool | None = None) -> WorkerConfig:
    """
    Check a worker's configuration. Distributed unless it names an offsets file and no group, or *distributed* says.

    Raises SettingsError with everything that is wrong.
    """
    if distributed is None:
        distributed = "group.id" in raw or "offset.storage.file.filename" not in raw
    definition = (_DISTRIBUTED if distributed else _STANDALONE) + _COMMON
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for found in definition.validate(raw):
        values[found.name] = found.value
        for text in found.errors:
            problems.append(Problem(found.name, text.rstrip("."), _what_to_try(found.name)))
    listeners: list[Listener] = []
    for text in values.get("listeners") or []:
        listener = Listener.parse(text)
        if isinstance(listener, Problem):
            problems.append(listener)
        else:
            listeners.append(listener)
    if problems:
        raise SettingsError(problems)
    return WorkerConfig(
        raw=dict(raw),
        values=values,
        distributed=distributed,
        listeners=tuple(listeners),
        warnings=tuple(_oddities(raw, definition)),
    )


def _what_to_try(name: str) -> str:
    return {
        "bootstrap.servers": "name the Kafka brokers, for instance bootstrap.servers=localhost:9092",
        "group.id": "name the cluster of workers, for instance group.id=connect-cluster",
        "key.converter": "for instance key.converter=org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "for instance value.converter=org.apache.kafka.connect.json.JsonConverter",
        "config.storage.topic": "for instance config.storage.topic=connect-configs",
        "offset.storage.topic": "for instance offset.storage.topic=connect-offsets",
        "status.storage.topic": "for instance status.storage.topic=connect-status",
    }.get(name, "")


def _oddities(raw: Mapping[str, str], definition: ConfigDef) -> Iterator[Problem]:
    known = definition.keys.keys() | _CLIENT | _COMMON.keys.keys() | _STANDALONE.keys.keys() | _DISTRIBUTED.keys.keys()
    for key in raw:
        if key in _IGNORED:
            yield Problem(key, "is ignored: internal data is always JSON without schemas")
        elif key not in known and not key.startswith(_PREFIXES):
            yield Problem(key, "is not a key that a worker knows", did_you_mean(key, known))
    if str(raw.get("exactly.once.source.support", "disabled")).lower() != "disabled":
        yield Problem("exactly.once.source.support", "is not available yet: source tasks run at least once")
    for key in ("rest.extension.classes", "admin.listeners", "access.control.allow.origin"):
        if raw.get(key):
            yield Problem(key, "is not available yet and has no effect")

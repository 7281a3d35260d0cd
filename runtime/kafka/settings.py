"""
Client settings: Java's keys, which people know and have written down, as librdkafka's.

A key that librdkafka lacks is reported, never silently dropped. Later sources win: Connect's own defaults, then the
worker's ``producer.`` and so on, then the connector's ``producer.override.`` and so on (contract 2.5).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.contract import Problem

QUIET: Final = 2
"""librdkafka's own log level: only what is critical. The rest reaches us as errors, which we tell once."""

_SAME: Final = frozenset(
    {
        "acks",
        "allow.auto.create.topics",
        "auto.commit.interval.ms",
        "auto.offset.reset",
        "batch.size",
        "bootstrap.servers",
        "check.crcs",
        "client.dns.lookup",
        "client.id",
        "client.rack",
        "compression.level",
        "compression.type",
        "connections.max.idle.ms",
        "delivery.timeout.ms",
        "enable.auto.commit",
        "enable.idempotence",
        "enable.metrics.push",
        "fetch.max.bytes",
        "fetch.min.bytes",
        "group.id",
        "group.instance.id",
        "group.protocol",
        "group.remote.assignor",
        "heartbeat.interval.ms",
        "isolation.level",
        "linger.ms",
        "max.in.flight.requests.per.connection",
        "max.partition.fetch.bytes",
        "max.poll.interval.ms",
        "metadata.max.age.ms",
        "metadata.recovery.strategy",
        "reconnect.backoff.max.ms",
        "reconnect.backoff.ms",
        "request.timeout.ms",
        "retries",
        "retry.backoff.max.ms",
        "retry.backoff.ms",
        "sasl.kerberos.service.name",
        "sasl.mechanism",
        "security.protocol",
        "session.timeout.ms",
        "socket.connection.setup.timeout.ms",
        "ssl.cipher.suites",
        "ssl.key.password",
        "transaction.timeout.ms",
        "transactional.id",
    }
)
_RENAMED: Final = {
    "fetch.max.wait.ms": "fetch.wait.max.ms",
    "max.request.size": "message.max.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "send.buffer.bytes": "socket.send.buffer.bytes",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
    "ssl.truststore.certificates": "ssl.ca.pem",
    "sasl.oauthbearer.token.endpoint.url": "sasl.oauthbearer.token.endpoint.url",
}
_OURS: Final = frozenset({"key.serializer", "value.serializer", "key.deserializer", "value.deserializer"})
_NATIVE: Final = re.compile(
    r"(queue\.|queued\.|socket\.|broker\.|debug$|statistics\.|sticky\.|fetch\.queue|fetch\.wait|fetch\.error|message\."
    r"|receive\.message|ssl\.ca\.|ssl\.certificate\.|ssl\.key\.|sasl\.username$|sasl\.password$|sasl\.oauthbearer\."
    r"|topic\.metadata|enable\.gapless|partitioner$|api\.version|log_level$|batch\.num|enable\.partition\.eof$)"
)
_ASSIGNORS: Final = {
    "org.apache.kafka.clients.consumer.RangeAssignor": "range",
    "org.apache.kafka.clients.consumer.RoundRobinAssignor": "roundrobin",
    "org.apache.kafka.clients.consumer.StickyAssignor": "cooperative-sticky",
    "org.apache.kafka.clients.consumer.CooperativeStickyAssignor": "cooperative-sticky",
}
_JAAS_OPTION: Final = re.compile(r"(\w+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([^\s;]+))")


@dataclass(slots=True)
class ClientSettings:
    """Settings for one librdkafka client."""

    values: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)
    """Keys that could not be carried over; the client works without them."""
    max_poll_records: int | None = None
    """``max.poll.records``, which librdkafka leaves to the caller."""


def translate(java: Mapping[str, Any]) -> ClientSettings:
    """Java client settings, already merged, as librdkafka's."""
    made = ClientSettings({})
    for key, value in java.items():
        if value is None or key in _OURS:
            continue
        for name, translated in _one(key, value, made):
            made.values[name] = translated
    return made


def _one(key: str, value: Any, made: ClientSettings) -> Iterator[tuple[str, Any]]:
    text = str(value).strip()
    if key == "max.poll.records":
        made.max_poll_records = int(text)
    elif key == "acks":
        yield key, "all" if text == "-1" else text
    elif key == "buffer.memory":
        yield "queue.buffering.max.kbytes", max(1, int(text) // 1024)
    elif key == "isolation.level":
        yield key, text.lower()
    elif key == "request.timeout.ms":
        yield "socket.timeout.ms", text
    elif key == "delivery.timeout.ms":
        yield key, "0" if int(text) >= 2**31 - 1 else text  # 0 is librdkafka's "never"
    elif key == "retries":
        yield key, min(int(text), 2**31 - 1)
    elif key == "ssl.endpoint.identification.algorithm":
        yield key, text.lower() or "none"
    elif key == "partition.assignment.strategy":
        names = [_ASSIGNORS.get(name.strip(), name.strip()) for name in text.split(",")]
        yield key, ",".join(dict.fromkeys(names))
    elif key == "sasl.jaas.config":
        options = {m[1]: m[2] or m[3] or m[4] or "" for m in _JAAS_OPTION.finditer(text)}
        if "username" in options:
            yield "sasl.username", options["username"]
            yield "sasl.password", options.get("password", "")
        else:
            made.problems.append(Problem(key, "only logins with a user name and a password can be carried over"))
    elif key in ("ssl.truststore.location", "ssl.keystore.location"):
        yield from _store(key, text, made)
    elif key == "ssl.keystore.password":
        yield key, text
    elif key in _RENAMED:
        yield _RENAMED[key], value
    elif key in _SAME or _NATIVE.match(key):
        yield key, value
    elif key not in ("ssl.truststore.type", "ssl.keystore.type", "ssl.truststore.password"):
        made.problems.append(Problem(key, "has no counterpart in librdkafka and is left out"))


def _store(key: str, path: str, made: ClientSettings) -> Iterator[tuple[str, Any]]:
    if path.endswith((".pem", ".crt", ".cer")):
        if key == "ssl.truststore.location":
            yield "ssl.ca.location", path
        else:
            yield "ssl.certificate.location", path
            yield "ssl.key.location", path
    elif key == "ssl.keystore.location" and path.endswith((".p12", ".pfx", ".pkcs12")):
        yield key, path
    else:
        made.problems.append(
            Problem(
                key, f"{path} is in a format that librdkafka does not read", "use PEM, or PKCS#12 for the key store"
            )
        )


def without_prefix(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The part of *config* whose keys start with *prefix*, without it."""
    return {key[len(prefix) :]: value for key, value in config.items() if key.startswith(prefix)}

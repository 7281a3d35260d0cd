"""Config, offset and status tables: one suite over memory and over a real topic."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runtime.contract import ConnectorName, State, TargetState, TaskId, WorkerId
from runtime.data import DataError
from runtime.kafka.admin import Admin, InternalTopic
from runtime.kafka.errors import WrongTopic
from runtime.kafka.log import Entry, TopicLogs
from runtime.stores.config import ConfigStore, ConfigTable, RestartRequest
from runtime.stores.log import FileLog, Log, MemoryLog, TopicLog
from runtime.stores.offsets import OffsetStore, OffsetTable
from runtime.stores.status import Status, StatusStore, StatusTable, TopicUse
from tests.worlds.broker import Broker, fresh

NAME = ConnectorName("orders-cdc")
HERE, THERE = WorkerId("here:8083"), WorkerId("there:8083")

World = Callable[[Callable[[Entry], None], Callable[[Log], Awaitable[None]]], None]


@pytest.fixture(params=["memory", "topic"])
def world(request: pytest.FixtureRequest) -> World:
    """Runs a story over a log of the kind that the parameter names."""
    bootstrap = request.getfixturevalue("broker").bootstrap_servers if request.param == "topic" else ""

    def run(apply: Callable[[Entry], None], story: Callable[[Log], Awaitable[None]]) -> None:
        async def tell() -> None:
            async with _log(bootstrap, apply) as log:
                await story(log)

        asyncio.run(tell())

    return run


@asynccontextmanager
async def _log(bootstrap: str, apply: Callable[[Entry], None]) -> AsyncIterator[Log]:
    if not bootstrap:
        yield MemoryLog(apply)
        return
    topic = fresh("table")
    admin = Admin({"bootstrap.servers": bootstrap})
    await asyncio.to_thread(admin.ensure, InternalTopic(name=topic, partitions=1, replication=1))
    logs = TopicLogs({"bootstrap.servers": bootstrap}, name=fresh("reader"), admin=admin)
    await logs.start({topic: apply})
    try:
        yield TopicLog(logs, topic)
    finally:
        await logs.stop()


def test_a_connector_from_birth_to_death(world: World) -> None:
    """What is written can be read when the write returns."""
    table = ConfigTable()
    heard: list[str] = []
    table.listen(heard.append, lambda _request: None)

    async def story(log: Log) -> None:
        store = ConfigStore(table, log)
        await store.put_connector(NAME, {"name": NAME, "file": None}, TargetState.STOPPED)
        assert [NAME] == table.names()
        assert {"name": NAME, "file": None} == table.config(NAME)
        assert TargetState.STOPPED is table.target(NAME)
        await store.put_target(NAME, TargetState.STARTED)
        await store.put_tasks(NAME, [{"a": "0"}, {"a": "1"}])
        assert {TaskId(NAME, 0): {"a": "0"}, TaskId(NAME, 1): {"a": "1"}} == table.tasks(NAME)
        assert (1, table.config(NAME)) == (table.generation(NAME), table.applied(NAME))
        await store.put_tasks(NAME, [])
        assert {} == table.tasks(NAME)
        await store.delete_connector(NAME)
        assert [] == table.names()
        assert table.config(NAME) is None

    world(table.apply, story)
    assert {NAME} == set(heard)


def test_the_bytes_are_connects() -> None:
    """Keys and values are those that a Java worker reads and writes (contract 3.1)."""
    written: list[tuple[bytes | None, bytes | None]] = []

    async def story() -> None:
        store = ConfigStore(ConfigTable(), MemoryLog(lambda entry: written.append((entry.key, entry.value))))
        await store.put_connector(NAME, {"a": "b"}, TargetState.STOPPED)
        await store.put_tasks(NAME, [{"t": "1"}])
        await store.put_restart(RestartRequest(NAME, True, False))
        await store.delete_connector(NAME)

    asyncio.run(story())
    assert [
        (b"target-state-orders-cdc", b'{"state":"PAUSED","state.v2":"STOPPED"}'),
        (b"connector-orders-cdc", b'{"properties":{"a":"b"}}'),
        (b"task-orders-cdc-0", b'{"properties":{"t":"1"}}'),
        (b"commit-orders-cdc", b'{"tasks":1}'),
        (b"restart-connector-orders-cdc", b'{"include-tasks":true,"only-failed":false}'),
        (b"connector-orders-cdc", None),
        (b"target-state-orders-cdc", None),
    ] == written


def _applied(*entries: tuple[str, object]) -> ConfigTable:
    table = ConfigTable()
    for offset, (key, value) in enumerate(entries):
        data = None if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        table.apply(Entry(key.encode(), data, offset))
    return table


CONNECTOR = (f"connector-{NAME}", {"properties": {"a": "b"}})


def test_staged_tasks_count_only_when_committed() -> None:
    """Half a set of task configs is never visible."""
    table = _applied(CONNECTOR, (f"task-{NAME}-0", {"properties": {}}))
    assert {} == table.tasks(NAME)


def test_an_incomplete_commit_is_inconsistent_until_the_next() -> None:
    """Compaction may have eaten a task config: no tasks then, rather than wrong ones (contract 3.1)."""
    lost = (CONNECTOR, (f"task-{NAME}-1", {"properties": {}}), (f"commit-{NAME}", {"tasks": 2}))
    assert {} == _applied(*lost).tasks(NAME)
    whole = ((f"task-{NAME}-0", {"properties": {}}), (f"task-{NAME}-1", {"properties": {}}))
    assert 2 == len(_applied(*lost, *whole, (f"commit-{NAME}", {"tasks": 2})).tasks(NAME))


def test_garbage_is_skipped() -> None:
    """A record that nobody can read does not hide the others."""
    table = _applied(
        ("connector-x", b"\xff not json"),
        ("connector-y", {"properties": [1]}),
        ("target-state-z", {"state": "SLEEPING"}),
        ("task-noindex", {"properties": {}}),
        ("somebody-elses", {}),
        ("commit-deleted", {"tasks": 1}),
        CONNECTOR,
    )
    assert [NAME] == table.names()


def test_old_target_states_are_understood() -> None:
    """Records of workers from before STOPPED existed have no state.v2."""
    assert TargetState.PAUSED is _applied(CONNECTOR, (f"target-state-{NAME}", {"state": "PAUSED"})).target(NAME)
    assert TargetState.STARTED is _applied(
        CONNECTOR, (f"target-state-{NAME}", {"state": "PAUSED"}), (f"target-state-{NAME}", None)
    ).target(NAME)


def test_a_namesake_starts_anew() -> None:
    """Task configs of a deleted connector do not come back with a new one of that name."""
    tasks = ((f"task-{NAME}-0", {"properties": {}}), (f"commit-{NAME}", {"tasks": 1}))
    table = _applied(CONNECTOR, *tasks, (f"connector-{NAME}", None), CONNECTOR)
    assert {} == table.tasks(NAME)
    assert 1 == table.generation(NAME)


def test_every_write_of_a_configuration_counts() -> None:
    """Writing the same configuration again is a wish to restart the connector, as in Connect."""
    assert 2 == _applied(CONNECTOR, CONNECTOR).revision(NAME)
    assert 3 == _applied(CONNECTOR, CONNECTOR, (f"connector-{NAME}", None), CONNECTOR).revision(NAME)


def test_offsets_are_committed_and_forgotten(world: World) -> None:
    """The last offset of each partition counts; None removes it."""
    table = OffsetTable()

    async def story(log: Log) -> None:
        store = OffsetStore(table, log)
        await store.write(NAME, [({"file": "a"}, {"at": 1}), ({"file": "b"}, {"at": 2})])
        await store.write(NAME, [({"file": "a"}, {"at": 3}), ({"file": "b"}, None)])
        assert [{"at": 3}, None, None] == await store.read(NAME, [{"file": "a"}, {"file": "b"}, {"file": "c"}])
        assert [({"file": "a"}, {"at": 3})] == table.all(NAME)

    world(table.apply, story)


def test_a_partition_keeps_its_key_bytes() -> None:
    """Compaction needs identical bytes, whoever wrote first and in whatever order of keys."""
    table = OffsetTable()
    theirs = b'["orders-cdc",{"b":1,"a":2}]'
    table.apply(Entry(theirs, b'{"at":1}', 0))
    assert theirs == table.key(NAME, {"a": 2, "b": 1})
    assert {"at": 1} == table.offset(NAME, {"a": 2, "b": 1})
    assert b'["orders-cdc",{"file":"\xc3\xa4"}]' == table.key(NAME, {"file": "ä"})


@pytest.mark.parametrize("partition", [{"a": [1]}, {"a": {"b": 1}}, {1: "a"}])
def test_nested_offsets_are_refused(partition: dict[str, object]) -> None:
    """Only flat maps of simple values can be keys (contract 3.2)."""
    store = OffsetStore(OffsetTable(), MemoryLog(lambda _entry: None))
    with pytest.raises(DataError, match="source partition"):
        asyncio.run(store.write(NAME, [(partition, {"at": 1})]))


def test_offsets_in_a_file_survive(tmp_path: Path) -> None:
    """A standalone worker finds its offsets again; an empty or missing file holds none."""
    path = tmp_path / "sub" / "offsets"

    async def write() -> None:
        await OffsetStore(OffsetTable(), FileLog(path, lambda _entry: None)).write(NAME, [({"f": "a"}, {"at": 1})])

    FileLog(path, lambda _entry: None).load()
    asyncio.run(write())
    table = OffsetTable()
    FileLog(path, table.apply).load()
    assert {"at": 1} == table.offset(NAME, {"f": "a"})
    path.write_bytes(b"\xac\xed\x00\x05 a Java object")
    with pytest.raises(ValueError, match="no offsets file"):
        FileLog(path, table.apply).load()


def test_statuses_come_and_go(world: World) -> None:
    """What was last reported counts, until it is forgotten."""
    table = StatusTable()

    async def story(log: Log) -> None:
        store = StatusStore(table, log)
        await store.put(NAME, Status(State.RUNNING, HERE, 1, version="1"))
        await store.put(TaskId(NAME, 0), Status(State.FAILED, HERE, 1, trace="why"))
        await store.put_topic(TopicUse("lines", NAME, 0, 123))
        await log.read_to_end()
        assert table.connector(NAME) == Status(State.RUNNING, HERE, 1, version="1")
        assert "why" == table.tasks(NAME)[0].trace
        assert [TopicUse("lines", NAME, 0, 123)] == table.topics(NAME)
        assert 1 == table.newest_generation()
        await store.forget(TaskId(NAME, 0))
        await store.forget(NAME)
        await store.forget_topics(NAME)
        await log.read_to_end()
        assert (None, {}, []) == (table.connector(NAME), table.tasks(NAME), table.topics(NAME))

    world(table.apply, story)


def test_a_farewell_gives_way_to_a_younger_report() -> None:
    """A worker that lost a task must not overwrite what its new owner says (contract 3.3)."""
    table = StatusTable()

    async def story() -> None:
        store = StatusStore(table, MemoryLog(table.apply))
        await store.put(NAME, Status(State.RUNNING, THERE, 5))
        await store.put(NAME, Status(State.UNASSIGNED, HERE, 4), safe=True)
        assert State.RUNNING is (table.connector(NAME) or pytest.fail("no status")).state

    asyncio.run(story())
    late = json.dumps({"state": "UNASSIGNED", "worker_id": HERE, "generation": 4}).encode()
    young = json.dumps({"state": "RUNNING", "worker_id": THERE, "generation": 5}).encode()
    table.apply(Entry(b"status-task-orders-cdc-0", young, 0))
    table.apply(Entry(b"status-task-orders-cdc-0", late, 1))
    assert State.RUNNING is table.tasks(NAME)[0].state


def test_an_internal_topic_that_would_lose_state_is_refused(broker: Broker) -> None:
    """cleanup.policy must be compact alone, and the config topic has one partition."""
    admin = Admin({"bootstrap.servers": broker.bootstrap_servers})
    deleting = broker.fresh_topic("deleting", **{"cleanup.policy": "delete"})
    with pytest.raises(WrongTopic, match=r"cleanup\.policy=delete"):
        admin.ensure(InternalTopic(name=deleting, partitions=1, replication=1))
    wide = broker.fresh_topic("wide", partitions=2, **{"cleanup.policy": "compact"})
    with pytest.raises(WrongTopic, match="2 partitions"):
        admin.ensure(InternalTopic(name=wide, partitions=1, replication=1), single_partition=True)

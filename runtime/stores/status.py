"""
The status topic as a table: what workers last saw of connectors and tasks, in Connect's exact format (contract 3.3).
"""

import json
from dataclasses import dataclass
from typing import Any

from runtime.contract import ConnectorName, State, TaskId, WorkerId
from runtime.foundation import logs
from runtime.kafka.log import Entry
from runtime.stores.log import Log

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """One report about a connector or task."""

    state: State
    worker_id: WorkerId
    generation: int
    trace: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class TopicUse:
    """A connector has used a topic since its topics were last reset (KIP-558)."""

    topic: str
    connector: ConnectorName
    task: int
    discovered: int
    """Milliseconds since the epoch."""


class StatusTable:
    """The state of the status topic. :meth:`apply` is the only way in."""

    def __init__(self) -> None:
        self._connectors: dict[ConnectorName, Status] = {}
        self._tasks: dict[ConnectorName, dict[int, Status]] = {}
        self._topics: dict[ConnectorName, dict[str, TopicUse]] = {}

    def connector(self, name: ConnectorName) -> Status | None:
        """What was last seen of a connector."""
        return self._connectors.get(name)

    def task(self, task: TaskId) -> Status | None:
        """What was last seen of a task."""
        return self._tasks.get(task.connector, {}).get(task.index)

    def tasks(self, name: ConnectorName) -> dict[int, Status]:
        """What was last seen of a connector's tasks, by number, sorted."""
        return dict(sorted(self._tasks.get(name, {}).items()))

    def topics(self, name: ConnectorName) -> list[TopicUse]:
        """The topics a connector has used."""
        return list(self._topics.get(name, {}).values())

    def names(self) -> set[ConnectorName]:
        """All connectors that anything is known of."""
        return self._connectors.keys() | self._tasks.keys()

    def newest_generation(self) -> int:
        """The highest generation of any report, -1 when there is none."""
        tasks = (status for held in self._tasks.values() for status in held.values())
        return max((status.generation for status in [*self._connectors.values(), *tasks]), default=-1)

    def apply(self, entry: Entry) -> None:
        """Take one entry; what cannot be read is logged and skipped."""
        if entry.key is None:
            return
        key = entry.key.decode("utf-8", "replace")
        try:
            value = None if entry.value is None else json.loads(entry.value)
            if key.startswith("status-topic-"):
                self._take_topic(key[len("status-topic-") :], value)
            elif key.startswith("status-connector-"):
                self._take_connector(ConnectorName(key[len("status-connector-") :]), value)
            elif key.startswith("status-task-"):
                name, _, index = key[len("status-task-") :].rpartition("-")
                self._take_task(TaskId(ConnectorName(name), int(index)), value)
            else:
                log.warning("status.entry.unknown", key=key)
        except (KeyError, TypeError, ValueError) as err:
            log.warning("status.entry.malformed", key=key, offset=entry.offset, reason=str(err))

    def _take_connector(self, name: ConnectorName, value: Any) -> None:
        if value is None:
            self._connectors.pop(name, None)
        else:
            self._connectors[name] = _status(value)

    def _take_task(self, task: TaskId, value: Any) -> None:
        held = self._tasks.setdefault(task.connector, {})
        if value is None:
            held.pop(task.index, None)
            if not held:
                del self._tasks[task.connector]
            return
        read = _status(value)
        known = held.get(task.index)
        # A former owner's farewell may be read after the new owner's greeting.
        late = (
            read.state is State.UNASSIGNED
            and known is not None
            and known.state is State.RUNNING
            and known.worker_id != read.worker_id
            and known.generation >= read.generation
        )
        if not late:
            held[task.index] = read

    def _take_topic(self, rest: str, value: Any) -> None:
        topic, _, connector = rest.partition(":connector-")
        name = ConnectorName(connector)
        if value is None:
            self._topics.get(name, {}).pop(topic, None)
            return
        use = value["topic"]
        self._topics.setdefault(name, {})[topic] = TopicUse(
            topic, name, int(use["task"]), int(use["discoverTimestamp"])
        )


def _status(value: dict[str, Any]) -> Status:
    return Status(
        State(value["state"]),
        WorkerId(value["worker_id"]),
        int(value.get("generation") or 0),
        value.get("trace"),
        value.get("version"),
    )


class StatusStore:
    """Reads and writes the status topic."""

    def __init__(self, table: StatusTable, log: Log) -> None:
        self.table = table
        self._log = log

    async def put(self, of: ConnectorName | TaskId, status: Status, *, safe: bool = False) -> None:
        """
        Report what was seen. Raises KafkaFault.

        A *safe* report, a farewell or a failure, gives way to a younger one by another worker.
        """
        if safe and self._outdated(of, status):
            return
        value = {
            "state": status.state.value,
            "trace": status.trace,
            "worker_id": status.worker_id,
            "generation": status.generation,
            "version": status.version,
        }
        await self._log.write([(_key(of), _json(value))])

    async def forget(self, of: ConnectorName | TaskId) -> None:
        """Remove what is known of a connector or task that is no more. Raises KafkaFault."""
        await self._log.write([(_key(of), None)])

    async def put_topic(self, use: TopicUse) -> None:
        """Note that a connector uses a topic. Raises KafkaFault."""
        value = {
            "topic": {
                "name": use.topic,
                "connector": use.connector,
                "task": use.task,
                "discoverTimestamp": use.discovered,
            }
        }
        await self._log.write([(_topic_key(use.topic, use.connector), _json(value))])

    async def forget_topics(self, connector: ConnectorName) -> None:
        """Forget which topics a connector has used. Raises KafkaFault."""
        await self._log.write([(_topic_key(use.topic, connector), None) for use in self.table.topics(connector)])

    def _outdated(self, of: ConnectorName | TaskId, status: Status) -> bool:
        known = self.table.task(of) if isinstance(of, TaskId) else self.table.connector(of)
        return known is not None and known.worker_id != status.worker_id and known.generation > status.generation


def _key(of: ConnectorName | TaskId) -> bytes:
    return (f"status-task-{of}" if isinstance(of, TaskId) else f"status-connector-{of}").encode()


def _topic_key(topic: str, connector: ConnectorName) -> bytes:
    return f"status-topic-{topic}:connector-{connector}".encode()


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

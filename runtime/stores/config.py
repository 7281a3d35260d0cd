"""
The config topic as a table: connectors, target states and task configs, in Connect's exact format (contract 3.1).

Task configs are staged record by record and become active all at once with their commit record; a commit without its
full set, which compaction can cause, makes the connector *inconsistent*: it has no tasks until the next full set.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime.contract import ConnectorName, TargetState, TaskId
from runtime.foundation import logs
from runtime.kafka.log import Entry
from runtime.stores.log import Log, Write

log = logs.get(__name__)

RawConfig = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """Someone asked to restart a connector, perhaps with its tasks (KIP-745)."""

    connector: ConnectorName
    include_tasks: bool
    only_failed: bool


@dataclass(slots=True)
class _Connector:
    config: dict[str, str | None] | None = None
    revision: int = 0
    target: TargetState = TargetState.STARTED
    has_target: bool = False
    staged: dict[int, dict[str, str | None]] = field(default_factory=dict)
    tasks: dict[int, dict[str, str | None]] = field(default_factory=dict)
    generation: int = 0
    applied: dict[str, str | None] | None = None
    inconsistent: bool = False


class ConfigTable:
    """The state of the config topic. :meth:`apply` is the only way in."""

    def __init__(self) -> None:
        self._connectors: dict[ConnectorName, _Connector] = {}
        self._listeners: list[Callable[[ConnectorName], None]] = []
        self._restarts: list[Callable[[RestartRequest], None]] = []
        self.session_key: Mapping[str, Any] | None = None

    def listen(self, changed: Callable[[ConnectorName], None], restart: Callable[[RestartRequest], None]) -> None:
        """From now on, tell of connectors that changed in any way, and of requests to restart."""
        self._listeners.append(changed)
        self._restarts.append(restart)

    def names(self) -> list[ConnectorName]:
        """The connectors that exist, sorted."""
        return sorted(name for name, it in self._connectors.items() if it.config is not None)

    def config(self, name: ConnectorName) -> dict[str, str | None] | None:
        """The connector's raw configuration, references in place; None when it does not exist."""
        found = self._connectors.get(name)
        return None if found is None or found.config is None else dict(found.config)

    def revision(self, name: ConnectorName) -> int:
        """How often the configuration was written; writing the same again restarts a connector, as in Connect."""
        found = self._connectors.get(name)
        return found.revision if found is not None else 0

    def target(self, name: ConnectorName) -> TargetState:
        """What someone asked for."""
        found = self._connectors.get(name)
        return found.target if found is not None else TargetState.STARTED

    def tasks(self, name: ConnectorName) -> dict[TaskId, dict[str, str | None]]:
        """The active task configs; none while the set is inconsistent."""
        found = self._connectors.get(name)
        if found is None or found.config is None or found.inconsistent:
            return {}
        return {TaskId(name, index): dict(config) for index, config in sorted(found.tasks.items())}

    def generation(self, name: ConnectorName) -> int:
        """How often task configs have been committed since this table was new."""
        found = self._connectors.get(name)
        return found.generation if found is not None else 0

    def applied(self, name: ConnectorName) -> dict[str, str | None] | None:
        """The connector configuration that was in force when its task configs were last committed."""
        found = self._connectors.get(name)
        return found.applied if found is not None else None

    def apply(self, entry: Entry) -> None:
        """Take one entry; what cannot be read is logged and skipped."""
        if entry.key is None:
            return
        key = entry.key.decode("utf-8", "replace")
        try:
            value = None if entry.value is None else json.loads(entry.value)
        except ValueError:
            log.error("config.entry.unreadable", key=key, offset=entry.offset)
            return
        try:
            self._dispatch(key, value)
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            log.error("config.entry.malformed", key=key, offset=entry.offset, reason=str(err))

    def _dispatch(self, key: str, value: Any) -> None:
        # The order matters: "target-state-..." must not be taken for something shorter (contract 3.1).
        for prefix, take in (
            ("target-state-", self._take_target),
            ("connector-", self._take_connector),
            ("task-", self._take_task),
            ("commit-", self._take_commit),
            ("restart-connector-", self._take_restart),
        ):
            if key.startswith(prefix):
                take(key[len(prefix) :], value)
                return
        if key == "session-key":
            self.session_key = value
        elif not key.startswith(("tasks-fencing-", "logger-cluster-")):
            log.error("config.entry.unknown", key=key)

    def _of(self, name: str) -> _Connector:
        return self._connectors.setdefault(ConnectorName(name), _Connector())

    def _changed(self, name: str) -> None:
        for listener in self._listeners:
            listener(ConnectorName(name))

    def _take_target(self, name: str, value: Any) -> None:
        found = self._of(name)
        if value is None:
            found.target, found.has_target = TargetState.STARTED, False
        else:
            found.target = TargetState(value.get("state.v2") or value["state"])
            found.has_target = True
        self._changed(name)

    def _take_connector(self, name: str, value: Any) -> None:
        found = self._of(name)
        if value is None:
            # Task configs of the deleted stay in the topic; forget them, so that a namesake starts anew. The
            # generation goes on, so that nobody takes the namesake's tasks for the old ones.
            self._connectors[ConnectorName(name)] = _Connector(generation=found.generation, revision=found.revision)
        else:
            found.config = _properties(value)
            found.revision += 1
            if not found.has_target:
                found.target = TargetState.STARTED
        self._changed(name)

    def _take_task(self, rest: str, value: Any) -> None:
        name, _, index = rest.rpartition("-")
        if not name:
            raise ValueError("no task number")
        if value is None:
            self._of(name).staged.pop(int(index), None)
        else:
            self._of(name).staged[int(index)] = _properties(value)

    def _take_commit(self, name: str, value: Any) -> None:
        if value is None:
            return
        count = int(value["tasks"])
        found = self._of(name)
        if found.config is None:
            found.staged.clear()  # the connector was deleted, and its tombstone compacted away
            return
        merged = {**found.tasks, **found.staged}
        found.inconsistent = not all(index in merged for index in range(count))
        if found.inconsistent:
            log.warning("config.tasks.inconsistent", connector=name, expected=count, found=sorted(merged))
        else:
            found.tasks = {index: merged[index] for index in range(count)}
            found.generation += 1
            found.applied = dict(found.config)
        found.staged.clear()
        self._changed(name)

    def _take_restart(self, name: str, value: Any) -> None:
        if value is None:
            return
        request = RestartRequest(
            ConnectorName(name), value.get("include-tasks") is True, value.get("only-failed") is True
        )
        for listener in self._restarts:
            listener(request)


class ConfigStore:
    """Reads and writes the config topic. Writes return once they can be read back."""

    def __init__(self, table: ConfigTable, log: Log) -> None:
        self.table = table
        self._log = log

    async def put_connector(self, name: ConnectorName, config: RawConfig, target: TargetState | None = None) -> None:
        """Create or replace a connector; *target*, for a new one, is written before it. Raises KafkaFault."""
        entries: list[Write] = []
        if target is not None:
            entries.append(_target_entry(name, target))
        entries.append((f"connector-{name}".encode(), _json({"properties": dict(config)})))
        await self._write(entries)

    async def delete_connector(self, name: ConnectorName) -> None:
        """Remove a connector and its target state. Raises KafkaFault."""
        await self._write([(f"connector-{name}".encode(), None), (f"target-state-{name}".encode(), None)])

    async def put_target(self, name: ConnectorName, target: TargetState) -> None:
        """Say what is wanted of a connector. Raises KafkaFault."""
        await self._write([_target_entry(name, target)])

    async def put_tasks(self, name: ConnectorName, configs: Sequence[RawConfig]) -> None:
        """
        Exchange a connector's task configs, all at once. Raises KafkaFault.

        The commit record comes last and only after the others can be read, so that no reader sees half a set.
        """
        await self._log.read_to_end()
        await self._write(
            [
                (f"task-{name}-{index}".encode(), _json({"properties": dict(config)}))
                for index, config in enumerate(configs)
            ]
        )
        await self._write([(f"commit-{name}".encode(), _json({"tasks": len(configs)}))])

    async def put_restart(self, request: RestartRequest) -> None:
        """Ask all workers to restart what they own of a connector. Raises KafkaFault."""
        value = {"include-tasks": request.include_tasks, "only-failed": request.only_failed}
        await self._write([(f"restart-connector-{request.connector}".encode(), _json(value))])

    async def refresh(self) -> None:
        """Read to the end of the topic. Raises KafkaFault."""
        await self._log.read_to_end()

    async def _write(self, entries: Sequence[Write]) -> None:
        if entries:
            await self._log.write(entries)
            await self._log.read_to_end()


def _target_entry(name: ConnectorName, target: TargetState) -> Write:
    old = TargetState.PAUSED if target is TargetState.STOPPED else target  # for workers that know no STOPPED
    return f"target-state-{name}".encode(), _json({"state": old.value, "state.v2": target.value})


def _properties(value: Any) -> dict[str, str | None]:
    properties = value["properties"]
    if not isinstance(properties, dict):
        raise TypeError("properties is not an object")
    return {str(key): None if item is None else str(item) for key, item in properties.items()}


def _json(value: Mapping[str, Any] | Iterable[Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

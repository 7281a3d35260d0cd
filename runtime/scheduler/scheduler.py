"""
Commands and answers about connectors, for one worker that is its cluster's only member.

A command validates, writes to the config topic, reads that back and returns; the connector's lane then makes it so.
Answers come from the tables alone.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from runtime.contract import ConnectorName, State, TargetState, TaskId
from runtime.foundation import logs
from runtime.host.protocol import HostFault, HostGone
from runtime.kafka.errors import KafkaFault
from runtime.scheduler.errors import AlreadyExists, BadRequest, NotFound, NotReady
from runtime.scheduler.lane import Lane
from runtime.stores.config import ConfigStore, RestartRequest
from runtime.stores.status import Status, StatusStore
from runtime.worker.worker import Worker

log = logs.get(__name__)

Config = Mapping[str, str | None]
T = TypeVar("T")

_VALIDATE_HINT = (
    "\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerSettings:
    """What the scheduler allows for."""

    request_timeout: float = 90.0
    """Seconds a command may take (contract 1.0)."""
    group_id: str = ""


@dataclass(frozen=True, slots=True)
class ConnectorInfo:
    """What REST says of a connector."""

    name: ConnectorName
    config: Config
    tasks: list[TaskId]
    type: str


class Scheduler:
    """The commands. All raise a RequestFault when they cannot be carried out."""

    def __init__(
        self, *, configs: ConfigStore, statuses: StatusStore, worker: Worker, settings: SchedulerSettings
    ) -> None:
        self._configs = configs
        self._statuses = statuses
        self._worker = worker
        self._settings = settings
        self._lanes: dict[ConnectorName, Lane] = {}
        self._running: dict[ConnectorName, asyncio.Task[None]] = {}
        self._writing = asyncio.Lock()
        """Held while looking and writing, never while authors' code runs: a plugin that hangs holds up only itself."""
        self._types: dict[str, str] = {}
        self._restarting: set[asyncio.Task[None]] = set()
        self._ready = False
        self._closing = False

    @property
    def ready(self) -> bool:
        """Whether what the config topic says has been taken up."""
        return self._ready

    async def start(self) -> None:
        """Take up what is configured, and from now on what changes."""
        self._worker.on_lost = self._lost
        self._worker.on_reconfigure = lambda name: self._lane(name).wants_reconfiguration()
        table = self._configs.table
        table.listen(self._changed, self._restart_requested)
        for plugin in await self._worker.plugins():
            if plugin["type"] in ("source", "sink"):
                self._types[plugin["class"]] = plugin["type"]
        for name in table.names():
            self._lane(name).touch()
        await self._clean_statuses()
        self._ready = True

    async def close(self) -> None:
        """Stop everything that runs here, all connectors at once."""
        self._closing = True
        for task in [*self._running.values(), *self._restarting]:
            task.cancel()
        await asyncio.gather(*self._running.values(), *self._restarting, return_exceptions=True)
        await asyncio.gather(*(lane.shut_down() for lane in self._lanes.values()))

    # Answers.

    def names(self) -> list[ConnectorName]:
        """The connectors that exist."""
        return self._configs.table.names()

    def info(self, name: ConnectorName) -> ConnectorInfo:
        """Config, tasks and type of one connector."""
        config = self._configs.table.config(name)
        if config is None:
            raise NotFound(f"Connector {name} not found")
        return ConnectorInfo(name, config, list(self._configs.table.tasks(name)), self._type(config))

    def task_configs(self, name: ConnectorName) -> dict[TaskId, dict[str, str | None]]:
        """The task configurations that are in force."""
        if self._configs.table.config(name) is None:
            raise NotFound(f"Connector {name} not found")
        return self._configs.table.tasks(name)

    def status(self, name: ConnectorName) -> tuple[Status, dict[int, Status], str]:
        """What was last seen of a connector, its tasks, and its type."""
        found = self._statuses.table.connector(name)
        if found is None:
            raise NotFound(f"No status found for connector {name}")
        config = self._configs.table.config(name)
        return found, self._statuses.table.tasks(name), self._type(config) if config is not None else "unknown"

    def task_status(self, task: TaskId) -> Status:
        """What was last seen of a task."""
        found = self._statuses.table.task(task)
        if found is None:
            raise NotFound(f"No status found for task {task}")
        return found

    def topics(self, name: ConnectorName) -> list[str]:
        """The topics a connector has used since they were last reset."""
        return sorted(use.topic for use in self._statuses.table.topics(name))

    async def reset_topics(self, name: ConnectorName) -> None:
        """Forget which topics a connector has used."""
        await self._statuses.forget_topics(name)

    async def plugins(self) -> list[dict[str, Any]]:
        """All plugins, as ``/connector-plugins`` lists them."""
        return await self._answered(self._worker.plugins())

    async def describe(self, plugin: str, version: str | None) -> list[dict[str, Any]]:
        """The keys a plugin takes."""
        found = await self._answered(self._worker.describe(plugin, version))
        if found is None:
            raise NotFound(f"Unknown plugin {plugin}.")
        return found

    async def validate(self, config: Config) -> dict[str, Any]:
        """The body of a validate reply."""
        return await self._answered(self._worker.validate(config))

    # Commands.

    async def create(self, name: ConnectorName, config: Config, initial: TargetState | None) -> ConnectorInfo:
        """Create a connector."""
        await self._check(name, config)
        async with self._writing:
            if self._configs.table.config(name) is not None:
                raise AlreadyExists(f"Connector {name} already exists")
            await self._configs.put_connector(name, config, initial)
        return self.info(name)

    async def put(self, name: ConnectorName, config: Config) -> tuple[bool, ConnectorInfo]:
        """Create or replace a connector; whether it was created, and what it is now."""
        await self._check(name, config)
        async with self._writing:
            created = self._configs.table.config(name) is None
            await self._configs.put_connector(name, config)
        return created, self.info(name)

    async def patch(self, name: ConnectorName, changes: Config) -> ConnectorInfo:
        """Change some keys of a connector; None removes a key."""
        while True:
            there = self._configs.table.config(name)
            if there is None:
                raise NotFound(f"Connector {name} not found")
            merged = {key: value for key, value in {**there, **changes}.items() if value is not None}
            await self._check(name, merged)
            async with self._writing:
                if self._configs.table.config(name) == there:  # else somebody was faster: merge with what is new
                    await self._configs.put_connector(name, merged)
                    return self.info(name)

    async def delete(self, name: ConnectorName) -> None:
        """Delete a connector; its offsets stay."""
        async with self._writing:
            if self._configs.table.config(name) is None:
                raise NotFound(f"Connector {name} not found")
            await self._configs.delete_connector(name)

    async def set_target(self, name: ConnectorName, target: TargetState) -> None:
        """Pause, resume or stop a connector."""
        async with self._writing:
            if self._configs.table.config(name) is None:
                raise NotFound(f"Unknown connector {name}")
            if target is TargetState.STOPPED:
                await self._configs.put_tasks(name, [])
            await self._configs.put_target(name, target)

    async def restart_connector(self, name: ConnectorName) -> None:
        """Restart the connector instance alone, and wait for it."""
        if self._configs.table.config(name) is None:
            raise NotFound(f"Unknown connector: {name}")
        problem = await self._lane(name).restart_connector()
        if problem is not None:
            raise NotReady(f"Failed to start connector: {name}: {problem}")

    async def restart(self, request: RestartRequest) -> tuple[Status, dict[int, Status], str, set[int | None]]:
        """
        Ask for a restart with tasks or of what failed.

        Gives the status, and which parts of it (None: the connector) will be restarted.
        """
        name = request.connector
        if self._configs.table.config(name) is None:
            raise NotFound(f"Unknown connector: {name}")
        connector = self._statuses.table.connector(name)
        if connector is None:
            raise NotFound(f"Status for connector {name} not found")
        tasks = self._statuses.table.tasks(name)
        chosen = self._to_restart(request)
        await self._configs.put_restart(request)
        return connector, tasks, self.status(name)[2], chosen

    async def restart_task(self, task: TaskId) -> None:
        """Restart one task, and wait for it."""
        if self._configs.table.config(task.connector) is None:
            raise NotFound(f"Unknown connector: {task.connector}")
        if task not in self._configs.table.tasks(task.connector):
            raise NotFound(f"Unknown task: {task}")
        problem = await self._lane(task.connector).restart_task(task)
        if problem is not None:
            raise NotReady(f"Failed to start task: {task}: {problem}")

    # ----

    async def _check(self, name: ConnectorName, config: Config) -> None:
        """Raise BadRequest with every error of *config*, as Connect words it."""
        reply = await self.validate(config)
        errors = [text for entry in reply["configs"] for text in (entry["value"] or {}).get("errors", ())]
        if errors:
            raise BadRequest(
                f"Connector configuration is invalid and contains the following {len(errors)} error(s):\n"
                + "\n".join(errors)
                + _VALIDATE_HINT
            )

    async def _answered(self, question: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._settings.request_timeout):
                return await question
        except HostFault as err:
            if err.kind in ("unknown", "config"):
                raise BadRequest(str(err)) from err
            raise NotReady(str(err)) from err
        except HostGone as err:
            raise NotReady(f"{err}; it is being started again") from err
        except TimeoutError as err:
            raise NotReady("Request timed out. The worker is currently waiting for the connector plugin.") from err

    def _type(self, config: Config) -> str:
        given = config.get("connector.class") or ""
        exact = self._types.get(given)
        if exact is not None:
            return exact
        short = {
            alias: kind
            for class_name, kind in self._types.items()
            for alias in (class_name.rpartition(".")[2], class_name.rpartition(".")[2].removesuffix("Connector"))
        }
        return short.get(given, "unknown")

    def _lane(self, name: ConnectorName) -> Lane:
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(name, self._configs, self._worker, self._forget)
            self._running[name] = asyncio.create_task(self._supervise(lane), name=f"lane of {name}")
        return lane

    async def _supervise(self, lane: Lane) -> None:
        while True:
            try:
                await lane.run()
            except KafkaFault as err:
                log.error("lane.interrupted", connector=lane.name, reason=str(err))
            except Exception as err:
                log.error("lane.fell", connector=lane.name, exc_info=err)
            else:
                return
            await asyncio.sleep(1.0)
            lane.touch()

    def _changed(self, name: ConnectorName) -> None:
        if not self._closing:
            self._lane(name).touch()

    def _forget(self, name: ConnectorName) -> None:
        self._lanes.pop(name, None)
        self._running.pop(name, None)
        self._in_background(self._forget_statuses(name), f"farewell to {name}")

    def _in_background(self, work: Coroutine[Any, Any, None], label: str) -> None:
        task = asyncio.create_task(work, name=label)
        self._restarting.add(task)
        task.add_done_callback(self._restarting.discard)

    async def _forget_statuses(self, name: ConnectorName) -> None:
        await self._worker.settled()
        if self._configs.table.config(name) is not None:
            return  # it is back already
        for index in self._statuses.table.tasks(name):
            await self._statuses.forget(TaskId(name, index))
        if self._statuses.table.connector(name) is not None:
            await self._statuses.forget(name)
        await self._statuses.forget_topics(name)

    async def _clean_statuses(self) -> None:
        """Statuses of what is configured no more are removed (contract 3.3)."""
        existing = set(self._configs.table.names())
        for name in self._statuses.table.names():
            if name not in existing:
                await self._forget_statuses(name)

    def _lost(self, lost: list[ConnectorName | TaskId], why: str) -> None:
        for what in lost:
            name = what.connector if isinstance(what, TaskId) else what
            lane = self._lanes.get(name)
            if lane is None:
                continue
            reason = lane.lost(what, why)
            state = State.UNASSIGNED if reason is None else State.FAILED
            self._in_background(self._worker.report(what, state, reason), f"report of {what}")

    def _to_restart(self, request: RestartRequest) -> set[int | None]:
        """Which parts a request means: None stands for the connector (KIP-745)."""
        name = request.connector
        chosen: set[int | None] = set()
        connector = self._statuses.table.connector(name)
        if connector is not None and (not request.only_failed or connector.state is State.FAILED):
            chosen.add(None)
        if request.include_tasks:
            tasks = self._statuses.table.tasks(name)
            chosen |= {index for index, it in tasks.items() if not request.only_failed or it.state is State.FAILED}
        return chosen

    def _restart_requested(self, request: RestartRequest) -> None:
        if self._ready and not self._closing and self._configs.table.config(request.connector) is not None:
            self._in_background(self._restart(request), f"restart of {request.connector}")

    async def _restart(self, request: RestartRequest) -> None:
        name = request.connector
        chosen = self._to_restart(request)
        lane = self._lane(name)
        tasks = sorted(index for index in chosen if index is not None)
        for index in tasks:
            await self._worker.report(TaskId(name, index), State.RESTARTING)
        if None in chosen:
            await self._worker.report(name, State.RESTARTING)
            await lane.restart_connector()
        for index in tasks:
            await lane.restart_task(TaskId(name, index))

"""
Hosts and who runs in which; orders go to the right one, its reports become statuses.

A host that dies takes its connectors and tasks with it. The worker tells the scheduler which those were; whether they
are started again is not decided here.
"""

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime.contract import ConnectorName, State, TargetState, TaskId, WorkerId
from runtime.foundation import logs
from runtime.foundation.backoff import Backoff
from runtime.host import protocol as p
from runtime.kafka.errors import KafkaFault
from runtime.stores.offsets import OffsetStore
from runtime.stores.status import Status, StatusStore, TopicUse
from runtime.worker.host_client import HostClient

log = logs.get(__name__)

Runnable = ConnectorName | TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How this worker runs what it is given."""

    raw: Mapping[str, str]
    """The worker's configuration as written, for its hosts."""
    worker_id: WorkerId
    directory: Path | None = None
    """Where hosts run, so that relative paths in connectors' configs start there; None: where the worker does."""
    processes: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Shared task hosts at most (``host.processes``). More than cores only costs memory."""
    task_stop_timeout: float = 5.0
    """Seconds a task may take to stop (``task.shutdown.graceful.timeout.ms``) before it is given up."""
    connector_stop_timeout: float = 5.0
    """Seconds a connector may take to stop; fixed in Connect, too (contract 5.1)."""
    request_timeout: float = 90.0
    """Seconds authors' code may take to validate or to say its task configs (contract 1.0)."""
    topic_tracking: bool = True
    log_level: str = "INFO"
    log_style: str = "text"


@dataclass(slots=True)
class _Place:
    host: HostClient
    epoch: int


@dataclass(frozen=True, slots=True)
class Started:
    """A connector instance that has been started."""

    state: State
    class_name: str
    kind: str
    """``source`` or ``sink``."""
    version: str | None


class Worker:
    """The connectors and tasks of this process."""

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        offsets: OffsetStore,
        statuses: StatusStore,
        generation: Callable[[], int],
    ) -> None:
        self.settings = settings
        self._offsets = offsets
        self._statuses = statuses
        self._generation = generation
        self._hosts: list[HostClient] = []
        self._dedicated: dict[ConnectorName, HostClient] = {}
        self._starting = asyncio.Lock()
        self._places: dict[Runnable, _Place] = {}
        self._epochs = itertools.count(time.time_ns() // 1_000_000)
        self._reports: asyncio.Queue[tuple[Runnable, int, Status]] = asyncio.Queue()
        self._reporting: asyncio.Task[None] | None = None
        self._watching: set[asyncio.Task[None]] = set()
        self._plugins: list[dict[str, Any]] | None = None
        self._closing = False
        self.on_lost: Callable[[list[Runnable], str], None] = lambda _lost, _why: None
        """Told when a host died: what ran in it, and how it ended."""
        self.on_reconfigure: Callable[[ConnectorName], None] = lambda _name: None
        """Told when a connector wants its task configs asked for again."""

    async def start(self) -> None:
        """Have one host ready, so that the first connector need not wait for it."""
        self._reporting = asyncio.create_task(self._write_statuses(), name="status writer")
        await self._shared_host()

    async def close(self) -> None:
        """End all hosts, after the statuses that are on their way have been written."""
        self._closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(5.0):
                await self._reports.join()
        if self._reporting is not None:
            self._reporting.cancel()
        hosts = {*self._hosts, *self._dedicated.values()}
        await asyncio.gather(*(host.end(2.0) for host in hosts if not host.gone.done()))
        if self._watching:
            await asyncio.gather(*self._watching)

    # Questions that any host can answer.

    async def plugins(self) -> list[dict[str, Any]]:
        """All plugins that can run here, as ``/connector-plugins`` lists them."""
        if self._plugins is None:
            self._plugins = await self._question(p.ListPlugins())
        return self._plugins

    async def describe(self, plugin: str, version: str | None) -> list[dict[str, Any]] | None:
        """The keys a plugin takes, None when there is no such plugin. Raises HostFault."""
        found: list[dict[str, Any]] | None = await self._question(p.DescribePlugin(name=plugin, version=version))
        return found

    async def validate(self, config: Mapping[str, str | None]) -> dict[str, Any]:
        """The body of a validate reply. Raises HostFault, TimeoutError."""
        reply: dict[str, Any] = await self._question(p.Validate(config=dict(config)))
        return reply

    # Orders. All raise HostFault with the author's or our reason, and HostGone.

    async def start_connector(
        self, name: ConnectorName, config: Mapping[str, str | None], target: TargetState
    ) -> Started:
        """Start a connector, in a host of its own where ``tasks.isolation=dedicated`` asks for it."""
        host = await self._host_for(name, config)
        place = self._places[name] = _Place(host, next(self._epochs))
        order = p.StartConnector(name=name, config=dict(config), target=target.value, epoch=place.epoch)
        said = await host.ask(order, timeout=self.settings.request_timeout)
        return Started(State(said["state"]), said["name"], said["kind"], said["version"])

    async def stop_connector(self, name: ConnectorName) -> None:
        """Stop a connector; one that does not stop in time is given up and reported UNASSIGNED."""
        place = self._places.get(name)
        if place is None:
            return
        try:
            await place.host.ask(p.StopConnector(name=name), timeout=self.settings.connector_stop_timeout)
        except TimeoutError:
            log.error("connector.overdue", connector=name)
            self._report(name, place.epoch, Status(State.UNASSIGNED, self.settings.worker_id, self._generation()))
        except (p.HostFault, p.HostGone) as err:
            log.debug("connector.stop.unheard", connector=name, reason=str(err))
        finally:
            if self._places.get(name) is place:
                del self._places[name]

    async def target_connector(self, name: ConnectorName, target: TargetState) -> State:
        """Pause, resume or stop a connector that stays here."""
        said = await self._ask(name, p.TargetConnector(name=name, target=target.value))
        return State(said)

    async def task_configs(self, name: ConnectorName) -> list[dict[str, str | None]]:
        """Ask a connector for its task configurations."""
        said: list[dict[str, str | None]] = await self._ask(name, p.TaskConfigs(name=name))
        return said

    async def start_task(
        self,
        task: TaskId,
        connector_config: Mapping[str, str | None],
        task_config: Mapping[str, str | None],
        target: TargetState,
    ) -> None:
        """Start a task; what becomes of it is reported in its status."""
        host = await self._host_for(task.connector, connector_config)
        place = self._places[task] = _Place(host, next(self._epochs))
        order = p.StartTask(
            connector=task.connector,
            index=task.index,
            epoch=place.epoch,
            connector_config=dict(connector_config),
            task_config=dict(task_config),
            target=target.value,
        )
        try:
            await host.ask(order, timeout=self.settings.request_timeout)
        except BaseException:
            if self._places.get(task) is place:
                del self._places[task]
            raise

    async def stop_task(self, task: TaskId) -> None:
        """Stop a task; one that does not end in time is given up."""
        place = self._places.get(task)
        if place is None:
            return
        patience = self.settings.task_stop_timeout
        order = p.StopTask(connector=task.connector, index=task.index, patience=patience)
        try:
            ended = await place.host.ask(order, timeout=patience + 5.0)
            if not ended:
                self._report(task, place.epoch, Status(State.UNASSIGNED, self.settings.worker_id, self._generation()))
        except (p.HostFault, p.HostGone, TimeoutError) as err:
            log.debug("task.stop.unheard", task=str(task), reason=str(err))
        finally:
            if self._places.get(task) is place:
                del self._places[task]

    async def target_task(self, task: TaskId, target: TargetState) -> None:
        """Pause or resume a task."""
        await self._ask(task, p.TargetTask(connector=task.connector, index=task.index, target=target.value))

    def runs(self, what: Runnable) -> bool:
        """Whether a connector or task is in one of our hosts."""
        return what in self._places

    async def report(self, what: Runnable, state: State, trace: str | None = None, version: str | None = None) -> None:
        """Write a status that no host reports, for instance of what could not be started."""
        status = Status(state, self.settings.worker_id, self._generation(), trace, version)
        self._report(what, next(self._epochs), status)
        await self._reports.join()

    async def forget_tasks_but(self, name: ConnectorName, tasks: set[TaskId]) -> None:
        """Remove the statuses of a connector's tasks that are no more."""
        gone = [it for index in self._statuses.table.tasks(name) if (it := TaskId(name, index)) not in tasks]
        if gone:
            await self._reports.join()  # their farewells come first
            for task in gone:
                await self._statuses.forget(task)

    async def settled(self) -> None:
        """Wait until all statuses reported so far are written."""
        await self._reports.join()

    # ----

    async def _ask(self, what: Runnable, body: p.Body) -> Any:
        place = self._places.get(what)
        if place is None:
            raise p.HostGone(f"{what} does not run here")
        return await place.host.ask(body, timeout=self.settings.request_timeout)

    async def _question(self, body: p.Body) -> Any:
        for host in self._hosts:
            if host.alive:
                return await host.ask(body, timeout=self.settings.request_timeout)
        return await (await self._shared_host()).ask(body, timeout=self.settings.request_timeout)

    async def _host_for(self, name: ConnectorName, config: Mapping[str, str | None]) -> HostClient:
        if (config.get("tasks.isolation") or "").strip().lower() == "dedicated":
            async with self._starting:
                own = self._dedicated.get(name)
                if own is None or not own.alive:
                    own = self._dedicated[name] = await self._new_host()
                return own
        async with self._starting:
            alive = [host for host in self._hosts if host.alive]
            load = {host: sum(place.host is host for place in self._places.values()) for host in alive}
            least = min(alive, key=load.__getitem__, default=None)
            if least is not None and (load[least] == 0 or len(alive) >= self.settings.processes):
                return least
            host = await self._new_host()
            self._hosts.append(host)
            return host

    async def _shared_host(self) -> HostClient:
        async with self._starting:
            for host in self._hosts:
                if host.alive:
                    return host
            host = await self._new_host()
            self._hosts.append(host)
            return host

    async def _new_host(self) -> HostClient:
        hello = p.Hello(
            worker=dict(self.settings.raw), log_level=self.settings.log_level, log_style=self.settings.log_style
        )
        host = await HostClient.start(hello, self._handle, directory=self.settings.directory)
        self._aside(self._watch(host), f"watch over host {host.pid}")
        return host

    def _aside(self, work: Coroutine[Any, Any, None], label: str) -> None:
        task = asyncio.create_task(work, name=label)
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def _watch(self, host: HostClient) -> None:
        code = await host.gone
        if host in self._hosts:
            self._hosts.remove(host)
        for name, own in list(self._dedicated.items()):
            if own is host:
                del self._dedicated[name]
        lost = [what for what, place in self._places.items() if place.host is host]
        for what in lost:
            del self._places[what]
        if self._closing:
            return
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        log.error("host.died", pid=host.pid, how=how, lost=[str(what) for what in lost])
        self.on_lost(lost, f"the task host process {host.pid} ended with {how}")

    async def _handle(self, body: p.Body) -> Any:
        match body:
            case p.Reported(connector=connector, index=index, epoch=epoch, state=state) as report:
                name = ConnectorName(connector)
                what: Runnable = name if index is None else TaskId(name, index)
                place = self._places.get(what)
                if place is None or place.epoch == epoch:
                    generation = self._generation()
                    worker_id = self.settings.worker_id
                    status = Status(State(state), worker_id, generation, report.trace, report.version)
                    self._report(what, epoch, status)
            case p.Reconfigure(connector=connector):
                self.on_reconfigure(ConnectorName(connector))
            case p.TopicUsed(connector=connector, index=index, topic=topic):
                # On the side: what the host says next must not wait for a write to Kafka.
                self._aside(self._topic_used(ConnectorName(connector), index, topic), f"topic of {connector}")
            case p.ReadOffsets(connector=connector, partitions=partitions):
                return await self._offsets.read(ConnectorName(connector), partitions)
            case p.WriteOffsets(connector=connector, offsets=offsets):
                await self._offsets.write(ConnectorName(connector), offsets)
            case other:
                log.error("worker.report.unknown", report=type(other).__name__)
        return None

    async def _topic_used(self, connector: ConnectorName, index: int, topic: str) -> None:
        if not self.settings.topic_tracking:
            return
        if any(use.topic == topic for use in self._statuses.table.topics(connector)):
            return
        try:
            await self._statuses.put_topic(TopicUse(topic, connector, index, time.time_ns() // 1_000_000))
        except KafkaFault as err:
            log.warning("topic.use.unrecorded", connector=connector, topic=topic, reason=str(err))

    def _report(self, what: Runnable, epoch: int, status: Status) -> None:
        self._reports.put_nowait((what, epoch, status))

    async def _write_statuses(self) -> None:
        """One after another, so that nobody reads them out of order; tried again until Kafka is back."""
        while True:
            what, epoch, status = await self._reports.get()
            try:
                await self._write_status(what, epoch, status)
            finally:
                self._reports.task_done()

    async def _write_status(self, what: Runnable, epoch: int, status: Status) -> None:
        safe = status.state in (State.FAILED, State.UNASSIGNED)
        for delay in Backoff(first=0.25, most=5.0).delays():
            place = self._places.get(what)
            if place is not None and place.epoch > epoch:
                return  # a younger incarnation has its own story
            try:
                await self._statuses.put(what, status, safe=safe)
            except KafkaFault as err:
                if not err.retriable:
                    log.error("status.unwritten", of=str(what), state=status.state.value, reason=str(err))
                    return
                await asyncio.sleep(delay)
            else:
                return

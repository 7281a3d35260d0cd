"""
One connector's lane: brings what runs of it here to what the config topic says, one step after another.

A lane is level-triggered. It is told that something changed, reads everything again and converges, so a missed or
doubled trigger is harmless. Lanes do not wait for one another.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runtime.contract import ConnectorName, State, TargetState, TaskId
from runtime.foundation import logs
from runtime.foundation.backoff import Backoff
from runtime.host.protocol import HostFault, HostGone
from runtime.kafka.errors import KafkaFault
from runtime.stores.config import ConfigStore
from runtime.worker.worker import Worker

log = logs.get(__name__)

CRASHES_ALLOWED = 3
"""How often a host may die under one connector within :data:`CRASH_WINDOW` before its part is FAILED."""
CRASH_WINDOW = 60.0
"""Seconds."""

Config = dict[str, str | None]


@dataclass(slots=True)
class _Instance:
    """The connector that runs here."""

    revision: int
    """Of the configuration it was started with."""
    target: TargetState
    state: State


@dataclass(slots=True)
class _Task:
    """A task that runs here, or failed to start here."""

    config: Config
    connector_config: Config
    generation: int
    target: TargetState


@dataclass(slots=True)
class Lane:
    """What is known of one connector here, and the work that is under way."""

    name: ConnectorName
    configs: ConfigStore
    worker: Worker
    forget: Callable[[ConnectorName], Any]
    """Called when the connector is gone and nothing runs any more."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held for every step; whoever restarts something by command takes it, too."""
    _instance: _Instance | None = None
    _tasks: dict[TaskId, _Task] = field(default_factory=dict)
    _reconfigure: bool = False
    _dirty: asyncio.Event = field(default_factory=asyncio.Event)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _crashes: dict[ConnectorName | TaskId, list[float]] = field(default_factory=dict)
    _retry: asyncio.TimerHandle | None = None
    _delays: Any = None

    @property
    def instance_state(self) -> State | None:
        """The state the connector instance was last brought to here."""
        return self._instance.state if self._instance is not None else None

    def touch(self) -> None:
        """Something changed: look again."""
        self._idle.clear()
        self._dirty.set()

    def wants_reconfiguration(self) -> None:
        """The connector asks for its task configs to be asked for again."""
        self._reconfigure = True
        self.touch()

    def lost(self, what: ConnectorName | TaskId, why: str) -> str | None:
        """
        A host died with *what* in it. Start it again, unless that has happened too often.

        Gives the reason to report when it is to stay down.
        """
        now = asyncio.get_running_loop().time()
        recent = [at for at in self._crashes.get(what, []) if now - at < CRASH_WINDOW]
        self._crashes[what] = [*recent, now]
        given_up = len(recent) >= CRASHES_ALLOWED
        if isinstance(what, TaskId):
            if not given_up:
                self._tasks.pop(what, None)
        elif not given_up:
            self._instance = None
        elif self._instance is not None:
            self._instance.state = State.FAILED
        self.touch()
        if not given_up:
            return None
        return f"{why}; that was {len(recent) + 1} times within {CRASH_WINDOW:g} s, it is not started again"

    async def run(self) -> None:
        """Converge whenever touched, until cancelled or the connector is gone."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            async with self.lock:
                gone = await self._converge()
            if not self._dirty.is_set():
                self._idle.set()
            if gone and not self._dirty.is_set():
                self.forget(self.name)
                return

    async def idle(self) -> None:
        """Wait until there is nothing to do for now."""
        await self._idle.wait()

    async def shut_down(self) -> None:
        """Stop all that runs of the connector here: tasks first."""
        async with self.lock:
            await self._stop_tasks(list(self._tasks))
            if self._instance is not None:
                await self.worker.stop_connector(self.name)
                self._instance = None

    async def restart_connector(self) -> str | None:
        """Stop and start the connector instance; the reason when it then is FAILED. Lock taken here."""
        async with self.lock:
            await self.worker.stop_connector(self.name)
            self._instance = None
            self._crashes.pop(self.name, None)
            problem = await self._start_instance()
        self.touch()
        return problem

    async def restart_task(self, task: TaskId) -> str | None:
        """Stop and start one task; the reason when it could not be started. Lock taken here."""
        async with self.lock:
            self._crashes.pop(task, None)
            await self._stop_tasks([task])
            config = self.configs.table.tasks(self.name).get(task)
            if config is None:
                return None
            return await self._start_task(task, config)

    # ----

    async def _converge(self) -> bool:
        """
        One look. True when the connector is gone and nothing of it is left.

        1. gone, or to be stopped: its tasks end, then the instance;
        2. the instance runs with the present config and target, restarted when the config changed;
        3. a running instance that was (re)started, resumed or asks for it says its task configs, which are
           written down when they or the config they came from changed;
        4. the tasks that run are those written down.
        """
        want = self.configs.table.config(self.name)
        target = self.configs.table.target(self.name)
        if want is None:
            await self._stop_tasks(list(self._tasks))
            if self._instance is not None:
                await self.worker.stop_connector(self.name)
                self._instance = None
            return True
        if target is TargetState.STOPPED:
            await self._stop_tasks(list(self._tasks))
        ask = self._reconfigure
        if self._instance is None or self._instance.revision != self.configs.table.revision(self.name):
            if self._instance is not None:
                await self.worker.stop_connector(self.name)
                self._instance = None
            await self._start_instance()
            ask = True
        elif self._instance.target is not target:
            ask = await self._move_instance(target) or ask
        if ask and self._instance is not None and self._instance.state is State.RUNNING:
            await self._ask_for_tasks(want)
        await self._converge_tasks()
        return False

    async def _start_instance(self) -> str | None:
        config = self.configs.table.config(self.name)
        revision = self.configs.table.revision(self.name)
        target = self.configs.table.target(self.name)
        if config is None:
            return None
        state, problem, version = State.FAILED, None, None
        try:
            started = await self.worker.start_connector(self.name, config, target)
            state, version = started.state, started.version
            if state is State.FAILED:
                problem = "the connector failed to start; its status has the trace"
        except HostGone as err:
            problem = str(err)
            if not self.worker.runs(self.name):  # the death of the host is told separately and leads to a new start
                self._instance = None
                return problem
        except (HostFault, TimeoutError) as err:
            problem = str(err) or "the connector did not start in time"
            trace = err.trace if isinstance(err, HostFault) and err.trace else problem
            await self.worker.report(self.name, State.FAILED, trace, version)
        self._instance = _Instance(revision, target, state)
        return problem

    async def _move_instance(self, target: TargetState) -> bool:
        """Pause, resume or stop; True when task configs should be asked for afterwards."""
        assert self._instance is not None
        try:
            self._instance.state = await self.worker.target_connector(self.name, target)
        except (HostFault, HostGone, TimeoutError) as err:
            # It was never constructed, or its host is gone: there is nothing to move but what people see.
            log.warning("connector.unmoved", connector=self.name, target=target.value, reason=str(err))
            if target is not TargetState.STARTED and self._instance.state is not State.FAILED:
                await self.worker.report(self.name, _REACHED[target])
        self._instance.target = target
        return target is TargetState.STARTED

    async def _ask_for_tasks(self, config: Config) -> None:
        self._reconfigure = False
        try:
            configs = await self.worker.task_configs(self.name)
            await self._publish(config, configs)
        except HostFault as err:
            if err.kind == "config":  # too many tasks: the contract fails the connector
                assert self._instance is not None
                self._instance.state = State.FAILED
                await self.worker.report(self.name, State.FAILED, str(err))
                return
            self._ask_later(str(err))
        except (HostGone, TimeoutError, KafkaFault) as err:
            self._ask_later(str(err) or "no answer in time")
        else:
            self._delays = None

    def _ask_later(self, reason: str) -> None:
        if self._delays is None:
            self._delays = Backoff(first=0.25, most=60.0).delays()
        delay = next(self._delays)
        log.error("connector.tasks.unknown", connector=self.name, reason=reason, again_in=round(delay, 2))
        self._retry = asyncio.get_running_loop().call_later(delay, self.wants_reconfiguration)

    async def _publish(self, config: Config, configs: list[Config]) -> None:
        there = list(self.configs.table.tasks(self.name).values())
        if there == configs and self.configs.table.applied(self.name) == config:
            return
        await self.configs.put_tasks(self.name, configs)

    async def _converge_tasks(self) -> None:
        table = self.configs.table
        target = table.target(self.name)
        generation = table.generation(self.name)
        wanted = {} if target is TargetState.STOPPED else table.tasks(self.name)
        stale = [
            task
            for task, running in self._tasks.items()
            if task not in wanted or running.generation != generation or running.config != wanted[task]
        ]
        await self._stop_tasks(stale)
        await self.worker.forget_tasks_but(self.name, set(table.tasks(self.name)))
        for task, config in wanted.items():
            running = self._tasks.get(task)
            if running is None:
                await self._start_task(task, config)
            elif running.target is not target:
                running.target = target
                try:
                    await self.worker.target_task(task, target)
                except (HostFault, HostGone, TimeoutError) as err:
                    log.warning("task.unmoved", task=str(task), target=target.value, reason=str(err))

    async def _start_task(self, task: TaskId, config: Config) -> str | None:
        table = self.configs.table
        connector_config = table.config(self.name)
        if connector_config is None:
            return None
        target = table.target(self.name)
        self._tasks[task] = _Task(config, connector_config, table.generation(self.name), target)
        try:
            await self.worker.start_task(task, connector_config, config, target)
        except HostGone as err:
            self._tasks.pop(task, None)
            self.touch()
            return str(err)
        except (HostFault, TimeoutError) as err:
            problem = str(err) or "the task did not start in time"
            trace = err.trace if isinstance(err, HostFault) and err.trace else problem
            await self.worker.report(task, State.FAILED, trace)
            return problem
        return None

    async def _stop_tasks(self, tasks: list[TaskId]) -> None:
        if tasks:
            await asyncio.gather(*(self.worker.stop_task(task) for task in tasks))
        for task in tasks:
            self._tasks.pop(task, None)


_REACHED = {TargetState.PAUSED: State.PAUSED, TargetState.STOPPED: State.STOPPED}

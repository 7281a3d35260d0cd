"""
The inside of a task host: ``python -m runtime.host FD``.

The main thread reads the socket and hands every order to a thread: connectors and tasks have one each, questions about
plugins share a few. When the worker is gone, whatever the way, the process ends at once: its tasks must not run beside
those that another worker may start.
"""

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runtime.catalog import CONNECTORS, Catalog, PluginKind, UnknownPlugin
from runtime.contract import ConnectorName, State, TargetState, TaskId
from runtime.data import ConnectError
from runtime.foundation import logs, memory
from runtime.foundation.secret import scrub
from runtime.host import protocol as p
from runtime.host.building import TaskBuilder
from runtime.host.connectors import NoOffsets, RunningConnector
from runtime.host.link import Link
from runtime.kafka.errors import BrokerUnreachable, KafkaFault
from runtime.sdk import ConfigError, Connector, RetriableError
from runtime.tasks.source import RunningSourceTask
from runtime.tasks.task import RunningTask

log = logs.get(__name__)

_OFFSETS_PATIENCE = 60.0
"""Seconds a task may wait for its committed offsets at start; a cluster that comes back takes a while."""


class _Reports:
    """A task's reports, on their way to the worker."""

    def __init__(self, link: Link, epoch: int, version: str | None) -> None:
        self._link = link
        self._epoch = epoch
        self._version = version

    def status(self, task: TaskId, state: State, trace: str | None = None) -> None:
        self._link.report(
            p.Reported(
                connector=task.connector,
                index=task.index,
                epoch=self._epoch,
                state=state.value,
                trace=trace,
                version=self._version,
            )
        )

    def topic_used(self, task: TaskId, topic: str) -> None:
        self._link.report(p.TopicUsed(connector=task.connector, index=task.index, topic=topic))


class _Offsets:
    """The worker's offset store, asked over the socket."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def read(self, connector: str, partitions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any] | None]:
        asked = p.ReadOffsets(connector=connector, partitions=[dict(it) for it in partitions])
        found: list[Mapping[str, Any] | None] = self._ask(asked, _OFFSETS_PATIENCE)
        return found

    def write(
        self,
        connector: str,
        offsets: Sequence[tuple[Mapping[str, Any], Mapping[str, Any] | None]],
        *,
        timeout: float,
    ) -> None:
        flat = [(dict(partition), None if offset is None else dict(offset)) for partition, offset in offsets]
        self._ask(p.WriteOffsets(connector=connector, offsets=flat), timeout)

    def _ask(self, body: p.Body, timeout: float) -> Any:
        try:
            return self._link.ask(body, timeout=timeout)
        except TimeoutError:
            raise BrokerUnreachable(f"the offset store did not answer within {timeout:g} s") from None
        except p.HostGone as err:
            raise KafkaFault(str(err)) from err
        except p.HostFault as err:
            if err.kind == "retriable":
                raise BrokerUnreachable(str(err)) from err
            raise ConnectError(str(err)) from err


class _ConnectorOffsets:
    def __init__(self, offsets: _Offsets, connector: str) -> None:
        self._offsets = offsets
        self._connector = connector

    def offsets(self, partitions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any] | None]:
        return self._offsets.read(self._connector, partitions)


class Host:
    """All that runs in this process."""

    def __init__(self, link: Link, hello: p.Hello) -> None:
        self._link = link
        self._builder = TaskBuilder(hello.worker)
        self._catalog: Catalog = self._builder.catalog
        self._connectors: dict[str, RunningConnector] = {}
        self._tasks: dict[TaskId, RunningTask] = {}
        self._offsets = _Offsets(link)
        self._commit_thread = threading.Thread(target=self._commit_for_ever, name="offset committer", daemon=True)
        self._commit_thread.start()

    def handle(self, envelope: p.Envelope) -> None:
        """Take one order; never blocks."""
        match envelope.body:
            case p.StartConnector() as order:
                self._start_connector(envelope.ask, order)
            case p.StopConnector(name=name):
                running = self._connectors.pop(name, None)
                self._on_connector(envelope.ask, running, lambda it: it.end())
            case p.TargetConnector(name=name, target=target):
                self._on_connector(
                    envelope.ask, self._connectors.get(name), lambda it: it.move(TargetState(target)).value
                )
            case p.TaskConfigs(name=name):
                self._on_connector(envelope.ask, self._connectors.get(name), self._task_configs)
            case p.StartTask() as start:
                self._in_thread(envelope.ask, f"start {start.connector}-{start.index}", lambda: self._start_task(start))
            case p.StopTask() as stop:
                self._in_thread(envelope.ask, f"stop {stop.connector}-{stop.index}", lambda: self._stop_task(stop))
            case p.TargetTask(connector=connector, index=index, target=target):
                task = self._tasks.get(TaskId(ConnectorName(connector), index))
                if task is not None:
                    task.set_target(TargetState(target))
                self._answer(envelope.ask, lambda: None)
            case p.ListPlugins():
                self._question(envelope.ask, self._list_plugins)
            case p.DescribePlugin(name=name, version=version):
                self._question(envelope.ask, lambda: self._builder.describe(name, version))
            case p.Validate() as asked:
                self._question(envelope.ask, lambda: self._builder.validate(asked.config))
            case other:
                log.error("host.order.unknown", order=type(other).__name__)

    # Connectors.

    def _start_connector(self, ask: int, order: p.StartConnector) -> None:
        def begin() -> p.Plugin:
            info = self._catalog.find(order.config.get("connector.class") or "", CONNECTORS)
            return p.Plugin(name=info.class_name, kind=info.kind.value, version=info.version)

        try:
            about = begin()
            config = self._builder.resolve(order.config)
            make = self._maker(about.name)
        except Exception as err:  # noqa: BLE001  told to the worker, which reports the connector FAILED
            self._link.answer(ask, failed=failure(err))
            return
        source = about.kind == PluginKind.SOURCE.value

        def report(state: State, trace: str | None) -> None:
            self._link.report(
                p.Reported(
                    connector=order.name,
                    index=None,
                    epoch=order.epoch,
                    state=state.value,
                    trace=trace,
                    version=about.version,
                )
            )

        running = RunningConnector(
            order.name,
            make,
            config,
            raw=order.config,
            offsets=_ConnectorOffsets(self._offsets, order.name) if source else NoOffsets(),
            report=report,
            reconfigure=lambda: self._link.report(p.Reconfigure(connector=order.name)),
        )
        former = self._connectors.pop(order.name, None)
        if former is not None:
            former.give_up()
        self._connectors[order.name] = running

        def begun(it: RunningConnector) -> dict[str, Any]:
            state = it.begin(TargetState(order.target))
            return {"state": state.value, "name": about.name, "kind": about.kind, "version": about.version}

        self._on_connector(ask, running, begun)

    def _maker(self, class_name: str) -> Callable[[], Connector]:
        made = self._catalog.load(class_name, CONNECTORS)

        def make() -> Connector:
            connector = made()
            if not isinstance(connector, Connector):
                raise ConnectError(f"{class_name} is no connector")
            return connector

        return make

    def _on_connector(
        self, ask: int, running: RunningConnector | None, work: Callable[[RunningConnector], Any]
    ) -> None:
        if running is None:
            self._link.answer(ask, failed=p.Failed(kind="unknown", message="the connector is not in this host"))
            return
        it = running
        future = it.submit(lambda: work(it))

        def done(_: object) -> None:
            error = future.exception()
            if error is None:
                self._link.answer(ask, result=future.result())
            else:
                self._link.answer(ask, failed=failure(error))

        future.add_done_callback(done)

    def _task_configs(self, running: RunningConnector) -> list[p.Config]:
        return self._builder.task_configs(running.raw, running.task_configs)

    # Tasks.

    def _start_task(self, order: p.StartTask) -> dict[str, Any]:
        task_id = TaskId(ConnectorName(order.connector), order.index)
        version = self._catalog.find(order.connector_config.get("connector.class") or "", CONNECTORS).version
        reports = _Reports(self._link, order.epoch, version)
        made = self._builder.task(
            task_id,
            order.connector_config,
            order.task_config,
            target=TargetState(order.target),
            reports=reports,
            offsets=self._offsets,
        )
        former = self._tasks.get(task_id)
        if former is not None:
            former.cancel()
        self._tasks[task_id] = made
        threading.Thread(target=self._run, args=(made,), name=f"task {task_id}", daemon=True).start()
        return {"version": version}

    def _run(self, task: RunningTask) -> None:
        try:
            task.run()
        except p.HostGone:
            return  # the process is about to end
        finally:
            if self._tasks.get(task.id) is task:
                del self._tasks[task.id]

    def _stop_task(self, order: p.StopTask) -> bool:
        task = self._tasks.get(TaskId(ConnectorName(order.connector), order.index))
        if task is None:
            return True
        task.stop()
        if task.finished.wait(order.patience):
            return True
        task.cancel()
        log.error("task.overdue", task=str(task.id), patience=order.patience)
        return False

    def _commit_for_ever(self) -> None:
        """Each task every ``offset.flush.interval.ms``, the first time one interval after its start."""
        interval = self._builder.flush_interval
        due: dict[RunningTask, float] = {}
        while True:
            now = time.monotonic()
            tasks = [task for task in list(self._tasks.values()) if isinstance(task, RunningSourceTask)]
            due = {task: due.get(task, now + interval) for task in tasks}
            for task in tasks:
                if now >= due[task]:
                    task.commit()
                    due[task] = time.monotonic() + interval
            soonest = min(due.values(), default=now + interval)
            # A daemon thread: it ends with the process, and looks up often enough for new tasks.
            threading.Event().wait(max(0.05, min(soonest - time.monotonic(), interval, 1.0)))

    # Questions.

    def _list_plugins(self) -> list[dict[str, Any]]:
        return [
            {"class": info.class_name, "type": info.kind.value, "version": info.version}
            for info in self._catalog.plugins()
            if info.kind is not PluginKind.CONFIG_PROVIDER
        ]

    def _question(self, ask: int, work: Callable[[], Any]) -> None:
        # A thread each: a plugin that hangs in its validation must not use up the threads of others.
        self._in_thread(ask, "question", work)

    def _in_thread(self, ask: int, name: str, work: Callable[[], Any]) -> None:
        threading.Thread(target=self._answer, args=(ask, work), name=name, daemon=True).start()

    def _answer(self, ask: int, work: Callable[[], Any]) -> None:
        try:
            result = work()
        except Exception as err:  # noqa: BLE001  told to whoever asked
            self._link.answer(ask, failed=failure(err))
        else:
            self._link.answer(ask, result=result)


def failure(err: BaseException) -> p.Failed:
    """An exception as an answer: what to do about it, and what to tell people."""
    import traceback

    match err:
        case ConfigError():
            kind = "config"
        case UnknownPlugin():
            kind = "unknown"
        case RetriableError():
            kind = "retriable"
        case _:
            kind = "error"
    return p.Failed(
        kind=kind,
        message=scrub(str(err)) or type(err).__name__,
        trace=scrub("".join(traceback.format_exception(err))),
    )


def main(descriptor: int) -> None:
    """Serve the worker at the other end of *descriptor*, then end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the worker decides when its hosts end
    memory.keep()
    end = socket.socket(fileno=descriptor)
    link = Link(end)
    host: list[Host] = []

    def handle(envelope: p.Envelope) -> None:
        if isinstance(envelope.body, p.Hello):
            logs.configure(envelope.body.log_level, "json" if envelope.body.log_style == "json" else "text")
            host.append(Host(link, envelope.body))
            # What stands now stands for good; records come and go in batches, which the collector need not chase.
            gc.freeze()
            gc.set_threshold(50_000, 20, 20)
            link.answer(envelope.ask, result=os.getpid())
        else:
            host[0].handle(envelope)

    link.serve(handle)
    os._exit(0)  # not sys.exit: threads of tasks would hold the process up

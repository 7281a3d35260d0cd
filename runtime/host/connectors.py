"""
A connector on a thread of its own, and its state machine (contract 5.1).

INIT -> STARTED <-> PAUSED <-> STOPPED, and FAILED, from which only STOPPED leads out. The thread does one thing after
another; a connector that hangs holds up nobody but itself.
"""

import queue
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from runtime.contract import State, TargetState
from runtime.foundation import logs
from runtime.foundation.secret import scrub
from runtime.foundation.stopping import ThreadStopping
from runtime.sdk import Connector, OffsetReader

log = logs.get(__name__)

_AFTER = {
    TargetState.STARTED: State.RUNNING,
    TargetState.PAUSED: State.PAUSED,
    TargetState.STOPPED: State.STOPPED,
}


class _Context:
    def __init__(self, owner: "RunningConnector", offsets: OffsetReader) -> None:
        self._owner = owner
        self.offsets = offsets

    @property
    def stopping(self) -> ThreadStopping:
        return self._owner.stopping  # a fresh one after each pause

    def request_task_reconfiguration(self) -> None:
        self._owner.wants_reconfiguration()

    def raise_error(self, error: Exception) -> None:
        self._owner.fail(error)


class RunningConnector:
    """One connector instance; every method but :meth:`submit` runs on its own thread."""

    def __init__(
        self,
        name: str,
        make: Callable[[], Connector],
        config: Mapping[str, str],
        *,
        raw: Mapping[str, str | None],
        offsets: OffsetReader,
        report: Callable[[State, str | None], None],
        reconfigure: Callable[[], None],
    ) -> None:
        self.name = name
        self.stopping = ThreadStopping()
        self.connector: Connector | None = None
        self._make = make
        self._config = config
        self.raw = raw
        self._offsets = offsets
        self._tell = report
        self._reconfigure = reconfigure
        self._started = False
        self._failed = False
        self._closed = False
        self._work: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"connector {name}", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], Any]) -> "Future[Any]":
        """Have *work* done on the connector's thread, after what was asked before."""
        future: Future[Any] = Future()
        self._work.put((work, future))
        return future

    def begin(self, target: TargetState) -> State:
        """Construct, initialize, and go to *target*. A failure is reported and makes it FAILED."""
        try:
            self.connector = self._make()
            self.connector.initialize(_Context(self, self._offsets))
        except Exception as err:  # noqa: BLE001  author's code: whatever it raises becomes the status
            return self.fail(err)
        return self.move(target)

    def move(self, target: TargetState) -> State:
        """Go to *target*; a FAILED connector can only be stopped."""
        if self._failed and target is not TargetState.STOPPED:
            return State.FAILED
        connector = self.connector
        try:
            if target is TargetState.STARTED and not self._started and connector is not None:
                self.stopping = ThreadStopping()
                connector.start(self._config)
                self._started = True
            elif target is not TargetState.STARTED:
                self._stop_plugin()
        except Exception as err:
            if target is not TargetState.STOPPED:
                return self.fail(err)
            log.error("connector.stop.failed", connector=self.name, exc_info=err)
        if target is TargetState.STOPPED:
            self._failed = False
        return self._report(_AFTER[target])

    def task_configs(self, most: int) -> list[dict[str, str]]:
        """Ask the connector; raises what its author's code raises."""
        if self.connector is None or not self._started:
            raise RuntimeError(f"connector {self.name} is not running")
        return self.connector.task_configs(most)

    def end(self) -> None:
        """Stop for good, reporting UNASSIGNED unless it failed."""
        self._closed = True
        try:
            self._stop_plugin()
        except Exception as err:
            log.error("connector.stop.failed", connector=self.name, exc_info=err)
        if not self._failed:
            self._tell(State.UNASSIGNED, None)
        self._work.put(None)

    def give_up(self) -> None:
        """It overran its time: from now on nothing it says is passed on. From any thread."""
        self._tell = lambda _state, _trace: None
        self._reconfigure = lambda: None
        self.stopping.set()
        self._work.put(None)

    def fail(self, error: Exception) -> State:
        """It cannot go on. From any thread."""
        if self._closed:
            return State.FAILED
        self._failed = True
        log.error("connector.failed", connector=self.name, reason=scrub(str(error)), exc_info=error)
        return self._report(State.FAILED, scrub("".join(traceback.format_exception(error))))

    def wants_reconfiguration(self) -> None:
        """Its author asks for task_configs to be called again. From any thread."""
        if not self._closed:
            self._reconfigure()

    def _stop_plugin(self) -> None:
        self.stopping.set()
        if self._started and self.connector is not None:
            self._started = False
            self.connector.stop()

    def _report(self, state: State, trace: str | None = None) -> State:
        self._tell(state, trace)
        return state

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            work, future = item
            try:
                future.set_result(work())
            except Exception as err:  # noqa: BLE001  handed to whoever asked
                future.set_exception(err)


class NoOffsets:
    """For sink connectors, which have none to read."""

    def offsets(self, partitions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any] | None]:
        """Nothing was ever committed."""
        return [None for _ in partitions]

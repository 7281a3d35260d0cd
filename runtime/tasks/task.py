"""What source and sink tasks share: target state, the stop, the report of a failure (contract 5.2)."""

import threading
import traceback
from abc import ABC, abstractmethod

from runtime.contract import State, TargetState, TaskId
from runtime.foundation import logs
from runtime.foundation.secret import scrub
from runtime.foundation.stopping import ThreadStopping
from runtime.tasks.ports import TaskReports

log = logs.get(__name__)


class RunningTask(ABC):
    """
    One task on the thread that calls :meth:`run`.

    ``stop`` asks; ``cancel`` gives up on it: from then on it reports and commits nothing, whatever its author's code
    does.
    """

    def __init__(self, task: TaskId, *, target: TargetState, reports: TaskReports) -> None:
        self.id = task
        self.stopping = ThreadStopping()
        self.finished = threading.Event()
        self._reports = reports
        self._target = target
        self._changed = threading.Condition()
        self._cancelled = False
        self._reported: State | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the task was given up."""
        return self._cancelled

    def set_target(self, target: TargetState) -> None:
        """Pause or resume."""
        with self._changed:
            self._target = target
            self._changed.notify_all()
        self.wake()

    def stop(self) -> None:
        """Ask the task to end. :attr:`finished` says when it has."""
        self.stopping.set()
        with self._changed:
            self._changed.notify_all()
        self.wake()

    def cancel(self) -> None:
        """Give the task up: it has overrun its time."""
        self._cancelled = True
        self.stop()

    def run(self) -> None:
        """The whole life of the task."""
        try:
            if self._paused():
                self._report(State.PAUSED)
                self._wait_while_paused()
            if not self.stopping:
                self.execute()
        except Exception as err:
            if not self._cancelled:
                if self.stopping:
                    log.error("task.failed.stopping", task=str(self.id), exc_info=err)
                else:
                    log.error("task.failed", task=str(self.id), reason=scrub(str(err)), exc_info=err)
                    self._report(State.FAILED, scrub("".join(traceback.format_exception(err))))
        finally:
            if self._reported is not State.FAILED:
                self._report(State.UNASSIGNED)
            self.finished.set()

    @abstractmethod
    def execute(self) -> None:
        """Start the author's task, loop until asked to stop, stop it. Exceptions make the task FAILED."""

    def wake(self) -> None:
        """Interrupt a wait inside :meth:`execute`; the stop latch is set already."""
        return

    def commit(self) -> None:
        """Commit what can be committed; called from time to time by another thread than the task's."""
        return

    def _paused(self) -> bool:
        return self._target is not TargetState.STARTED

    def _wait_while_paused(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._paused() or bool(self.stopping))

    def _report(self, state: State, trace: str | None = None) -> None:
        if self._cancelled:
            return
        self._reported = state
        self._reports.status(self.id, state, trace)

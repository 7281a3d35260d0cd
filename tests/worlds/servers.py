"""A server process of a test: its parent ends it, its log is kept, and a failing test shows it."""

import subprocess
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

from runtime.foundation import children
from tests.worlds.waiting import NeverHappened, wait_until

_started: "weakref.WeakSet[Server]" = weakref.WeakSet()


class Died(AssertionError):
    """A server ended although nobody asked it to; the message shows the end of its log."""


class Server:
    """
    One program, started, stopped, killed and started again under the same name.

    Call :meth:`spawn` from a thread that lives as long as the server should: the kernel kills the server when
    that thread is gone, so that no test run, however it ends, leaves a process behind.
    """

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"<{self.name}, {f'pid {self.pid}' if self.alive else 'not running'}>"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended, below zero for a signal; None while it runs."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process.poll()

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    def spawn(self, command: Sequence[str], *, cwd: Path | None = None) -> None:
        """Start *command*; its output goes to the end of the log."""
        assert not self.alive, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = children.spawn(command, cwd=cwd, stdout=log, stderr=log)
        _started.add(self)

    def until(self, ready: Callable[[], bool], timeout: float, what: str) -> None:
        """Wait until *ready*. A server that dies meanwhile is reported at once, with its log."""

        def look() -> bool:
            if not self.alive:
                raise Died(f"{self.name} ended while starting, its log ends with:\n{self.tail()}")
            return ready()

        try:
            wait_until(look, timeout)
        except NeverHappened as late:
            raise NeverHappened(f"{self.name} {what} within {timeout:g} s, its log ends with:\n{self.tail()}") from late

    def ask_to_stop(self) -> None:
        """Ask it to end, without waiting."""
        if self._process is not None and self.alive:
            self._process.terminate()

    def stop(self, patience: float = 20.0) -> None:
        """Ask it to end, insist when it does not."""
        if self._process is not None:
            children.end(self._process, patience=patience)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def tail(self, lines: int = 40) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def logs() -> list[tuple[str, str]]:
    """Title and last lines of each server that has been started and is still in somebody's hands."""
    return [(f"{server!r}, log {server.log}", server.tail()) for server in sorted(_started, key=lambda s: s.name)]

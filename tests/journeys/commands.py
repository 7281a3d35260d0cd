"""``tidegate`` as a user runs it: a command to its end, or ``tidegate up`` in the background."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from reconciler.settings import Up
from runtime.foundation.ports import free_ports
from tests.worlds.servers import Server
from tests.worlds.tidegate_worker import alive, children_of
from tests.worlds.waiting import wait_until

_OURS = ("TIDEGATE_CONNECT_URL", "TIDEGATE_JOURNAL_BOOTSTRAP_SERVERS", "TIDEGATE_WEBHOOK_URL", "FORCE_COLOR")
"""What of a developer's environment would change what commands do."""


def tidegate(
    *words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tidegate", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**{key: value for key, value in os.environ.items() if key not in _OURS}, **(env or {})},
    )


class RunningUp:
    """One ``tidegate up`` on a folder of manifests."""

    def __init__(self, folder: Path, *options: str) -> None:
        (port,) = free_ports()
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.server = Server(f"tidegate up at {self.url}", folder.parent / "up.log")
        self._command = [
            sys.executable, "-m", "tidegate", "up", str(folder), "--port", str(port), "--period", "1", *options,
        ]  # fmt: skip

    def start(self) -> None:
        """Start it, and return when the manifests' connectors are being applied."""
        self.server.spawn(self._command, cwd=self.folder)
        self.server.until(lambda: Up.find(self.folder) is not None, 60, "never announced itself")

    def client(self) -> httpx.Client:
        """An HTTP client of its REST API; close it."""
        return httpx.Client(base_url=self.url, timeout=95)

    def log(self) -> str:
        """All it has said so far."""
        return self.server.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """Its task hosts, and its broker where it has one."""
        return children_of(self.server.pid)

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.kill(self.server.pid, signal.SIGINT)

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        wait_until(lambda: self.server.exit_code is not None, what="tidegate up has ended")
        code = self.server.exit_code
        assert code is not None
        return code


def none_left(pids: list[int]) -> None:
    """Wait until none of these processes is left."""
    wait_until(lambda: not [pid for pid in pids if alive(pid)], what=f"processes {pids} are gone")

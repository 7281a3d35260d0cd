"""Our worker as a process, started from the same properties file as Apache Kafka Connect's."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import javaproperties

from runtime.foundation.ports import free_ports
from tests.worlds.broker import fresh
from tests.worlds.java_connect import Mode, worker_properties
from tests.worlds.servers import Server

_START_BUDGET = 60.0
"""Seconds until REST must answer. It takes about one."""


class TidegateWorker:
    """One ``tidegate worker``; the same verbs as :class:`JavaConnect`, so tests need not know which it is."""

    def __init__(
        self,
        home: Path,
        bootstrap_servers: str,
        *,
        group: str | None = None,
        mode: Mode = "distributed",
        settings: Mapping[str, str] | None = None,
        connectors: Sequence[Path] = (),
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        (port,) = free_ports()
        self.home = home
        self.group = group or fresh("tidegate")
        self.url = f"http://127.0.0.1:{port}"
        self.server = Server(f"Tidegate at {self.url}", home / "worker.log")
        offsets = home / "offsets.json" if mode == "standalone" else None
        self.properties = {**worker_properties(bootstrap_servers, port, self.group, offsets), **(settings or {})}
        file = home / "worker.properties"
        file.write_text(javaproperties.dumps(self.properties))
        self._command = [sys.executable, "-m", "tidegate", "worker", str(file), *map(str, connectors)]

    def __enter__(self) -> "TidegateWorker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def client(self) -> httpx.Client:
        """An HTTP client of its REST API; close it."""
        return httpx.Client(base_url=self.url, timeout=95)

    def start(self) -> None:
        """Start it and return when its REST API lists connectors."""
        self.spawn()
        self.server.until(self.answers, _START_BUDGET, "never answered over REST")

    def spawn(self) -> None:
        """Start it without waiting."""
        self.server.spawn(self._command)

    def answers(self) -> bool:
        """Whether it serves requests."""
        try:
            return httpx.get(f"{self.url}/connectors", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Shut it down in good order."""
        self.server.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.server.kill()

    def hosts(self) -> list[int]:
        """The process ids of its task hosts."""
        return children_of(self.server.pid)


def children_of(pid: int) -> list[int]:
    """The living children of a process."""
    found: list[int] = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        state, parent = stat.rpartition(")")[2].split()[:2]
        if int(parent) == pid and state != "Z":
            found.append(int(entry))
    return sorted(found)


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

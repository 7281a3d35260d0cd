"""Our worker as a process, started from the same properties file as Apache Kafka Connect's."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import javaproperties

from runtime.foundation.ports import free_ports
from tests.worlds.broker import fresh
from tests.worlds.connect_worker import ConnectWorker
from tests.worlds.java_connect import Mode, worker_properties

_START_BUDGET = 60.0
"""Seconds until REST must answer. It takes about one."""


class TidegateWorker(ConnectWorker):
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
        offsets = home / "offsets.json" if mode == "standalone" else None
        self.properties = {**worker_properties(bootstrap_servers, port, self.group, offsets), **(settings or {})}
        file = home / "worker.properties"
        file.write_text(javaproperties.dumps(self.properties))
        command = [sys.executable, "-m", "tidegate", "worker", str(file), *map(str, connectors)]
        super().__init__("Tidegate", port, home / "worker.log", command, budget=_START_BUDGET)

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

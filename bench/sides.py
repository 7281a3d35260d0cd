"""The workers that are compared. Each is given the same worker file and asked through the same REST API."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import httpx
import javaproperties

from runtime.foundation.ports import free_ports
from tests.worlds.java_connect import JavaConnect, worker_properties
from tests.worlds.servers import Server


class Side(Protocol):
    """A worker that can be started and stopped; what it does in between is said over REST."""

    name: str
    url: str
    server: Server

    def spawn(self) -> None: ...
    def answers(self) -> bool: ...
    def stop(self) -> None: ...


SETTINGS: Mapping[str, str] = {
    # Connect's defaults; the worlds of the tests set others, to be quicker.
    "offset.flush.interval.ms": "60000",
    "plugin.discovery": "hybrid_warn",
}

# What bin/connect-distributed.sh and bin/kafka-run-class.sh give the JVM when nobody asks for anything.
CONNECT_JVM = (
    "-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-XX:MaxInlineLevel=15",
)  # fmt: skip


class Java(JavaConnect):
    """Apache Kafka Connect at its defaults."""

    def __init__(self, name: str, home: Path, libs: Path, bootstrap_servers: str) -> None:
        self.name = name
        super().__init__(home, libs, bootstrap_servers, group=f"bench-{name}", settings=SETTINGS, jvm=CONNECT_JVM)


class Tidegate:
    """Ours at its defaults."""

    def __init__(self, name: str, home: Path, bootstrap_servers: str) -> None:
        home.mkdir(parents=True)
        (port,) = free_ports()
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self.server = Server(f"Tidegate at {self.url}", home / "tidegate.log")
        self._properties = home / "worker.properties"
        worker = worker_properties(bootstrap_servers, port, f"bench-{name}")
        self._properties.write_text(javaproperties.dumps({**worker, **SETTINGS}))

    def spawn(self) -> None:
        self.server.spawn([str(_program()), "worker", str(self._properties)])

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/connectors", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        self.server.stop()


def _program() -> Path:
    beside = Path(sys.executable).with_name("tidegate")
    found = beside if beside.exists() else Path(shutil.which("tidegate") or "")
    if not os.access(found, os.X_OK):
        raise SystemExit("the program tidegate is not installed beside this Python; run make venv")
    return found

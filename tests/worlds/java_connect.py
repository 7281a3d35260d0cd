"""Apache Kafka Connect itself, on the JVM: what conformance tests and benchmarks compare us with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import javaproperties

from runtime.foundation.ports import free_ports
from tests.worlds.apache_kafka import java
from tests.worlds.broker import fresh
from tests.worlds.connect_worker import ConnectWorker

_START_BUDGET = 180.0
"""Seconds until REST must answer. It takes about six; a loaded CI machine may take many times that."""

Mode = Literal["distributed", "standalone"]


def worker_properties(bootstrap_servers: str, port: int, group: str, offsets: Path | None = None) -> dict[str, str]:
    """
    The same worker file for Java and for us: standalone when it keeps *offsets* in a file, else distributed.

    The two cannot be mixed: a distributed worker hands what it does not know of ``offset.storage.*`` to the topic.
    """
    common = {
        "bootstrap.servers": bootstrap_servers,
        "listeners": f"http://127.0.0.1:{port}",
        "offset.flush.interval.ms": "1000",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    }
    if offsets is not None:
        return {**common, "offset.storage.file.filename": str(offsets)}
    return {
        **common,
        "group.id": group,
        "config.storage.topic": f"{group}-configs",
        "config.storage.replication.factor": "1",
        "offset.storage.topic": f"{group}-offsets",
        "offset.storage.replication.factor": "1",
        "offset.storage.partitions": "5",
        "status.storage.topic": f"{group}-status",
        "status.storage.replication.factor": "1",
    }


class JavaConnect(ConnectWorker):
    """
    One Connect worker. Workers given the same *group* form one cluster.

    *settings* are added to the worker file; *connectors* are the files a standalone worker is started with.
    """

    def __init__(
        self,
        home: Path,
        libs: Path,
        bootstrap_servers: str,
        *,
        group: str | None = None,
        mode: Mode = "distributed",
        settings: Mapping[str, str] | None = None,
        connectors: Sequence[Path] = (),
        jvm: Sequence[str] = ("-Xms256m", "-Xmx1g"),
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        (port,) = free_ports()
        self.group = group or fresh("java-connect")
        offsets = home / "offsets" if mode == "standalone" else None
        self.properties = {
            **worker_properties(bootstrap_servers, port, self.group, offsets),
            # Scanning a hundred jars for plugins takes seconds; all of Kafka's own say themselves what they are.
            "plugin.discovery": "service_load",
            **(settings or {}),
        }
        file = home / "worker.properties"
        file.write_text(javaproperties.dumps(self.properties))
        main = f"org.apache.kafka.connect.cli.Connect{mode.capitalize()}"
        command = java(libs, main, str(file), *map(str, connectors), jvm=tuple(jvm))
        super().__init__("Apache Kafka Connect", port, home / "connect.log", command, budget=_START_BUDGET)

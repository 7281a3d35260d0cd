"""Apache Kafka itself: a KRaft cluster of one node (or a few) on loopback, with its data in a test's folder."""

import base64
import uuid
from collections.abc import Mapping
from pathlib import Path

import javaproperties

from runtime.foundation import children
from runtime.foundation.ports import free_ports
from tests.worlds.broker import Broker
from tests.worlds.servers import Died, Server

_START_BUDGET = 120.0
"""Seconds until a node must answer. It takes about four; a loaded CI machine may take many times that."""

LOGGING = Path(__file__).with_name("log4j2.properties")
QUICK_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
"""For programs that run once and briefly: they end before the optimising compiler would pay."""


def java(libs: Path, main: str, *arguments: str, jvm: tuple[str, ...] = ()) -> list[str]:
    """The command that runs class *main* from the jars in *libs*."""
    logging = f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"
    return ["java", "-Djava.awt.headless=true", logging, *jvm, "-cp", str(libs / "*"), main, *arguments]


class Node:
    """One broker and controller in one process."""

    def __init__(self, home: Path, libs: Path, cluster_id: str, settings: Mapping[str, str], heap: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.server = Server(f"Apache Kafka node {settings['node.id']}", home / "server.log")
        self._libs = libs
        self._heap = heap
        self._properties = home / "server.properties"
        self._properties.write_text(javaproperties.dumps({**settings, "log.dirs": str(home / "data")}))
        self._format(cluster_id)

    def spawn(self) -> None:
        heap = (f"-Xms{self._heap}", f"-Xmx{self._heap}")
        self.server.spawn(java(self._libs, "kafka.Kafka", str(self._properties), jvm=heap))

    def _format(self, cluster_id: str) -> None:
        command = java(
            self._libs, "kafka.tools.StorageTool", "format", "--cluster-id", cluster_id,
            "--config", str(self._properties), jvm=QUICK_JVM,
        )  # fmt: skip
        with self.server.log.open("ab") as log:
            code = children.spawn(command, stdout=log, stderr=log).wait(_START_BUDGET)
        if code != 0:
            raise Died(f"formatting the storage of {self.server.name} failed:\n{self.server.tail()}")


class ApacheKafka:
    """
    A KRaft cluster. ``start`` after ``stop`` or ``kill`` brings it back on the same ports and data.

    Topics that Kafka makes for itself have as many replicas as there are nodes, up to three; other settings are
    Kafka's own defaults, except that the first consumer of a group is not kept waiting for a second.
    """

    def __init__(
        self,
        home: Path,
        libs: Path,
        *,
        nodes: int = 1,
        heap: str = "512m",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        ports = free_ports(2 * nodes)
        clients, quorum = ports[:nodes], ports[nodes:]
        self.bootstrap_servers = ",".join(f"127.0.0.1:{port}" for port in clients)
        self.cluster_id = _cluster_id()
        voters = ",".join(f"{i}@127.0.0.1:{port}" for i, port in enumerate(quorum, 1))
        replicas = str(min(3, nodes))
        in_sync = str(min(2, nodes))
        self.nodes = [
            Node(
                home / f"node-{i}",
                libs,
                self.cluster_id,
                {
                    "process.roles": "broker,controller",
                    "node.id": str(i),
                    "controller.quorum.voters": voters,
                    "controller.listener.names": "CONTROLLER",
                    "listeners": f"PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}",
                    "advertised.listeners": f"PLAINTEXT://127.0.0.1:{client}",
                    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                    "offsets.topic.replication.factor": replicas,
                    "transaction.state.log.replication.factor": replicas,
                    "transaction.state.log.min.isr": in_sync,
                    "share.coordinator.state.topic.replication.factor": replicas,
                    "share.coordinator.state.topic.min.isr": in_sync,
                    "group.initial.rebalance.delay.ms": "0",
                    "auto.create.topics.enable": "true",
                    **(settings or {}),
                },
                heap,
            )
            for i, (client, controller) in enumerate(zip(clients, quorum, strict=True), 1)
        ]
        self.broker = Broker(self.bootstrap_servers, "apache-kafka", self)

    def __enter__(self) -> Broker:
        self.start()
        return self.broker

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the nodes that do not run, and return when the cluster serves clients."""
        for node in self.nodes:
            if not node.server.alive:
                node.spawn()
        for node in self.nodes:
            node.server.until(self._complete, _START_BUDGET, "never served metadata with all its nodes")

    def stop(self) -> None:
        """Shut down in good order, asking all nodes before waiting for any."""
        for node in self.nodes:
            node.server.ask_to_stop()
        for node in self.nodes:
            node.server.stop()

    def kill(self) -> None:
        """End all nodes as a power cut would."""
        for node in self.nodes:
            node.server.kill()

    def _complete(self) -> bool:
        return self.broker.serving() == len(self.nodes)


def _cluster_id() -> str:
    """A cluster id as Kafka makes them; one that starts with a dash would read as an option."""
    while True:
        name = base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode()
        if not name.startswith("-"):
            return name

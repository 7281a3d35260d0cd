"""A worker from its properties file: standalone, refused, without a broker, on a port that is taken."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import javaproperties
import pytest

from runtime.foundation import children
from runtime.foundation.ports import free_ports
from tests.worlds.broker import Broker, fresh
from tests.worlds.java_connect import worker_properties
from tests.worlds.rest import create, until
from tests.worlds.tidegate_worker import TidegateWorker, alive
from tests.worlds.waiting import wait_until

Start = Callable[..., TidegateWorker]


def tidegate(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tidegate", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)  # type: ignore[call-overload, no-any-return]  # options are subprocess's


def test_standalone_moves_lines_and_remembers(start_worker: Start, broker: Broker, tmp_path: Path) -> None:
    """Connectors from the command line run, in each of Connect's file formats; offsets survive in the file."""
    topic, file, copy = broker.fresh_topic(), tmp_path / "in.txt", tmp_path / "out.txt"
    file.write_text("one\ntwo\n")
    source, sink = tmp_path / "source.properties", tmp_path / "sink.json"
    source.write_text(
        javaproperties.dumps({"name": "in", "connector.class": "FileStreamSource", "file": str(file), "topic": topic})
    )
    config = {"connector.class": "FileStreamSink", "file": str(copy), "topics": topic}
    sink.write_text(json.dumps({"name": fresh("out"), "config": config}))
    worker = start_worker(mode="standalone", connectors=[source, sink])
    wait_until(lambda: copy.exists() and copy.read_text() == "one\ntwo\n", 60)
    worker.stop()
    with file.open("a") as out:
        out.write("three\n")
    worker.start()
    wait_until(lambda: copy.read_text() == "one\ntwo\nthree\n", 60)


def test_standalone_reads_standard_input(broker: Broker, tmp_path: Path) -> None:
    """A file source without a file reads what is piped into the worker."""
    topic = broker.fresh_topic()
    (port,) = free_ports()
    properties, source = tmp_path / "worker.properties", tmp_path / "source.properties"
    properties.write_text(
        javaproperties.dumps(worker_properties(broker.bootstrap_servers, port, "g", tmp_path / "offsets"))
    )
    source.write_text(javaproperties.dumps({"name": "in", "connector.class": "FileStreamSource", "topic": topic}))
    command = [sys.executable, "-m", "tidegate", "worker", str(properties), str(source)]
    with (tmp_path / "log").open("wb") as log:
        process = children.spawn(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        assert process.stdin is not None
        process.stdin.write(b"from the pipe\n")
        process.stdin.flush()
        assert ["from the pipe"] == broker.values(topic, 1, timeout=60)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        children.end(process, patience=20)


def test_a_wrong_file_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    """Each mistake with what to try, on standard error; the exit code is Connect's for usage."""
    file = tmp_path / "worker.properties"
    file.write_text("group.id=g\nkey.converter=x\nvalue.converter=y\noffset.flush.interval.ms=soon\n")
    done = tidegate("worker", str(file))
    assert 1 == done.returncode
    for words in ("bootstrap.servers=localhost:9092", "offset.flush.interval.ms", "config.storage.topic"):
        assert words in done.stderr
    assert "" == done.stdout


def test_a_port_in_use_is_said(broker: Broker, tmp_path: Path) -> None:
    """The message names the port and what to do; nothing else was started."""
    (port,) = free_ports()
    file = tmp_path / "worker.properties"
    file.write_text(javaproperties.dumps(worker_properties(broker.bootstrap_servers, port, fresh("port"))))
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = tidegate("worker", str(file))
    assert 3 == done.returncode
    assert f"port {port} is in use" in done.stderr


@pytest.mark.apache_kafka_only
def test_a_broker_that_is_down_is_waited_for(private_broker: Broker, start_worker: Start) -> None:
    """The worker says so once, answers 503 meanwhile, and comes up when the broker does."""
    private_broker.stop()
    worker = start_worker(private_broker.bootstrap_servers, wait=False)

    def health() -> int:
        try:
            return httpx.get(f"{worker.url}/health").status_code
        except httpx.TransportError:
            return 0

    wait_until(lambda: health() == 503)
    wait_until(lambda: "kafka.unreachable" in worker.server.log.read_text())
    assert "starting" == httpx.get(f"{worker.url}/health").json()["status"]
    private_broker.start()
    wait_until(lambda: health() == 200, 60)
    assert 1 == worker.server.log.read_text().count("kafka.unreachable")


@pytest.mark.apache_kafka_only
def test_a_broker_that_goes_and_comes_back(private_broker: Broker, start_worker: Start, tmp_path: Path) -> None:
    """Health says unhealthy while it is away, the log says so once; afterwards records move on without help."""
    file, copy = tmp_path / "in.txt", tmp_path / "out.txt"
    topic = private_broker.fresh_topic()
    file.write_text("before\n")
    worker = start_worker(private_broker.bootstrap_servers)
    with worker.client() as rest:
        create(rest, "in", {"connector.class": "FileStreamSource", "file": str(file), "topic": topic})
        create(rest, "out", {"connector.class": "FileStreamSink", "file": str(copy), "topics": topic})
        wait_until(lambda: copy.exists() and copy.read_text() == "before\n", 60)
        private_broker.stop()
        wait_until(lambda: rest.get("/health").status_code == 500, 60)
        assert "unhealthy" == rest.get("/health").json()["status"]
        with file.open("a") as out:
            out.write("meanwhile\n")
        private_broker.start()
        wait_until(lambda: rest.get("/health").status_code == 200, 60)
        wait_until(lambda: "meanwhile" in copy.read_text(), 90)
        until(rest, "in", "RUNNING", ["RUNNING"])
    log = worker.server.log
    for client in ("kafka", "producer.brokers", "consumer.brokers"):
        wait_until(lambda client=client: f"{client}.reachable" in log.read_text())  # type: ignore[misc]
        assert 1 == log.read_text().count(f"{client}.unreachable"), client
        assert 1 == log.read_text().count(f"{client}.reachable"), client


def test_a_stop_leaves_nothing_behind(start_worker: Start, broker: Broker, tmp_path: Path) -> None:
    """SIGTERM ends worker and hosts, and the statuses say that nothing runs any more."""
    worker = start_worker()
    name = fresh("ending")
    with worker.client() as rest:
        create(
            rest, name, {"connector.class": "FileStreamSource", "topic": broker.fresh_topic(), "file": str(tmp_path)}
        )
        wait_until(lambda: rest.get(f"/connectors/{name}/status").status_code == 200)
    hosts = worker.hosts()
    assert hosts
    worker.stop()
    assert not [pid for pid in hosts if alive(pid)]
    states = broker.table(f"{worker.group}-status")
    assert "UNASSIGNED" == json.loads(states[f"status-connector-{name}".encode()])["state"]


def test_an_authors_connector_runs(start_worker: Start, broker: Broker, tmp_path: Path) -> None:
    """The twenty lines of examples/counter.py, in a folder named in plugin.path, move records."""
    examples = Path(__file__).resolve().parents[2] / "examples"
    worker = start_worker(settings={"plugin.path": str(examples)})
    topic = broker.fresh_topic()
    with worker.client() as rest:
        listed = [it["class"] for it in rest.get("/connector-plugins").json()]
        (mine,) = [name for name in listed if name.startswith("counter.")]
        create(rest, fresh("mine"), {"connector.class": mine, "topic": topic})
        wait_until(lambda: broker.count(topic) >= 3, 60)


def test_usage_errors_end_with_64() -> None:
    """2 means changes to plan, so a wrong option is something else (EX_USAGE)."""
    assert 64 == tidegate("plan", "--no-such-option").returncode
    assert 64 == tidegate("worker").returncode


def test_help_is_quick() -> None:
    """--help imports none of the heavy libraries; nothing about seconds here, that is for bench/."""
    code = (
        "import sys; sys.argv = ['tidegate', '--help']\n"
        "from tidegate.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'confluent_kafka', 'starlette', 'uvicorn', 'httpx', 'ruamel', 'watchdog'} & sys.modules.keys()\n"
        "sys.stderr.write(repr(sorted(heavy)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "[]" == done.stderr
    for command in ("up", "worker", "plan", "apply", "watch", "validate", "status", "plugins", "version"):
        assert command in done.stdout


def test_interrupts_are_heard(start_worker: Start) -> None:
    """Ctrl-C ends a worker as SIGTERM does."""
    worker = start_worker()
    os.kill(worker.server.pid, signal.SIGINT)
    wait_until(lambda: not worker.server.alive)

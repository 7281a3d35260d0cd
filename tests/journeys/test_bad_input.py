"""What people get wrong, and what they are told: clear words, an exit code, and nothing half-done."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx

from runtime.foundation.ports import free_ports
from tests.journeys.commands import tidegate
from tests.worlds.broker import Broker, fresh
from tests.worlds.rest import create, status, until
from tests.worlds.tidegate_worker import TidegateWorker
from tests.worlds.waiting import wait_until

Start = Callable[..., TidegateWorker]

GOOD = """\
apiVersion: tidegate.dev/v1
kind: Connector
metadata: {name: good}
spec:
  class: FileStreamSink
  config: {topics: t, file: out.txt}
"""
BAD = """\
apiVersion: tidegate.dev/v1
kind: Connector
metadata: {name: bad}
spec:
  clas: FileStreamSink
  tasksMax: many
  config: {topics: t}
"""


def test_a_sink_that_cannot_write(start_worker: Start, broker: Broker, tmp_path: Path) -> None:
    """
    Its task is FAILED with a trace, `tidegate status` says why and ends with 2, and the others go on.

    The worker's misspelt key is told with the one that was meant.
    """
    worker = start_worker(settings={"offset.flush.intervall.ms": "5"})
    assert "offset.flush.intervall.ms" in worker.server.log.read_text()
    assert "did you mean offset.flush.interval.ms?" in worker.server.log.read_text()
    topic, file, copy = broker.fresh_topic(), tmp_path / "in.txt", tmp_path / "out.txt"
    wrong = tmp_path / "missing" / "out.txt"
    file.write_text("one\n")
    asked = ("status", "--connect-url", worker.url)
    with worker.client() as rest:
        create(rest, "in", {"connector.class": "FileStreamSource", "file": str(file), "topic": topic})
        create(rest, "out", {"connector.class": "FileStreamSink", "file": str(copy), "topics": topic})
        for name in ("in", "out"):
            until(rest, name, "RUNNING", ["RUNNING"])
        assert 0 == tidegate(*asked).returncode
        create(rest, "wrong", {"connector.class": "FileStreamSink", "file": str(wrong), "topics": topic})
        until(rest, "wrong", "RUNNING", ["FAILED"])
        found = status(rest, "wrong")
        assert found is not None
        assert str(wrong) in found["tasks"][0]["trace"]
        assert 200 == rest.get("/health").status_code

        said = tidegate(*asked)
        assert 2 == said.returncode
        assert f"wrong task 0 failed: runtime.data.errors.ConnectError: Couldn't find or create file '{wrong}'" in (
            said.stdout
        )
        whole = tidegate("status", "wrong", *asked[1:])
        assert 2 == whole.returncode
        assert "Traceback (most recent call last)" in whole.stdout
        assert 0 == tidegate("status", "out", *asked[1:]).returncode
        nobody = tidegate("status", "nobody", *asked[1:])
        assert 1 == nobody.returncode
        assert "there is no connector nobody" in nobody.stderr
        wait_until(lambda: copy.exists() and copy.read_text() == "one\n", 60)

        garbled = rest.post("/connectors", content="{name: x", headers={"Content-Type": "application/json"})
        assert 500 == garbled.json()["error_code"]
        assert {"in", "out", "wrong"} == set(rest.get("/connectors").json())


def test_a_broken_folder(tmp_path: Path, tidegate_worker: TidegateWorker) -> None:
    """Every mistake at once, each with its place and what was meant; nothing is applied, not even what is right."""
    name = fresh("good")
    (tmp_path / "a.yaml").write_text(GOOD.replace("name: good", f"name: {name}"))
    (tmp_path / "b.yaml").write_text(BAD)
    (tmp_path / "c.yaml").write_text("kind: [\n")
    for command in ("plan", "apply", "validate"):
        said = tidegate(command, tmp_path, "--connect-url", tidegate_worker.url)
        assert 1 == said.returncode
        for words in ("b.yaml:5:3", "did you mean class?", "b.yaml:6:13", "c.yaml:2:1"):
            assert words in said.stderr, command
    assert name not in httpx.get(f"{tidegate_worker.url}/connectors").json()


def test_a_class_that_nobody_has(tmp_path: Path, tidegate_worker: TidegateWorker) -> None:
    """A plan asks the cluster, so a misspelt class is found before anything is applied."""
    (tmp_path / "a.yaml").write_text(GOOD.replace("FileStreamSink", "FileStreamSnik"))
    said = tidegate("plan", tmp_path, "--connect-url", tidegate_worker.url)
    assert 1 == said.returncode
    assert "a.yaml:5:10" in said.stderr
    assert "FileStreamSink" in said.stderr


def test_a_plan_without_a_cluster(tmp_path: Path) -> None:
    """A cluster that does not answer is unknown: no connector is called missing, and the message says what to do."""
    (tmp_path / "a.yaml").write_text(GOOD)
    (port,) = free_ports()
    where = ("--connect-url", f"http://127.0.0.1:{port}")
    said = tidegate("plan", tmp_path, *where, "-o", "json")
    assert 1 == said.returncode
    assert f"http://127.0.0.1:{port} does not answer" in said.stderr
    assert "tidegate up" in said.stderr
    assert [] == json.loads(said.stdout)["clusters"]
    said = tidegate("apply", tmp_path, "--yes", *where)
    assert 1 == said.returncode
    assert "+ good" not in said.stdout
    assert "Nothing was applied." in said.stderr


def test_a_broken_connector_file(tmp_path: Path) -> None:
    """A standalone worker reads all its files before it starts anything, and says what is wrong with which."""
    worker, nameless, nonsense = tmp_path / "w.properties", tmp_path / "c.properties", tmp_path / "c.json"
    worker.write_text(
        f"bootstrap.servers=localhost:1\noffset.storage.file.filename={tmp_path}/offsets\n"
        "key.converter=StringConverter\nvalue.converter=StringConverter\n"
    )
    nameless.write_text("connector.class=FileStreamSource\n")
    nonsense.write_text('{"name": "c", "config": [1]}')
    for file, words in (
        (nameless, "has no name for its connector"),
        (nonsense, str(nonsense)),
        (tmp_path / "none.json", "cannot be read: No such file or directory"),
    ):
        said = tidegate("worker", worker, file)
        assert 1 == said.returncode
        assert str(file) in said.stderr
        assert words in said.stderr
        assert "Traceback" not in said.stderr
    assert not (tmp_path / "offsets").exists()


def test_a_wrong_connector_on_the_command_line(broker: Broker, tmp_path: Path) -> None:
    """A configuration that does not pass ends the standalone worker with 3 and the validator's words."""
    (port,) = free_ports()
    worker, connector = tmp_path / "w.properties", tmp_path / "c.properties"
    worker.write_text(
        f"bootstrap.servers={broker.bootstrap_servers}\noffset.storage.file.filename={tmp_path}/offsets\n"
        f"key.converter=org.apache.kafka.connect.storage.StringConverter\nlisteners=http://127.0.0.1:{port}\n"
        "value.converter=org.apache.kafka.connect.storage.StringConverter\n"
    )
    connector.write_text("name=c\nconnector.class=FileStreamSource\n")
    said = tidegate("worker", worker, connector)
    assert 3 == said.returncode
    assert "a connector could not be created" in said.stderr
    assert "topic" in said.stderr
    assert "Traceback" not in said.stderr

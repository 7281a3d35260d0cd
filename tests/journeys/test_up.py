"""``tidegate up`` on a copy of ``desired-state/``: applied, edited, drifted, healed, interrupted."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.settings import Up
from tests.journeys.commands import RunningUp, none_left, tidegate
from tests.worlds.broker import Broker, fresh
from tests.worlds.rest import states, until
from tests.worlds.waiting import wait_until

DESIRED_STATE = Path(__file__).resolve().parents[2] / "desired-state"

STUCK = """
import threading
from runtime.sdk import ConfigDef, SourceConnector, SourceTask

class Stuck(SourceConnector):
    version = "1.0"
    config_def = ConfigDef()
    def start(self, config): pass
    def task_class(self): return StuckTask
    def task_configs(self, max_tasks): return [{}]

class StuckTask(SourceTask):
    def start(self, config): pass
    def poll(self): threading.Event().wait()
"""
"""A task that does not end when asked to."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The worked example, to be changed."""
    return Path(shutil.copytree(DESIRED_STATE, tmp_path / "git", ignore=shutil.ignore_patterns(".tidegate", "out.txt")))


@pytest.fixture(
    params=["embedded", pytest.param("apache-kafka", marks=pytest.mark.apache_kafka_only)],
)
def up(request: pytest.FixtureRequest, folder: Path) -> Iterator[RunningUp]:
    """Tidegate on the worked example, on a broker of its own and on a Kafka that is there."""
    options = []
    if request.param == "apache-kafka":
        broker: Broker = request.getfixturevalue("broker")
        options = ["--bootstrap-servers", broker.bootstrap_servers, "--group-id", fresh("up")]
    running = RunningUp(folder, *options)
    running.start()
    yield running
    running.server.stop()


def test_the_main_job(up: RunningUp, folder: Path) -> None:
    """
    From the first look to Ctrl-C.

    What is in git is applied and found by other shells; an edit arrives; drift is told and healed, or only told;
    plan and status say how things are by their exit codes; one Ctrl-C drains and leaves nothing behind.
    """
    out, manifest = folder / "demo-data/out.txt", folder / "connectors/lines-in.yaml"
    with up.client() as rest:
        for name in ("lines-in", "lines-out"):
            until(rest, name, "RUNNING", ["RUNNING"])
        until(rest, "lines-audit", "PAUSED")
        wait_until(lambda: tidegate("plan", cwd=folder).returncode == 0, what="there is nothing left to do")
        status = tidegate("status", "-o", "json", cwd=folder)
        assert 0 == status.returncode
        assert {"lines-in", "lines-out", "lines-audit", "lines-archive"} == json.loads(status.stdout).keys()

        wait_until(lambda: out.exists() and '"via":"tidegate"' in out.read_text(), what="lines arrive")
        manifest.write_text(manifest.read_text().replace("static.value: tidegate", "static.value: git"))
        wait_until(
            lambda: rest.get("/connectors/lines-in/config").json()["transforms.stamp.static.value"] == "git",
            what="the edit is live",
        )
        with (folder / "demo-data/in.txt").open("a") as lines:
            lines.write("edited\n")
        wait_until(lambda: '{"line":"edited","via":"git"}' in out.read_text(), what="a line in the new form")

        assert 200 == rest.patch("/connectors/lines-in/config", json={"batch.size": "7"}).status_code
        wait_until(lambda: "drift.resolved" in up.log(), what="drift was told and healed")
        assert "500" == rest.get("/connectors/lines-in/config").json()["batch.size"]
        assert "config.batch.size: 500 -> 7" in up.log().partition("drift.opened")[2].splitlines()[0]

        assert 200 == rest.patch("/connectors/lines-out/config", json={"errors.log.enable": "true"}).status_code
        wait_until(lambda: up.log().count("drift.opened") == 2, what="drift of the other one was told")
        plan = tidegate("plan", "-o", "json", cwd=folder)
        assert 2 == plan.returncode
        assert ["lines-out"] == [step["connector"] for step in json.loads(plan.stdout)["clusters"][0]["steps"]]

        (folder / "broken.yaml").write_text("kind: [\n")
        broken = tidegate("plan", cwd=folder)
        assert 1 == broken.returncode
        assert "broken.yaml:2:1" in broken.stderr
        assert "RUNNING" == states(rest, "lines-in")[0]

    children = up.children()
    assert children
    up.interrupt()
    assert 0 == up.ended()
    none_left(children)
    assert not Up.path(folder).exists()
    nobody = tidegate("status", cwd=folder, env={"TIDEGATE_CONNECT_URL": up.url})
    assert 1 == nobody.returncode
    assert "is a worker running?" in nobody.stderr


def test_the_second_interrupt_insists(folder: Path, tmp_path: Path) -> None:
    """While a stuck task holds up the drain, another Ctrl-C ends everything at once."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "stuck.py").write_text(STUCK)
    (folder / "stuck.json").write_text('{"name": "stuck", "config": {"connector.class": "stuck.Stuck"}}')
    up = RunningUp(folder, "--plugin-path", str(plugins))
    up.start()
    try:
        with up.client() as rest:
            until(rest, "stuck", "RUNNING", ["RUNNING"])
        children = up.children()
        up.interrupt()
        wait_until(lambda: "worker.stopping" in up.log(), what="it is draining")
        up.interrupt()
        assert 130 == up.ended()
        assert "stopping at once" in up.log()
        none_left(children)
    finally:
        up.server.stop()


def test_nothing_is_started_on_a_port_that_is_taken(folder: Path) -> None:
    """A second `up` on the same port says so and leaves the first alone."""
    first = RunningUp(folder)
    first.start()
    try:
        second = tidegate("up", folder, "--port", first.url.rpartition(":")[2], cwd=folder)
        assert 1 == second.returncode
        assert "is in use by another program" in second.stderr
        assert Up.find(folder) is not None
        assert first.server.alive
    finally:
        first.server.stop()

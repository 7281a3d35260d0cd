"""The commands by their exit codes and streams, against a cluster behind a real socket."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import uvicorn
from typer.testing import CliRunner

from reconciler.settings import Up
from tests.reconciler.world import sink
from tests.worlds.fake_connect import FakeConnect
from tests.worlds.waiting import wait_until
from tidegate import gitops

front = typer.Typer()
gitops.register(front)


@pytest.fixture
def connect() -> Iterator[tuple[FakeConnect, str]]:
    """A fake cluster and its URL."""
    fake = FakeConnect()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(fake.app(), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        wait_until(lambda: server.started, what="the fake cluster answers")
        yield fake, f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIDEGATE_CONNECT_URL", "TIDEGATE_JOURNAL_BOOTSTRAP_SERVERS", "TIDEGATE_WEBHOOK_URL", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    result = CliRunner().invoke(front, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


def test_plan_apply_plan(connect: tuple[FakeConnect, str], tmp_path: Path) -> None:
    """2 while there are changes, 0 when there are none; the journal is a file below the folder."""
    fake, url = connect
    (tmp_path / "f.yaml").write_text(sink())
    code, out, err = run("plan", tmp_path, "--connect-url", url)
    assert (2, "") == (code, err)
    assert "  + orders" in out
    assert "\x1b" not in out
    code, out, err = run("apply", tmp_path, "--connect-url", url)
    assert (0, "") == (code, err)
    assert "1 of 1 steps done." in out
    assert "orders" in fake.connectors
    assert (tmp_path / ".tidegate" / "journal.json").exists()
    assert 0 == run("plan", tmp_path, "--connect-url", url)[0]


def test_json_is_all_there_is_on_stdout(connect: tuple[FakeConnect, str], tmp_path: Path) -> None:
    """Programs read standard output; complaints are talk."""
    _, url = connect
    (tmp_path / "f.yaml").write_text(sink())
    (tmp_path / "g.yaml").write_text("[")
    code, out, err = run("plan", tmp_path, "--connect-url", url, "-o", "json")
    assert 1 == code
    found = json.loads(out)
    assert ["orders"] == [step["connector"] for step in found["clusters"][0]["steps"]]
    assert 1 == len(found["problems"])
    assert "error: g.yaml:1:2: not YAML" in err
    code, out, _ = run("apply", tmp_path, "--connect-url", url, "-o", "json")
    assert (1, []) == (code, json.loads(out)["applied"])


def test_apply_refuses_while_a_manifest_is_broken(connect: tuple[FakeConnect, str], tmp_path: Path) -> None:
    """Nothing is half-done."""
    fake, url = connect
    (tmp_path / "f.yaml").write_text(sink())
    (tmp_path / "g.yaml").write_text(sink("g").replace("class", "klass"))
    code, _, err = run("apply", tmp_path, "--connect-url", url)
    assert 1 == code
    assert "Nothing was applied." in err
    assert {} == fake.connectors


def test_apply_of_an_approved_plan(connect: tuple[FakeConnect, str], tmp_path: Path) -> None:
    """The plan that was read is the plan that is applied, or none."""
    fake, url = connect
    (tmp_path / "f.yaml").write_text(sink())
    _, out, _ = run("plan", tmp_path, "--connect-url", url, "-o", "json")
    approved = json.loads(out)["fingerprint"]
    (tmp_path / "f.yaml").write_text(sink(topics="other"))
    code, _, err = run("apply", tmp_path, "--connect-url", url, "--approved", approved)
    assert 1 == code
    assert f"{approved} was approved, but the plan is now" in err
    assert {} == fake.connectors
    (tmp_path / "f.yaml").write_text(sink())
    assert 0 == run("apply", tmp_path, "--connect-url", url, "--approved", approved)[0]
    assert "orders" in fake.connectors


def test_a_failing_step_is_an_error(connect: tuple[FakeConnect, str], tmp_path: Path) -> None:
    """Exit code 1, the worker's reason on standard error."""
    fake, url = connect
    fake.rejects["orders"] = "Connector configuration is invalid"
    (tmp_path / "f.yaml").write_text(sink())
    code, out, err = run("apply", tmp_path, "--connect-url", url)
    assert 1 == code
    assert "0 of 1 steps done." in out
    assert "Connector configuration is invalid" in err


def test_errors_are_1_and_usage_is_64(tmp_path: Path) -> None:
    """No cluster, no folder: 1. Contradicting options: 64."""
    (tmp_path / "f.yaml").write_text(sink())
    code, _, err = run("plan", tmp_path, "--connect-url", "http://127.0.0.1:1")
    assert 1 == code
    assert "does not answer" in err
    assert "`tidegate up` starts one" in err
    code, _, err = run("validate", tmp_path / "nowhere")
    assert 1 == code
    assert "is not a folder" in err
    code, _, err = run("plan", tmp_path, "--journal-file", tmp_path / "j", "--journal-bootstrap-servers", "127.0.0.1:1")
    assert 64 == code
    assert "contradicts" in err
    assert 64 == run("plan", tmp_path, "--connect-url", "connect:8083")[0]


def test_validate_needs_no_cluster(tmp_path: Path) -> None:
    """All mistakes with their places, as text and as JSON."""
    (tmp_path / "f.yaml").write_text(sink().replace("topics", "topics"))
    assert (0, "1 connector, no mistakes\n", "") == run("validate", tmp_path)
    (tmp_path / "f.yaml").write_text(sink(extra="tasksmax: 2"))
    code, out, err = run("validate", tmp_path)
    assert (1, "0 connectors, 1 to fix\n") == (code, out)
    assert 'error: f.yaml:6:3: unknown key "tasksmax" in spec (did you mean tasksMax?)' in err
    code, out, _ = run("validate", tmp_path, "-o", "json")
    assert [{"where": "f.yaml:6:3", "what": 'unknown key "tasksmax" in spec', "hint": "did you mean tasksMax?"}] == (
        json.loads(out)["problems"]
    )


def test_validate_asks_the_cluster_for_classes(connect: tuple[FakeConnect, str], tmp_path: Path) -> None:
    """With a URL, unknown classes are found as well."""
    _, url = connect
    (tmp_path / "f.yaml").write_text(sink().replace("FileStreamSink", "FileStreamSnk"))
    assert 0 == run("validate", tmp_path)[0]
    code, _, err = run("validate", tmp_path, "--connect-url", url)
    assert 1 == code
    assert 'unknown connector class "FileStreamSnk" (did you mean FileStreamSink?)' in err


def test_a_running_up_is_found(connect: tuple[FakeConnect, str], tmp_path: Path) -> None:
    """`tidegate up` writes down where it listens; a dead one is not believed."""
    _, url = connect
    (tmp_path / "f.yaml").write_text(sink())
    Up(connect_url=url, bootstrap_servers="127.0.0.1:1", pid=os.getpid()).announce(tmp_path)
    assert 2 == run("plan", tmp_path, "--journal-file", tmp_path / "journal.json")[0]
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    Up(connect_url=url, bootstrap_servers="127.0.0.1:1", pid=gone.pid).announce(tmp_path)
    assert Up.find(tmp_path) is None


def test_color_only_where_it_is_wanted(connect: tuple[FakeConnect, str], tmp_path: Path) -> None:
    """Not in a pipe; asked for by option."""
    _, url = connect
    (tmp_path / "f.yaml").write_text(sink())
    assert "\x1b[" not in run("plan", tmp_path, "--connect-url", url)[1]
    assert "\x1b[" in run("plan", tmp_path, "--connect-url", url, "--color")[1]
    assert "\x1b[" not in run("plan", tmp_path, "--connect-url", url, "--no-color")[1]


def test_watch_stops_on_the_first_signal(connect: tuple[FakeConnect, str], tmp_path: Path) -> None:
    """It converges, then one SIGINT ends it cleanly."""
    fake, url = connect
    (tmp_path / "f.yaml").write_text(sink())
    code = "import typer; from tidegate import gitops; app = typer.Typer(); gitops.register(app); app()"
    watching = subprocess.Popen(
        [sys.executable, "-c", code, "watch", str(tmp_path), "--connect-url", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: "orders" in fake.connectors, what="the daemon applies the folder")
        watching.send_signal(2)
        out, err = watching.communicate(timeout=20)
    finally:
        watching.kill()
        watching.wait()
    assert (0, "") == (watching.returncode, out)
    assert "step.done" in err


def test_nothing_heavy_is_imported_for_help() -> None:
    """The reconciler is imported when a command runs, not before."""
    code = (
        "import sys, tidegate.gitops; "
        "sys.exit(any(m.split('.')[0] in ('reconciler', 'httpx', 'ruamel', 'confluent_kafka') for m in sys.modules))"
    )
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode

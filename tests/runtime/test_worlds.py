"""The worlds keep their word: what they start serves, comes back with its data, and is gone afterwards."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.worlds import jars
from tests.worlds.broker import Broker, Sent
from tests.worlds.java_connect import JavaConnect
from tests.worlds.servers import Server
from tests.worlds.waiting import NeverHappened, wait_until

ROOT = Path(__file__).parents[2]


def test_what_goes_in_comes_out(broker: Broker) -> None:
    """Keys, values, headers and timestamps are read as they were written."""
    topic = broker.fresh_topic(partitions=2)
    full = Sent(value=b"v", headers=[("h", b"1"), ("n", None)], partition=1, timestamp=1_700_000_000_000)
    broker.produce(topic, ["text", ("key", None), full])
    got = {record.value: record for record in broker.consume(topic, 3)}
    assert {b"text", None, b"v"} == set(got)
    assert b"key" == got[None].key
    assert (("h", b"1"), ("n", None)) == got[b"v"].headers
    assert (1, 1_700_000_000_000) == (got[b"v"].partition, got[b"v"].timestamp)
    assert 3 == broker.count(topic)


@pytest.mark.apache_kafka_only
def test_a_broker_comes_back_with_its_data(private_broker: Broker) -> None:
    """Stopped or killed, a broker comes back on the same port with what was acknowledged."""
    topic = private_broker.fresh_topic()
    private_broker.produce(topic, ["one"])
    private_broker.stop()
    private_broker.start()
    private_broker.produce(topic, ["two"])
    private_broker.kill()
    assert 0 == private_broker.serving()
    private_broker.start()
    assert ["one", "two"] == private_broker.values(topic, 2)


@pytest.mark.apache_kafka_only
def test_the_java_oracle_moves_lines(broker: Broker, java_connect: JavaConnect, tmp_path: Path) -> None:
    """Connect on the JVM runs the file source we compare ourselves with."""
    topic = broker.fresh_topic()
    lines = tmp_path / "lines.txt"
    lines.write_text("a\nb\n")
    config = {"connector.class": "FileStreamSource", "file": str(lines), "topic": topic, "tasks.max": "1"}
    with java_connect.client() as http:
        assert jars.KAFKA_VERSION == http.get("/").json()["version"]
        assert 201 == http.put(f"/connectors/{topic}/config", json=config).status_code
        assert ["a", "b"] == broker.values(topic, 2)
        assert 204 == http.delete(f"/connectors/{topic}").status_code


def test_waiting_says_what_never_happened() -> None:
    """A wait that runs out names what it waited for and what it saw last."""
    with pytest.raises(NeverHappened, match=r"the moon is cheese .*last saw 0"):
        wait_until(lambda: 0, timeout=0, what="the moon is cheese")


def test_a_server_ends_with_its_test_run(tmp_path: Path) -> None:
    """However a test run ends, no server outlives it."""
    script = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from tests.worlds.servers import Server
        server = Server("sleeper", Path(sys.argv[1]))
        server.spawn(["sleep", "600"])
        print(server.pid, flush=True)
        os.kill(os.getpid(), 9)
    """)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True, cwd=ROOT, timeout=60
    )
    pid = int(done.stdout)

    def gone() -> bool:
        try:
            # An orphan that has ended may stay a zombie where nobody reaps.
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_until(gone, what=f"process {pid} has ended")


def test_without_java_the_last_line_says_so(tmp_path: Path) -> None:
    """A session that fell back to the embedded broker says so last, and in CI it fails."""
    test = tmp_path / "test_one.py"
    test.write_text(
        "import pytest\n"
        "def test_runs_on(broker): assert broker.kind == 'embedded'\n"
        "@pytest.mark.apache_kafka_only\n"
        "def test_skipped(): pass\n"
    )
    for name, code in (("false", 0), ("true", 1)):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest",
             "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), str(test)],
            env={"PATH": str(tmp_path), "CI": name, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
            cwd=tmp_path, stdout=subprocess.PIPE, text=True, timeout=120,
        )  # fmt: skip
        assert code == done.returncode, done.stdout
        assert "1 passed, 1 skipped" in done.stdout
        assert done.stdout.splitlines()[-1].startswith("NOT TESTED ON APACHE KAFKA"), done.stdout


def test_a_log_is_shown_from_its_end(tmp_path: Path) -> None:
    """The tail of a server's log is what it said last."""
    server = Server("echo", tmp_path / "log")
    server.spawn(["sh", "-c", f"echo first; echo last; exec sleep {os.getpid() % 7 + 600}"])
    try:
        server.until(lambda: "last" in server.tail(1), 30, "never said it")
        assert ["first", "last"] == server.tail().splitlines()
    finally:
        server.kill()
    assert not server.alive

"""kill -9 of a task host and of a worker while lines are moving: at least once, in order, from where it was."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.moving import COUNT, WORKER, gone, moving, running
from tests.worlds.broker import Broker, fresh
from tests.worlds.rest import create, deleted_after, status, until
from tests.worlds.tidegate_worker import TidegateWorker
from tests.worlds.waiting import wait_until

pytestmark = pytest.mark.apache_kafka_only


def test_killed_task_hosts(broker: Broker, start_worker: Callable[..., TidegateWorker], tmp_path: Path) -> None:
    """Each host is killed once in the middle: the worker starts the tasks again, and they go on where they were."""
    worker = start_worker(settings=WORKER)
    with moving(broker, worker, tmp_path) as move:
        first = worker.hosts()
        assert 2 == len(first)
        committed = []
        for pid, there in zip(first, (COUNT // 5, COUNT // 2), strict=True):
            wait_until(move.read, what="the source has committed something")
            move.until_produced(there)
            move.until_written(1)
            committed.append(move.read())
            os.kill(pid, signal.SIGKILL)
            gone([pid])
        move.until_done()
        with worker.client() as rest:
            running(rest, move)
        move.check(killed=2)
        assert committed[0] <= min(map(_number, move.sent_twice()), default=COUNT)
        assert worker.server.alive
        assert not set(first) & set(worker.hosts())


def test_killed_worker(broker: Broker, start_worker: Callable[..., TidegateWorker], tmp_path: Path) -> None:
    """The worker is killed in the middle: no host outlives it, and the next one goes on where it was."""
    worker = start_worker(settings=WORKER)
    with moving(broker, worker, tmp_path) as move:
        hosts = worker.hosts()
        assert 2 == len(hosts)
        wait_until(move.read, what="the source has committed something")
        wait_until(
            lambda: broker.committed(f"connect-{move.sink}", move.topic), what="the sink has committed something"
        )
        move.until_produced(COUNT // 3)
        committed = move.read()
        worker.kill()
        gone(hosts)
        came = move.produced()
        assert came < COUNT
        worker.start()
        move.until_done()
        move.check(killed=1)
        twice = move.sent_twice()
        assert committed <= min(map(_number, twice), default=COUNT)
        assert len(twice) <= came - committed


def test_a_host_that_keeps_dying_is_given_up(
    broker: Broker, start_worker: Callable[..., TidegateWorker], tmp_path: Path
) -> None:
    """Killed four times within a minute, what ran in it is FAILED and says why; a restart over REST brings it back."""
    worker = start_worker(settings={"host.processes": "1", "offset.flush.interval.ms": "200"})
    name, topic, file = fresh("dying"), broker.fresh_topic(), tmp_path / "in.txt"
    file.touch()
    count = 0

    def moves() -> None:
        """A line that goes through says that the task runs."""
        nonlocal count
        count += 1
        with file.open("a") as out:
            out.write(f"line {count}\n")
        wait_until(lambda: f"line {count}" in [(it.value or b"").decode() for it in broker.read(topic)])

    with worker.client() as rest, deleted_after(rest, name):
        create(rest, name, {"connector.class": "FileStreamSource", "file": str(file), "topic": topic})
        for _ in range(4):
            moves()
            (pid,) = worker.hosts()
            os.kill(pid, signal.SIGKILL)
            gone([pid])
        until(rest, name, "FAILED", ["FAILED"])
        found = status(rest, name)
        assert found is not None
        for part in (found["connector"], *found["tasks"]):
            assert f"the task host process {pid} ended with signal 9" in part["trace"]
            assert "4 times within 60 s, it is not started again" in part["trace"]
        answer = rest.post(f"/connectors/{name}/restart", params={"includeTasks": "true", "onlyFailed": "true"})
        assert 202 == answer.status_code
        until(rest, name, "RUNNING", ["RUNNING"])
        moves()


def _number(line: str) -> int:
    return int(line.removeprefix("line "))

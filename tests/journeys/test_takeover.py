"""One cluster's topics, first served by Java's worker and then by ours, and the other way round."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.worlds.broker import Broker, fresh
from tests.worlds.connect_worker import ConnectWorker
from tests.worlds.java_connect import JavaConnect
from tests.worlds.rest import create, until
from tests.worlds.tidegate_worker import TidegateWorker
from tests.worlds.waiting import wait_until

pytestmark = pytest.mark.apache_kafka_only

Start = Callable[..., ConnectWorker]


@pytest.fixture(params=["java first", "tidegate first"])
def workers(
    request: pytest.FixtureRequest,
    start_java_connect: Callable[..., JavaConnect],
    start_worker: Callable[..., TidegateWorker],
) -> tuple[Start, Start]:
    """Who serves the topics first, and who after that."""
    if request.param == "java first":
        return start_java_connect, start_worker
    return start_worker, start_java_connect


def test_the_next_worker_carries_on(workers: tuple[Start, Start], broker: Broker, tmp_path: Path) -> None:
    """Connectors, target states, task configs and offsets are those that the former worker left behind."""
    first, second = workers
    group, topic, resting = fresh("takeover"), broker.fresh_topic(), broker.fresh_topic()
    moving, paused, stopped, sink = fresh("moving"), fresh("paused"), fresh("stopped"), fresh("sink")
    file, copy = tmp_path / "in.txt", tmp_path / "out.txt"
    file.write_text("".join(f"{number}\n" for number in range(100)))
    source = {"connector.class": "FileStreamSource", "file": str(file), "tasks.max": "1"}
    with_names = {"moving": {**source, "topic": topic}, "resting": {**source, "topic": resting}}

    former = first(group=group)
    with former.client() as rest:
        create(rest, moving, with_names["moving"])
        create(rest, sink, {"connector.class": "FileStreamSink", "file": str(copy), "topics": topic})
        create(rest, paused, with_names["resting"], initial_state="PAUSED")
        create(rest, stopped, with_names["resting"], initial_state="STOPPED")
        until(rest, moving, "RUNNING", ["RUNNING"])
        until(rest, sink, "RUNNING", ["RUNNING"])
        until(rest, paused, "PAUSED", [])
        until(rest, stopped, "STOPPED", [])
        wait_until(lambda: copy.exists() and len(copy.read_text().splitlines()) == 100)
        configs = {name: rest.get(f"/connectors/{name}/config").json() for name in (moving, sink, paused, stopped)}
        tasks = rest.get(f"/connectors/{moving}/tasks").json()
    former.stop()

    latter = second(group=group)
    with latter.client() as rest:
        assert {moving, sink, paused, stopped} == set(rest.get("/connectors").json())
        assert configs == {name: rest.get(f"/connectors/{name}/config").json() for name in configs}
        until(rest, moving, "RUNNING", ["RUNNING"])
        until(rest, sink, "RUNNING", ["RUNNING"])
        until(rest, paused, "PAUSED", [])
        until(rest, stopped, "STOPPED", [])
        assert tasks == rest.get(f"/connectors/{moving}/tasks").json()
        with file.open("a") as out:
            out.write("100\n")
        wait_until(lambda: len(copy.read_text().splitlines()) >= 101)
        assert [str(number) for number in range(101)] == copy.read_text().splitlines()
        assert 0 == broker.count(resting)
        rest.put(f"/connectors/{stopped}/resume")
        until(rest, stopped, "RUNNING", ["RUNNING"])
        wait_until(lambda: broker.count(resting) == 101)

"""Contract 1.1, 1.2 and 1.4 over HTTP, on Apache Kafka Connect and on us."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.worlds.broker import Broker, fresh
from tests.worlds.rest import create, deleted_after, states, status, until
from tests.worlds.waiting import wait_until

pytestmark = pytest.mark.apache_kafka_only

SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"


def source(file: Path, topic: str, **more: Any) -> dict[str, Any]:
    return {"connector.class": SOURCE, "file": str(file), "topic": topic, **more}


def sink(file: Path, topic: str, **more: Any) -> dict[str, Any]:
    return {"connector.class": SINK, "file": str(file), "topics": topic, **more}


def test_root(rest: httpx.Client, broker: Broker) -> None:
    """GET / names version, commit and the Kafka cluster."""
    said = rest.get("/").json()
    assert {"version", "commit", "kafka_cluster_id"} == said.keys()
    assert broker.admin.list_topics(timeout=10).cluster_id == said["kafka_cluster_id"]


def test_health(rest: httpx.Client) -> None:
    """A worker that is ready says so."""
    answer = rest.get("/health")
    assert 200 == answer.status_code
    assert {
        "status": "healthy",
        "message": "Worker has completed startup and is ready to handle requests.",
    } == answer.json()


def test_life_of_a_connector(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """Create, read, replace, patch, list, expand, delete."""
    name, topic = fresh("life"), broker.fresh_topic()
    config = source(tmp_path / "in.txt", topic)
    with deleted_after(rest, name):
        answer = rest.post("/connectors", json={"name": name, "config": {**config, "tasks.max": 1, "batch.size": 10}})
        assert 201 == answer.status_code
        assert f"{str(rest.base_url).rstrip('/')}/connectors/{name}" == answer.headers["location"]
        wanted = {**config, "name": name, "tasks.max": "1", "batch.size": "10"}
        assert {"name": name, "config": wanted, "tasks": [], "type": "source"} == answer.json()
        until(rest, name, "RUNNING", ["RUNNING"])
        info = rest.get(f"/connectors/{name}").json()
        assert [{"connector": name, "task": 0}] == info["tasks"]
        assert wanted == rest.get(f"/connectors/{name}/config").json()
        assert name in rest.get("/connectors").json()
        expanded = rest.get("/connectors", params={"expand": ["status", "info"]}).json()
        assert info == expanded[name]["info"]
        assert "RUNNING" == expanded[name]["status"]["connector"]["state"]
        assert {} == rest.get("/connectors", params={"expand": "foo"}).json()[name]

        replaced = rest.put(f"/connectors/{name}/config", json=config)
        assert 200 == replaced.status_code
        assert {**config, "name": name} == replaced.json()["config"]
        patched = rest.patch(f"/connectors/{name}/config", json={"batch.size": "7", "file": None})
        assert 200 == patched.status_code
        assert "7" == patched.json()["config"]["batch.size"]
        assert "file" not in patched.json()["config"]

        tasks = rest.get(f"/connectors/{name}/tasks").json()
        assert [{"connector": name, "task": 0}] == [task["id"] for task in tasks]
        assert "org.apache.kafka.connect.file.FileStreamSourceTask" == tasks[0]["config"]["task.class"]

        assert 204 == rest.delete(f"/connectors/{name}").status_code
        wait_until(lambda: rest.get(f"/connectors/{name}").status_code == 404)
        wait_until(lambda: rest.get(f"/connectors/{name}/status").status_code == 404)


def test_status_names_worker_and_version(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """A status has worker, version and type, for the connector and each task."""
    name = fresh("status")
    with deleted_after(rest, name):
        create(rest, name, sink(tmp_path / "out.txt", broker.fresh_topic()) | {"tasks.max": "2"})
        until(rest, name, "RUNNING", ["RUNNING", "RUNNING"])
        found = status(rest, name)
        assert found is not None
        assert "sink" == found["type"]
        worker = str(rest.base_url).removeprefix("http://").rstrip("/")
        assert {worker} == {part["worker_id"] for part in [found["connector"], *found["tasks"]]}
        assert all(part["version"] for part in [found["connector"], *found["tasks"]])
        assert found["tasks"][1] == rest.get(f"/connectors/{name}/tasks/1/status").json()


def test_pause_resume_stop(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """Every move between running, paused and stopped; each request twice (contract 14.1, row 1)."""
    name = fresh("moves")
    with deleted_after(rest, name):
        create(rest, name, source(tmp_path / "in.txt", broker.fresh_topic()))
        until(rest, name, "RUNNING", ["RUNNING"])
        for verb, code, connector, tasks in (
            ("stop", 204, "STOPPED", []),
            ("resume", 202, "RUNNING", ["RUNNING"]),
            ("pause", 202, "PAUSED", ["PAUSED"]),
            ("stop", 204, "STOPPED", []),
            ("pause", 202, "PAUSED", []),
            ("resume", 202, "RUNNING", ["RUNNING"]),
        ):
            assert code == rest.put(f"/connectors/{name}/{verb}").status_code
            assert code == rest.put(f"/connectors/{name}/{verb}").status_code
            until(rest, name, connector, tasks)
            assert len(tasks) == len(rest.get(f"/connectors/{name}/tasks").json())


@pytest.mark.parametrize(("initial", "state"), [("PAUSED", "PAUSED"), ("stopped", "STOPPED")])
def test_initial_state(rest: httpx.Client, broker: Broker, tmp_path: Path, initial: str, state: str) -> None:
    """A connector created paused or stopped has no tasks until it is resumed (KIP-980)."""
    name = fresh("initial")
    with deleted_after(rest, name):
        create(rest, name, source(tmp_path / "in.txt", broker.fresh_topic()), initial_state=initial)
        until(rest, name, state, [])
        rest.put(f"/connectors/{name}/resume")
        until(rest, name, "RUNNING", ["RUNNING"])


def test_restarts(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """The connector alone, one task, and both by flags."""
    name = fresh("restart")
    with deleted_after(rest, name):
        create(rest, name, source(tmp_path / "in.txt", broker.fresh_topic()))
        until(rest, name, "RUNNING", ["RUNNING"])
        assert 204 == rest.post(f"/connectors/{name}/restart").status_code
        assert 204 == rest.post(f"/connectors/{name}/tasks/0/restart").status_code
        until(rest, name, "RUNNING", ["RUNNING"])
        answer = rest.post(f"/connectors/{name}/restart", params={"includeTasks": "true"})
        assert 202 == answer.status_code
        assert "RESTARTING" == answer.json()["connector"]["state"]
        assert ["RESTARTING"] == [task["state"] for task in answer.json()["tasks"]]
        until(rest, name, "RUNNING", ["RUNNING"])
        nothing = rest.post(f"/connectors/{name}/restart", params={"includeTasks": "true", "onlyFailed": "true"})
        assert 202 == nothing.status_code
        assert "RUNNING" == nothing.json()["connector"]["state"]
        assert 404 == rest.post(f"/connectors/{name}/tasks/7/restart").status_code


def test_a_failed_task_is_restarted_by_hand(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """A sink whose folder is missing fails with a trace; once it is there, a restart brings it up."""
    name, folder = fresh("failing"), tmp_path / "missing"
    with deleted_after(rest, name):
        create(rest, name, sink(folder / "out.txt", broker.fresh_topic()))
        until(rest, name, "RUNNING", ["FAILED"])
        found = status(rest, name)
        assert found is not None
        assert "out.txt" in found["tasks"][0]["trace"]
        folder.mkdir()
        answer = rest.post(f"/connectors/{name}/restart", params={"includeTasks": "true", "onlyFailed": "true"})
        assert "RUNNING" == answer.json()["connector"]["state"]
        until(rest, name, "RUNNING", ["RUNNING"])


def test_topics_are_tracked(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """The topics of a connector are listed from their first use until they are reset (KIP-558)."""
    name, topic = fresh("tracked"), broker.fresh_topic()
    file = tmp_path / "in.txt"
    file.write_text("one\n")
    assert {name: {"topics": []}} == rest.get(f"/connectors/{name}/topics").json()
    with deleted_after(rest, name):
        create(rest, name, source(file, topic))
        wait_until(lambda: rest.get(f"/connectors/{name}/topics").json() == {name: {"topics": [topic]}})
        assert 202 == rest.put(f"/connectors/{name}/topics/reset").status_code
        wait_until(lambda: rest.get(f"/connectors/{name}/topics").json() == {name: {"topics": []}})


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/connectors/nobody", 404),
        ("GET", "/connectors/nobody/config", 404),
        ("GET", "/connectors/nobody/status", 404),
        ("GET", "/connectors/nobody/tasks", 404),
        ("GET", "/connectors/nobody/tasks/0/status", 404),
        ("DELETE", "/connectors/nobody", 404),
        ("PUT", "/connectors/nobody/pause", 404),
        ("PUT", "/connectors/nobody/resume", 404),
        ("PUT", "/connectors/nobody/stop", 404),
        ("POST", "/connectors/nobody/restart", 404),
        ("POST", "/connectors/nobody/restart?includeTasks=true", 404),
        ("POST", "/connectors/nobody/tasks/0/restart", 404),
        ("GET", "/nothing/here", 404),
        ("PUT", "/connectors", 405),
        ("GET", "/connector-plugins/Nothing/config", 404),
        ("GET", "/connector-plugins/FileStreamSource/config?version=9.9", 400),
    ],
)
def test_refusals(rest: httpx.Client, method: str, path: str, code: int) -> None:
    """What is not there has an error body whose code is the status."""
    answer = rest.request(method, path)
    assert code == answer.status_code
    assert code == answer.json()["error_code"]
    assert {"error_code", "message"} == answer.json().keys()


@pytest.mark.parametrize(
    ("body", "kind", "code", "words"),
    [
        ('{"name": "x", "config": ', "application/json", 500, ""),
        ('{"name": "x", "config": [1]}', "application/json", 500, "Cannot deserialize value"),
        ('{"name": "x", "config": {"a": {"b": 1}}}', "application/json", 500, "Cannot deserialize value"),
        ('{"name": "x", "config": {}, "color": "red"}', "application/json", 500, "Unrecognized field"),
        ('{"name": "x", "config": {}}', "text/plain", 415, ""),
        ('{"name": "x", "config": {"name": "y"}}', "application/json", 400, "doesn't match connector name"),
        ('{"name": "x", "config": {}}', "application/json", 400, "contains no connector type"),
        ('{"name": "x", "config": {"connector.class": "Nope"}}', "application/json", 400, "Failed to find any class"),
        (
            '{"name": "x", "config": {"connector.class": "FileStreamSource", "tasks.max": "many"}}',
            "application/json",
            400,
            "contains the following 3 error(s)",
        ),
        (
            '{"name": "", "config": {"connector.class": "FileStreamSource", "topic": "t"}}',
            "application/json",
            400,
            "may not be empty",
        ),
    ],
)
def test_bad_bodies(rest: httpx.Client, body: str, kind: str, code: int, words: str) -> None:
    """A body that cannot be used is refused in Connect's words, and nothing is created."""
    answer = rest.post("/connectors", content=body, headers={"Content-Type": kind})
    assert code == answer.status_code, answer.text
    assert code == answer.json()["error_code"]
    assert words in (answer.json()["message"] or "")
    assert 404 == rest.get("/connectors/x").status_code


def test_media_types(rest: httpx.Client) -> None:
    """A body without a type is refused, as is an asker who takes no JSON; OPTIONS names the methods."""
    assert 415 == rest.post("/connectors", content=b"{}").status_code
    assert 406 == rest.get("/connectors", headers={"Accept": "text/plain"}).status_code
    options = rest.options("/connectors")
    assert 200 == options.status_code
    assert {"GET", "HEAD", "POST"} <= {method.strip() for method in options.headers["allow"].split(",")}


def test_numbers_are_names_too(rest: httpx.Client, tmp_path: Path) -> None:
    """What JSON has as a number becomes text, for a name as for a value."""
    with deleted_after(rest, "505"):
        answer = rest.post(
            "/connectors", json={"name": 505, "config": source(tmp_path / "in.txt", "t") | {"tasks.max": 1}}
        )
        assert 201 == answer.status_code
        assert "505" == answer.json()["name"]
        assert "1" == answer.json()["config"]["tasks.max"]


def test_a_pattern_meets_new_topics(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """topics.regex takes every topic that matches wholly, and no other."""
    name, stem, copy = fresh("regex"), fresh("many"), tmp_path / "out.txt"
    for topic in (f"{stem}-a", f"{stem}-b", f"x{stem}-a"):
        broker.create_topic(topic)
        broker.produce(topic, [topic])
    with deleted_after(rest, name):
        create(rest, name, {"connector.class": SINK, "file": str(copy), "topics.regex": f"{stem}-.*"})
        wait_until(lambda: copy.exists() and len(copy.read_text().splitlines()) == 2, 60)
        assert {f"{stem}-a", f"{stem}-b"} == set(copy.read_text().splitlines())


def test_creating_twice_is_a_conflict(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """A second connector of one name is refused, and the first one stays."""
    name, config = fresh("twice"), source(tmp_path / "in.txt", broker.fresh_topic())
    with deleted_after(rest, name):
        create(rest, name, config)
        again = rest.post("/connectors", json={"name": name, "config": {**config, "batch.size": "3"}})
        assert 409 == again.status_code
        assert f"Connector {name} already exists" == again.json()["message"]
        assert "batch.size" not in rest.get(f"/connectors/{name}/config").json()


def test_put_creates(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """PUT config creates what is not there, with 201; a name that differs is refused."""
    name, config = fresh("put"), source(tmp_path / "in.txt", broker.fresh_topic())
    with deleted_after(rest, name):
        assert 201 == rest.put(f"/connectors/{name}/config", json=config).status_code
        assert 200 == rest.put(f"/connectors/{name}/config", json=config).status_code
        refused = rest.put(f"/connectors/{name}/config", json={**config, "name": "other"})
        assert 400 == refused.status_code


def test_plugins(rest: httpx.Client) -> None:
    """The plugins that ship with Connect are listed by class, type and version."""
    connectors = rest.get("/connector-plugins").json()
    assert {SOURCE: "source", SINK: "sink"}.items() <= {it["class"]: it["type"] for it in connectors}.items()
    assert {"source", "sink"} == {it["type"] for it in connectors}
    everything = rest.get("/connector-plugins", params={"connectorsOnly": "false"}).json()
    assert {
        "org.apache.kafka.connect.json.JsonConverter",
        "org.apache.kafka.connect.storage.StringConverter",
        "org.apache.kafka.connect.transforms.HoistField$Value",
        "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
    } <= {it["class"] for it in everything}


def test_records_flow_both_ways(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """Lines of a file arrive in another file, through JSON with schemas and two transforms."""
    topic, came, went = broker.fresh_topic(), fresh("in"), fresh("out")
    file, copy = tmp_path / "in.txt", tmp_path / "out.txt"
    file.write_text("".join(f"line {number}\n" for number in range(500)))
    json_converter = {
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "true",
    }
    transforms = {
        "transforms": "hoist,stamp",
        "transforms.hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value",
        "transforms.hoist.field": "line",
        "transforms.stamp.type": "org.apache.kafka.connect.transforms.InsertField$Value",
        "transforms.stamp.static.field": "via",
        "transforms.stamp.static.value": "test",
    }
    with deleted_after(rest, came, went):
        create(rest, came, source(file, topic, **json_converter, **transforms))
        create(rest, went, sink(copy, topic, **json_converter))
        wanted = [f"Struct{{line=line {number},via=test}}" for number in range(500)]
        wait_until(lambda: copy.exists() and len(copy.read_text().splitlines()) >= 500, 60)
        assert wanted == copy.read_text().splitlines()
        wait_until(lambda: broker.committed(f"connect-{went}", topic) == {0: 500}, 60)
    assert (
        b'{"schema":{"type":"struct","fields":[{"type":"string","optional":false,"field":"line"},'
        b'{"type":"string","optional":true,"field":"via"}],"optional":false},"payload":{"line":"line 0","via":"test"}}'
        == broker.read(topic)[0].value
    )


def test_a_paused_source_stands_still(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """Nothing is produced while paused; what came meanwhile is, once resumed."""
    name, topic, file = fresh("still"), broker.fresh_topic(), tmp_path / "in.txt"
    file.write_text("one\n")
    with deleted_after(rest, name):
        create(rest, name, source(file, topic))
        wait_until(lambda: broker.count(topic) == 1)
        rest.put(f"/connectors/{name}/pause")
        until(rest, name, "PAUSED", ["PAUSED"])
        with file.open("a") as out:
            out.write("two\n")
        rest.put(f"/connectors/{name}/resume")
        until(rest, name, "RUNNING", ["RUNNING"])
        wait_until(lambda: broker.count(topic) == 2)
        assert ["one", "two"] == broker.values(topic, 2)


def test_offsets_survive_a_recreation(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """A source that is deleted and created again goes on where it was (contract 1.2)."""
    name, topic, file = fresh("again"), broker.fresh_topic(), tmp_path / "in.txt"
    file.write_text("one\ntwo\n")
    config = source(file, topic)
    with deleted_after(rest, name):
        create(rest, name, config)
        wait_until(lambda: broker.count(topic) == 2)
        assert 204 == rest.delete(f"/connectors/{name}").status_code
        wait_until(lambda: states(rest, name)[0] is None)
        with file.open("a") as out:
            out.write("three\n")
        create(rest, name, config)
        wait_until(lambda: broker.count(topic) >= 3)
        assert ["one", "two", "three"] == broker.values(topic, 3)


def test_task_counts_follow_tasks_max(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """More tasks, then fewer: the status shows exactly those there are (contract 14.1, row 9)."""
    name, config = fresh("tasks"), sink(tmp_path / "out.txt", broker.fresh_topic())
    with deleted_after(rest, name):
        create(rest, name, {**config, "tasks.max": "1"})
        until(rest, name, "RUNNING", ["RUNNING"])
        for count in (4, 2):
            rest.put(f"/connectors/{name}/config", json={**config, "tasks.max": str(count)})
            until(rest, name, "RUNNING", ["RUNNING"] * count)


def test_poison_goes_to_the_dead_letter_queue(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """Every other record is no JSON: the good arrive, the bad are in the queue, in order, with the reason."""
    name, topic, letters, copy = fresh("poison"), broker.fresh_topic(), fresh("letters"), tmp_path / "out.txt"
    broker.produce(topic, [f'{{"n":{n}}}' if n % 2 == 0 else f"bad {n}" for n in range(100)])
    with deleted_after(rest, name):
        create(
            rest,
            name,
            sink(
                copy,
                topic,
                **{
                    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                    "value.converter.schemas.enable": "false",
                    "errors.tolerance": "all",
                    "errors.deadletterqueue.topic.name": letters,
                    "errors.deadletterqueue.topic.replication.factor": "1",
                    "errors.deadletterqueue.context.headers.enable": "true",
                },
            ),
        )
        wait_until(lambda: copy.exists() and len(copy.read_text().splitlines()) == 50, 60)
        wait_until(lambda: letters in broker.topics() and broker.count(letters) == 50, 60)
    assert [f"{{n={n}}}" for n in range(0, 100, 2)] == copy.read_text().splitlines()
    dead = broker.read(letters)
    assert [f"bad {n}".encode() for n in range(1, 100, 2)] == [it.value for it in dead]
    headers = dict(dead[0].headers)
    assert topic.encode() == headers["__connect.errors.topic"]
    assert b"1" == headers["__connect.errors.offset"]
    assert b"VALUE_CONVERTER" == headers["__connect.errors.stage"]
    assert b"org.apache.kafka.connect.json.JsonConverter" == headers["__connect.errors.class.name"]
    assert b"org.apache.kafka.connect.errors.DataException" == headers["__connect.errors.exception.class.name"]


def test_poison_fails_a_task_that_tolerates_none(rest: httpx.Client, broker: Broker, tmp_path: Path) -> None:
    """Without tolerance the first bad record fails the task; what stood before it has arrived."""
    name, topic, copy = fresh("strict"), broker.fresh_topic(), tmp_path / "out.txt"
    broker.produce(topic, ['{"n":1}', '{"n":2}', "bad", '{"n":3}'])
    with deleted_after(rest, name):
        create(
            rest,
            name,
            sink(
                copy,
                topic,
                **{
                    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
                    "value.converter.schemas.enable": "false",
                },
            ),
        )
        until(rest, name, "RUNNING", ["FAILED"])
        found = status(rest, name)
        assert found is not None
        assert "Tolerance exceeded in error handler" in found["tasks"][0]["trace"]

"""The whole way against Apache Kafka Connect on the JVM: plan, apply, drift, heal, prune."""

import uuid
from pathlib import Path

import httpx

from reconciler import cli
from reconciler.cli import Voice
from reconciler.settings import Settings
from tests.worlds.broker import Broker
from tests.worlds.java_connect import JavaConnect
from tests.worlds.waiting import wait_until


def test_plan_apply_drift_heal_prune(java_connect: JavaConnect, broker: Broker, tmp_path: Path) -> None:
    """A source and a paused sink: created, equal, changed over REST, healed, and deleted at the end."""
    unique = uuid.uuid4().hex[:6]
    source, sink = f"lines-{unique}", f"archive-{unique}"
    (tmp_path / "in.txt").write_text("one\n")
    manifest = tmp_path / "source.yaml"
    manifest.write_text(
        f"""\
apiVersion: tidegate.dev/v1
kind: Connector
metadata: {{name: {source}}}
spec:
  class: FileStreamSource
  config: {{file: {tmp_path}/in.txt, topic: lines-{unique}, batch.size: 500}}
"""
    )
    (tmp_path / "sink.yaml").write_text(
        f"""\
apiVersion: kafka.strimzi.io/v1
kind: KafkaConnector
metadata: {{name: {sink}}}
spec:
  class: org.apache.kafka.connect.file.FileStreamSinkConnector
  tasksMax: 1
  state: paused
  config: {{file: {tmp_path}/out.txt, topics: lines-{unique}}}
"""
    )
    settings = Settings(
        folder=tmp_path,
        connect_url=java_connect.url,
        journal_bootstrap_servers=broker.bootstrap_servers,
        journal_topic=f"journal-{unique}",
    )
    quiet = Voice("json")
    assert cli.CHANGES == cli.plan(settings, quiet)
    assert cli.OK == cli.apply(settings, quiet)
    assert cli.OK == cli.plan(settings, quiet)

    with httpx.Client(base_url=f"{java_connect.url}/connectors") as rest:

        def state(name: str) -> str:
            answer = rest.get(f"/{name}/status")
            return str(answer.json()["connector"]["state"]) if answer.status_code == 200 else ""

        wait_until(lambda: state(source) == "RUNNING", what="the source runs")
        wait_until(lambda: state(sink) == "PAUSED", what="the sink was created paused")

        config = rest.get(f"/{source}/config").json()
        # 2000 is the default: leaving the key out live is the same as asking for it, 7 is not
        assert 200 == rest.put(f"/{source}/config", json={**config, "batch.size": "7"}).status_code
        assert cli.CHANGES == cli.plan(settings, quiet)
        assert cli.OK == cli.apply(settings, quiet)
        assert "500" == rest.get(f"/{source}/config").json()["batch.size"]
        manifest.write_text(manifest.read_text().replace("batch.size: 500", 'batch.size: "2000 "'))
        assert cli.CHANGES == cli.plan(settings, quiet)
        assert cli.OK == cli.apply(settings, quiet)
        without = {key: value for key, value in config.items() if key != "batch.size"}
        assert 200 == rest.put(f"/{source}/config", json=without).status_code
        assert cli.OK == cli.plan(settings, quiet)

        (tmp_path / "sink.yaml").unlink()
        assert cli.OK == cli.plan(settings, quiet)
        pruning = Settings(
            folder=tmp_path,
            connect_url=java_connect.url,
            journal_bootstrap_servers=broker.bootstrap_servers,
            journal_topic=f"journal-{unique}",
            prune=True,
        )
        assert cli.OK == cli.apply(pruning, quiet)
        assert 404 == rest.get(f"/{sink}").status_code
        rest.delete(f"/{source}")

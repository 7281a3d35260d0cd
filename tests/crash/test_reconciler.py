"""kill -9 of ``tidegate watch`` in the middle of an apply: the next one carries on, and nothing happens twice."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.worlds.broker import Broker, fresh
from tests.worlds.rest import create, deleted_after, states
from tests.worlds.servers import Server
from tests.worlds.tidegate_worker import TidegateWorker
from tests.worlds.waiting import wait_until

pytestmark = pytest.mark.apache_kafka_only

COUNT = 20
MIDDLE = range(1, COUNT)


class Fleet:
    """Twenty connectors in git, every fourth of them paused, and one that git knows nothing of."""

    def __init__(self, broker: Broker, worker: TidegateWorker, rest: httpx.Client, home: Path) -> None:
        self.broker = broker
        self.worker = worker
        self.rest = rest
        self.folder = home / "manifests"
        self.folder.mkdir()
        stem = fresh("fleet")
        self.names = [f"{stem}-{number:02d}" for number in range(COUNT)]
        self.stranger = f"{stem}-stranger"
        self.topic = broker.fresh_topic()
        self.file = home / "in.txt"
        self.file.write_text("one\n")
        self.journal = fresh("journal")
        self.watch = Server("tidegate watch", home / "watch.log")

    def config(self, batch_size: int) -> dict[str, str]:
        return {
            "connector.class": "FileStreamSource",
            "tasks.max": "1",
            "file": str(self.file),
            "topic": self.topic,
            "batch.size": str(batch_size),
        }

    def write(self, batch_size: int) -> None:
        """Have git ask for all twenty."""
        for number, name in enumerate(self.names):
            (self.folder / f"{name}.yaml").write_text(
                f"apiVersion: tidegate.dev/v1\n"
                f"kind: Connector\n"
                f"metadata: {{name: {name}}}\n"
                f"spec:\n"
                f"  class: FileStreamSource\n"
                f"  tasksMax: 1\n"
                f"  state: {'paused' if number % 4 == 0 else 'running'}\n"
                f"  config: {{file: {self.file}, topic: {self.topic}, batch.size: {batch_size}}}\n"
            )

    def remove(self, names: list[str]) -> None:
        """Have git forget *names*."""
        for name in names:
            (self.folder / f"{name}.yaml").unlink()

    def spawn(self) -> None:
        """Start a reconciler that prunes."""
        self.watch.spawn(self._command("watch", "--prune", "--allow-mass-delete"), cwd=self.folder)

    def killed_when(self, done: Callable[[], int], middle: range) -> None:
        """
        Start a reconciler and kill it as soon as *done* counts one of *middle*.

        Where the machine is so busy that all is done before we see it, the kill comes late and proves less; what
        must hold afterwards holds all the same.
        """
        self.spawn()
        wait_until(lambda: done() >= middle.start, 60, f"{middle.start} steps done", every=0)
        self.watch.kill()

    def live(self) -> dict[str, dict[str, str]]:
        """Our connectors' configurations."""
        found = self.rest.get("/connectors", params={"expand": "info"}).json()
        return {name: found[name]["info"]["config"] for name in self.names if name in found}

    def as_git_says(self, names: list[str], batch_size: int) -> bool:
        """Whether exactly *names* are live, with this configuration and in the states that git asks for."""
        wanted = {name: {**self.config(batch_size), "name": name} for name in names}
        paused = self.names[::4]
        return self.live() == wanted and all(
            states(self.rest, name)[0] == ("PAUSED" if name in paused else "RUNNING") for name in names
        )

    def journalled(self) -> dict[str, tuple[str, str]]:
        """What the journal says of each connector: who owns it, and how its last step ended."""
        table = self.broker.table(self.journal)
        entries = {json.loads(key or b"[]")[1]: json.loads(value) for key, value in table.items()}
        return {name: (it["applied"]["title"], it["step"]["stage"]) for name, it in entries.items()}

    def written(self) -> list[tuple[str, bool]]:
        """Every configuration ever written for our connectors and the stranger, in order; False is a deletion."""
        known = {f"connector-{name}": name for name in (*self.names, self.stranger)}
        return [
            (known[key], record.value is not None)
            for record in self.broker.read(f"{self.worker.group}-configs")
            if (key := (record.key or b"").decode()) in known
        ]

    def plan(self) -> int:
        """The exit code of ``tidegate plan``."""
        return subprocess.run(
            self._command("plan", "--prune", "--allow-mass-delete"), cwd=self.folder, capture_output=True
        ).returncode

    def _command(self, verb: str, *more: str) -> list[str]:
        return [
            sys.executable, "-m", "tidegate", verb, *more,
            "--connect-url", self.worker.url,
            "--journal-bootstrap-servers", self.broker.bootstrap_servers,
            "--journal-topic", self.journal,
        ]  # fmt: skip


@pytest.fixture
def fleet(broker: Broker, tidegate_worker: TidegateWorker, tmp_path: Path) -> Iterator[Fleet]:
    with tidegate_worker.client() as rest:
        made = Fleet(broker, tidegate_worker, rest, tmp_path)
        with deleted_after(rest, *made.names, made.stranger):
            create(rest, made.stranger, made.config(1))
            try:
                yield made
            finally:
                made.watch.stop()


def test_killed_while_creating_updating_and_deleting(fleet: Fleet) -> None:
    """
    Killed three times, in the middle of each; everything ends as git says.

    Each connector is written once per change, only those are deleted that git forgot, and the journal knows them all.
    """
    everybody, nobody_else = fleet.names, [(fleet.stranger, True)]

    fleet.write(batch_size=10)
    fleet.killed_when(lambda: len(fleet.live()), MIDDLE)
    fleet.spawn()
    wait_until(lambda: fleet.as_git_says(everybody, 10), 60, "all are created as git says")
    assert sorted([(name, True) for name in everybody] + nobody_else) == sorted(fleet.written())
    wait_until(lambda: fleet.journalled() == dict.fromkeys(everybody, ("created", "done")), what="the journal is whole")
    fleet.watch.stop()
    assert 0 == fleet.plan()

    fleet.write(batch_size=20)
    fleet.killed_when(lambda: sum(it["batch.size"] == "20" for it in fleet.live().values()), MIDDLE)
    fleet.spawn()
    wait_until(lambda: fleet.as_git_says(everybody, 20), 60, "all are updated as git says")
    assert sorted([(name, True) for name in everybody] * 2 + nobody_else) == sorted(fleet.written())
    wait_until(lambda: fleet.journalled() == dict.fromkeys(everybody, ("created", "done")), what="the journal is whole")
    fleet.watch.stop()
    assert 0 == fleet.plan()

    left, gone = everybody[16:], everybody[:16]
    fleet.remove(gone)
    fleet.killed_when(lambda: COUNT - len(fleet.live()), range(1, len(gone)))
    fleet.spawn()
    wait_until(lambda: fleet.as_git_says(left, 20), 60, "those that git forgot are gone")
    assert sorted(gone) == sorted(name for name, present in fleet.written() if not present)
    wait_until(lambda: fleet.journalled() == dict.fromkeys(left, ("created", "done")), what="the journal is whole")
    fleet.watch.stop()
    assert 0 == fleet.plan()
    assert "RUNNING" == states(fleet.rest, fleet.stranger)[0]

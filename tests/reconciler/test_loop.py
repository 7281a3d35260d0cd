"""The daemon: woken by files and by time, converging, silent without news, and never stuck."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from reconciler.adapters.connect_rest import ConnectRest
from reconciler.adapters.directory import Directory
from reconciler.adapters.webhook import Webhook
from reconciler.loop import Access, Watch
from reconciler.model import ClusterSpec, Incident, MovedKey, Opened, Policy, Ref
from reconciler.observe import PluginBook
from reconciler.plan import Heal, Permissions
from runtime.contract import ConnectorName
from runtime.foundation.backoff import Backoff
from runtime.foundation.stopping import Stopping
from tests.reconciler.world import World, sink
from tests.worlds.fake_connect import FakeConnect

BUDGET = 20.0


async def until(condition: Callable[[], object]) -> None:
    """Wait for *condition*; fails when it does not come true within the budget."""
    async with asyncio.timeout(BUDGET):
        while not condition():  # noqa: ASYNC110  the one place where these tests poll
            await asyncio.sleep(0.01)


def daemon(
    folder: Path, worlds: dict[str, World], story: Callable[[], Awaitable[None]], *, period: float = 600.0
) -> None:
    """Run the daemon on *folder* while *story* goes on, and stop it afterwards."""

    @asynccontextmanager
    async def open_access(spec: ClusterSpec, *, only: bool) -> AsyncIterator[Access]:
        world = worlds[spec.name]
        async with ConnectRest(["http://connect:8083"], transport=world.connect.transport()) as cluster:
            yield Access(spec, cluster, world.journal, PluginBook(cluster, world.clock), world.clock)

    async def run() -> None:
        stopping = Stopping()
        ears = next(iter(worlds.values())).ears
        async with Directory(folder) as directory, asyncio.TaskGroup() as group:
            watch = Watch(
                directory,
                open_access,
                notifier=ears,
                permissions=Permissions(heal=Heal.BY_POLICY, prune=True),
                period=period,
            )
            group.create_task(watch.run(stopping))
            try:
                await story()
            finally:
                stopping.set()

    asyncio.run(run())


def test_a_saved_file_is_applied(tmp_path: Path) -> None:
    """Created, changed and removed files arrive without waiting for the period."""
    world = World()
    (tmp_path / "f.yaml").write_text(sink())
    live = world.connect.connectors

    async def story() -> None:
        await until(lambda: "orders" in live)
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "g.yaml").write_text(sink("second"))
        await until(lambda: "second" in live)
        (tmp_path / "f.yaml").write_text(sink(topics="changed"))
        await until(lambda: live["orders"].config["topics"] == "changed")
        (tmp_path / "sub" / "g.yaml").unlink()
        await until(lambda: "second" not in live)

    daemon(tmp_path, {"main": world}, story)


def test_drift_is_found_by_the_period(tmp_path: Path) -> None:
    """Nobody touches the folder; a live change is healed at the next look."""
    world = World()
    (tmp_path / "f.yaml").write_text(sink())

    async def story() -> None:
        await until(lambda: "orders" in world.connect.connectors)
        world.connect.connectors["orders"].config["topics"] = "moved"
        await until(lambda: world.connect.connectors["orders"].config["topics"] == "orders")
        await until(lambda: ["Opened config.topics", "Resolved config.topics"] == world.ears.words())

    daemon(tmp_path, {"main": world}, story, period=0.2)


def test_a_broken_manifest_touches_nothing(tmp_path: Path) -> None:
    """Its connectors stay as they are, others go on, and the mistake is said once."""
    world = World()
    (tmp_path / "a.yaml").write_text(sink("a"))
    (tmp_path / "b.yaml").write_text(sink("b"))

    async def story() -> None:
        await until(lambda: {"a", "b"} == set(world.connect.connectors))
        (tmp_path / "a.yaml").write_text("[")
        (tmp_path / "b.yaml").write_text(sink("b", topics="changed"))
        await until(lambda: world.connect.connectors["b"].config["topics"] == "changed")
        looks = world.connect.asked["GET /"]
        await until(lambda: world.connect.asked["GET /"] > looks + 2)
        assert "a" in world.connect.connectors

    with capture_logs() as logs:
        daemon(tmp_path, {"main": world}, story, period=0.2)
    said = [line for line in logs if line["event"] == "manifest.problem"]
    assert ["a.yaml:2:1"] == [line["where"] for line in said] or ["a.yaml:1:2"] == [line["where"] for line in said]


def test_the_folder_goes_and_comes_back(tmp_path: Path) -> None:
    """A folder that is gone asks for nothing, deletes nothing, and is watched again when it returns."""
    world = World()
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "f.yaml").write_text(sink())

    async def story() -> None:
        await until(lambda: "orders" in world.connect.connectors)
        looks = world.connect.asked["GET /"]
        shutil.rmtree(folder)
        await until(lambda: world.connect.asked["GET /"] > looks + 1)
        assert "orders" in world.connect.connectors
        folder.mkdir()
        (folder / "f.yaml").write_text(sink(topics="back"))
        await until(lambda: world.connect.connectors["orders"].config["topics"] == "back")
        (folder / "f.yaml").write_text(sink(topics="again"))
        await until(lambda: world.connect.connectors["orders"].config["topics"] == "again")

    daemon(folder, {"main": world}, story, period=0.5)


def test_a_cluster_that_is_down_is_said_once_and_holds_up_nobody(tmp_path: Path) -> None:
    """One lane is stalled, the other works; when it is back, it catches up by itself."""
    good, bad = World(), World(connect=FakeConnect(down=True))
    for name in ("good", "bad"):
        (tmp_path / f"c-{name}.yaml").write_text(
            f"apiVersion: tidegate.dev/v1\nkind: Cluster\nmetadata: {{name: {name}}}\n"
        )
        (tmp_path / f"f-{name}.yaml").write_text(sink("orders", extra=f"cluster: {name}"))

    async def story() -> None:
        await until(lambda: "orders" in good.connect.connectors)
        await until(lambda: bad.connect.asked["GET /"] > 3)
        assert {} == bad.connect.connectors
        bad.connect.down = False
        await until(lambda: "orders" in bad.connect.connectors)

    with capture_logs() as logs:
        daemon(tmp_path, {"good": good, "bad": bad}, story, period=0.2)
    events = [line["event"] for line in logs if line.get("cluster") == "bad"]
    assert ["cluster.stalled", "cluster.back"] == events


def test_stopping_wakes_every_wait(tmp_path: Path) -> None:
    """A daemon that waits for its period or for a cluster that is down ends at once."""

    async def story() -> None:
        await asyncio.sleep(0)

    async def timed() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.to_thread(daemon, tmp_path, {"main": World(connect=FakeConnect(down=True))}, story)
        return loop.time() - begun

    assert asyncio.run(timed()) < 5.0


@pytest.mark.parametrize("trouble", ["refused", "500"])
def test_a_webhook_that_is_down_loses_nothing(trouble: str) -> None:
    """News waits in order, is delivered once, and secrets of the URL stay out of the log."""
    taken: list[object] = []
    calls = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        if calls <= 2:
            if trouble == "refused":
                raise httpx.ConnectError("refused", request=request)
            return httpx.Response(500)
        taken.append(json.loads(request.content))
        return httpx.Response(204)

    def news(name: str) -> Opened:
        ref = Ref("main", ConnectorName(name))
        key = MovedKey("config.topics", "a", "b", "a", "f.yaml:1:1")
        return Opened(Incident(ref, (key,), Policy.HEAL, 1_795_000_000_000))

    async def run() -> None:
        webhook = Webhook("http://chat/T0K3N-in-path", transport=httpx.MockTransport(answer))
        stopping = Stopping()
        webhook.tell(news("one"))
        webhook.tell(news("two"))
        async with asyncio.TaskGroup() as group:
            group.create_task(webhook.run(stopping, backoff=Backoff(first=0.01, most=0.02)))
            await until(lambda: len(taken) == 2)
            stopping.set()

    with capture_logs() as logs:
        asyncio.run(run())
    assert ["one", "two"] == [body["connector"] for body in taken if isinstance(body, dict)]
    first = taken[0]
    assert isinstance(first, dict)
    assert ("drift.opened", "2026-11-18T11:06:40.000Z", "1.0") == (
        first["event"],
        first["opened_at"],
        first["format_version"],
    )
    assert "T0K3N" not in repr(logs)
    assert ["webhook.failing", "webhook.back"] == [line["event"] for line in logs]

"""A reconciler standing in front of a fake cluster, for tests that think rather than wait."""

import asyncio
import textwrap
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from reconciler import manifests
from reconciler.adapters.connect_rest import ConnectRest
from reconciler.adapters.journal_memory import MemoryJournal
from reconciler.apply import Done, carry_out
from reconciler.loop import Access, Lane, Scene, survey
from reconciler.loop.lane import Settled
from reconciler.model import ClusterSpec, DesiredState, News
from reconciler.observe import PluginBook
from reconciler.plan import Permissions
from reconciler.ports import Journal, Snapshot, SourceFile
from runtime.foundation.stopping import Stopping
from tests.worlds.fake_connect import FakeConnect


def desired(files: Mapping[str, str | bytes], *, plugins: frozenset[str] | None = None) -> DesiredState:
    """What *files*, by path, ask for."""
    contents = {
        path: text if isinstance(text, bytes) else textwrap.dedent(text).encode() for path, text in files.items()
    }
    snapshot = Snapshot(tuple(SourceFile(path, contents[path]) for path in sorted(contents)), "4f2c91d")
    return manifests.read(snapshot, plugins=plugins)


def sink(name: str = "orders", *, extra: str = "", **config: object) -> str:
    """A sink's manifest; *extra* are further lines of its spec."""
    lines = {"topics": "orders", "file": "/tmp/orders.txt", **config}
    return "\n".join(
        [
            "apiVersion: tidegate.dev/v1",
            "kind: Connector",
            f"metadata: {{name: {name}}}",
            "spec:",
            "  class: FileStreamSink",
            *(f"  {line}" for line in textwrap.dedent(extra).strip().splitlines()),
            "  config:",
            *(f"    {key}: {value}" for key, value in lines.items()),
            "",
        ]
    )


@dataclass
class ManualClock:
    """Time that moves when a test says so."""

    ms: int = 1_795_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    def pass_by(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@dataclass
class Ears:
    """A notifier that remembers."""

    heard: list[News] = field(default_factory=list)

    def tell(self, news: News) -> None:
        self.heard.append(news)

    def words(self) -> list[str]:
        """What was heard, short: ``Opened config.file``."""
        return [f"{type(news).__name__} {' '.join(key.path for key in news.incident.keys)}" for news in self.heard]


def _nowhere(spec: ClusterSpec, *, only: bool) -> AbstractAsyncContextManager[Access]:
    raise AssertionError("a single pass is handed its access")


@dataclass
class World:
    """One cluster, its journal, and time."""

    connect: FakeConnect = field(default_factory=FakeConnect)
    journal: Journal = field(default_factory=MemoryJournal)
    clock: ManualClock = field(default_factory=ManualClock)
    ears: Ears = field(default_factory=Ears)
    spec: ClusterSpec = field(default_factory=lambda: ClusterSpec(name="main"))

    def scene(self, wish: DesiredState, permissions: Permissions | None = None) -> Scene:
        """A look and a plan."""

        async def run() -> Scene:
            async with ConnectRest(["http://connect:8083"], transport=self.connect.transport()) as cluster:
                return await survey(wish, self._access(cluster), permissions=permissions or Permissions())

        return asyncio.run(run())

    def apply(
        self, wish: DesiredState, permissions: Permissions | None = None, *, patience: float = 5.0
    ) -> tuple[Done, ...]:
        """Plan and carry out."""

        async def run() -> tuple[Done, ...]:
            async with ConnectRest(["http://connect:8083"], transport=self.connect.transport()) as cluster:
                access = self._access(cluster)
                scene = await survey(wish, access, permissions=permissions or Permissions())
                return await carry_out(
                    scene.plan,
                    cluster=cluster,
                    journal=self.journal,
                    entries=scene.entries,
                    clock=self.clock,
                    stopping=Stopping(),
                    patience=patience,
                )

        return asyncio.run(run())

    def daemon_pass(self, wish: DesiredState, permissions: Permissions) -> Settled:
        """One pass of the daemon."""

        async def run() -> Settled:
            async with ConnectRest(["http://connect:8083"], transport=self.connect.transport()) as cluster:
                lane = Lane(self.spec, _nowhere, only=True, permissions=permissions, notifier=self.ears)
                return await lane.once(self._access(cluster), wish, Stopping())

        return asyncio.run(run())

    def _access(self, cluster: ConnectRest) -> Access:
        return Access(self.spec, cluster, self.journal, PluginBook(cluster, self.clock), self.clock)

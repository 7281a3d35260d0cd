"""
``tidegate up``: broker, worker and reconciler in one process, for a laptop or one machine.

Started in that order and stopped in the opposite one. What it listens on is written down below the manifests' folder
(and below the current one), so that ``plan``, ``apply`` and ``status`` in another shell find it.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler import app as reconciler_app
from reconciler.model.errors import ReconcilerFault
from reconciler.settings import Settings as ReconcilerSettings
from reconciler.settings import Up
from runtime import app
from runtime.foundation import logs
from runtime.foundation.secret import Secret
from runtime.foundation.stopping import Stopping
from runtime.kafka.embedded import EmbeddedBroker
from runtime.kafka.errors import Interrupted, KafkaFault
from runtime.rest.server import PortInUse
from runtime.settings import SettingsError, WorkerConfig, parse
from tidegate.signals import heed

log = logs.get(__name__)

_FAILED = 1
_RECEIVE_MAX = 512 * 1024 * 1024
"""Bytes a client takes in one answer: the embedded broker ignores what clients ask for (docs/embedded-broker.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says."""

    directory: Path | None
    bootstrap_servers: str | None
    port: int
    data_dir: Path
    group_id: str
    plugin_path: tuple[Path, ...]
    prune: bool
    webhook: str | None
    period: float
    log_level: str


def main(options: Options) -> int:
    """Run until stopped; the exit code."""
    logs.configure(options.log_level)
    if options.directory is not None and not options.directory.is_dir():
        print(f"tidegate: {options.directory} is no folder of manifests", file=sys.stderr)  # noqa: T201  talk
        return _FAILED
    try:
        asyncio.run(_run(options))
    except (SettingsError, PortInUse, KafkaFault, ReconcilerFault) as err:
        print(f"tidegate: {err}", file=sys.stderr)  # noqa: T201  talk
        return _FAILED
    return 0


async def _run(options: Options) -> None:
    stopping = Stopping()
    heed(stopping)
    async with contextlib.AsyncExitStack() as stack:
        # The port first: a second `up` should say so before it starts a broker.
        sockets = app.bind(_config(options, options.bootstrap_servers or "127.0.0.1:0"))
        for bound in sockets:
            stack.callback(bound.close)
        servers = options.bootstrap_servers
        if servers is None:
            broker = await stack.enter_async_context(EmbeddedBroker(options.data_dir / "kafka"))
            servers = broker.bootstrap_servers
        config = _config(options, servers)
        try:
            worker = await stack.enter_async_context(
                app.running(config, sockets, stopping, directory=options.directory)
            )
        except (app.StoppedEarly, Interrupted):
            return
        stack.enter_context(_announced(options, worker.url, servers))
        print(f"Tidegate is up: {worker.url} (Kafka at {servers}). Ctrl-C stops it.", file=sys.stderr)  # noqa: T201
        if options.directory is None:
            await stopping.wait()
            return
        known = frozenset(str(plugin["class"]) for plugin in await worker.scheduler.plugins())
        await _reconcile(options, options.directory, worker.url, servers, stopping, known)


async def _reconcile(
    options: Options, directory: Path, url: str, servers: str, stopping: Stopping, known: frozenset[str]
) -> None:
    settings = ReconcilerSettings(
        folder=directory,
        connect_url=url,
        journal_bootstrap_servers=servers,
        webhook_url=None if options.webhook is None else Secret(options.webhook),
        prune=options.prune,
        period=options.period,
        known_plugins=None if not known else known | _aliases(known),
    )
    await reconciler_app.run(settings, stopping)


def _aliases(classes: frozenset[str]) -> frozenset[str]:
    """The short names that a worker takes as well (contract 9.3)."""
    short = {name.rpartition(".")[2] for name in classes}
    return frozenset(short | {name.removesuffix("Connector") for name in short})


@contextlib.contextmanager
def _announced(options: Options, url: str, servers: str) -> Iterator[None]:
    up = Up(connect_url=url, bootstrap_servers=servers, pid=os.getpid())
    folders = {Path.cwd(), (options.directory or Path.cwd()).resolve()}
    for folder in folders:
        up.announce(folder)
    try:
        yield
    finally:
        for folder in folders:
            Up.withdraw(folder)


def _config(options: Options, servers: str) -> WorkerConfig:
    """A distributed worker of one, on loopback. Raises SettingsError."""
    stem = options.group_id
    raw = {
        "bootstrap.servers": servers,
        "group.id": stem,
        "config.storage.topic": f"{stem}-configs",
        "offset.storage.topic": f"{stem}-offsets",
        "status.storage.topic": f"{stem}-status",
        "config.storage.replication.factor": "-1",
        "offset.storage.replication.factor": "-1",
        "status.storage.replication.factor": "-1",
        "offset.storage.partitions": "1",
        "status.storage.partitions": "1",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "listeners": f"http://127.0.0.1:{options.port}",
        "offset.flush.interval.ms": "5000",
        "log.level": options.log_level,
    }
    if options.plugin_path:
        raw["plugin.path"] = ",".join(str(path.resolve()) for path in options.plugin_path)
    if options.bootstrap_servers is None:
        for key in ("config", "offset", "status"):
            raw[f"{key}.storage.replication.factor"] = "1"
        for prefix in ("producer.", "consumer.", "admin."):
            raw[f"{prefix}receive.message.max.bytes"] = str(_RECEIVE_MAX)
    return parse(raw, distributed=True)

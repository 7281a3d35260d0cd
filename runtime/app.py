"""
A worker, put together: reads its settings, constructs the rooms, hands them to each other, and takes them down again.

The start-up list is the shutdown list, backwards: sockets; Kafka; stores; worker; scheduler; REST. REST answers from
the first moment, with 503 on ``/health``, so that a broker that is down can be seen from outside.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from runtime.contract import ConnectorName, Problem, TargetState
from runtime.foundation import logs
from runtime.foundation.backoff import Backoff
from runtime.foundation.stopping import Stopping
from runtime.kafka.admin import Admin
from runtime.kafka.errors import BrokerUnreachable, Interrupted, KafkaFault
from runtime.kafka.log import TopicLogs
from runtime.rest import bodies
from runtime.rest.api import About, Api, Health, RestSettings
from runtime.rest.front import Front, Stage
from runtime.rest.server import RestServer
from runtime.scheduler import AlreadyExists, RequestFault, Scheduler, SchedulerSettings
from runtime.settings import SettingsError, WorkerConfig, read_properties
from runtime.stores.config import ConfigStore, ConfigTable
from runtime.stores.log import FileLog, Log, MemoryLog, TopicLog
from runtime.stores.offsets import OffsetStore, OffsetTable
from runtime.stores.status import StatusStore, StatusTable
from runtime.worker.worker import Worker, WorkerSettings

log = logs.get(__name__)

_HEALTH_PATIENCE = 5.0
"""Seconds a broker has to answer before ``/health`` says unhealthy. Connect allows its worker 10."""


@dataclass(frozen=True, slots=True)
class ConnectorFile:
    """A connector given on a standalone worker's command line."""

    name: ConnectorName
    config: Mapping[str, str | None]
    initial: TargetState | None = None


@dataclass(slots=True)
class RunningWorker:
    """A worker that is up."""

    url: str
    """Where its REST API listens, as others reach it."""
    scheduler: Scheduler
    kafka_cluster_id: str | None


@dataclass(slots=True)
class _Stores:
    configs: ConfigStore
    offsets: OffsetStore
    statuses: StatusStore


def bind(config: WorkerConfig) -> list[socket.socket]:
    """
    The sockets of the listeners; first of all, so that a port in use ends the start before it has effects.

    Raises PortInUse.
    """
    return [listener.bind() for listener in config.listeners]


@contextlib.asynccontextmanager
async def running(
    config: WorkerConfig,
    sockets: list[socket.socket],
    stopping: Stopping,
    *,
    connectors: list[ConnectorFile] | None = None,
    directory: Path | None = None,
) -> AsyncIterator[RunningWorker]:
    """
    A worker from start to stop, entered when it is ready.

    Relative paths in connectors' configs start from *directory*.

    Raises SettingsError when the broker shows the settings to be wrong, RequestFault when a connector given on the
    command line cannot be created, StoppedEarly when stopped before it was ready.
    """
    port = sockets[0].getsockname()[1]
    url = f"http://{config.worker_id(port)}"
    cluster_id: list[str | None] = [None]
    about = About(version=_version(), commit=_commit(), kafka_cluster_id=lambda: cluster_id[0])
    front = Front(about)
    for warning in config.warnings:
        log.warning("config.odd", key=warning.where, problem=warning.what, hint=warning.hint or None)
    client = config.client("admin." if any(key.startswith("admin.") for key in config.raw) else "")
    for problem in client.problems:
        log.warning("config.client", key=problem.where, problem=problem.what, hint=problem.hint or None)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(RestServer(front, sockets))
        log.info("rest.listening", url=url)
        admin = Admin(client.values)
        front.stage.now("connecting to Kafka")
        cluster_id[0] = await _until_reachable(lambda: asyncio.to_thread(admin.cluster_id, 5.0), front.stage, stopping)
        if config.distributed:
            front.stage.now("reading the internal topics to their ends")
            stores = await stack.enter_async_context(_topic_stores(config, client.values, admin, front, stopping))
        else:
            stores = _local_stores(config)
        generation = stores.statuses.table.newest_generation() + 1
        worker = Worker(
            _worker_settings(config, port, directory),
            offsets=stores.offsets,
            statuses=stores.statuses,
            generation=lambda: generation,
        )
        stack.push_async_callback(worker.close)
        await worker.start()
        scheduler = Scheduler(
            configs=stores.configs,
            statuses=stores.statuses,
            worker=worker,
            settings=SchedulerSettings(group_id=str(config.values.get("group.id") or "")),
        )
        stack.push_async_callback(scheduler.close)
        front.stage.now("taking up the connectors")
        await scheduler.start()
        for given in connectors or []:
            with contextlib.suppress(AlreadyExists):
                await scheduler.create(given.name, given.config, given.initial)
                log.info("connector.created", connector=given.name)

        async def health() -> Health:
            return await _health(admin, front.stage, config.distributed)

        front.stage.now("handling requests")
        front.inner = Api(
            scheduler,
            about=about,
            health=health,
            settings=RestSettings(
                advertised_url=url,
                topic_tracking=config.values["topic.tracking.enable"],
                topic_tracking_reset=config.values["topic.tracking.allow.reset"],
            ),
        ).app()
        log.info("worker.ready", url=url, kafka_cluster_id=cluster_id[0], connectors=len(scheduler.names()))
        yield RunningWorker(url, scheduler, cluster_id[0])
        log.info("worker.stopping")
        front.stage.now("shutting down")


async def serve(config: WorkerConfig, stopping: Stopping, *, connectors: list[ConnectorFile] | None = None) -> None:
    """Run a worker until asked to stop. Raises as :func:`running`, and PortInUse."""
    sockets = bind(config)
    with contextlib.suppress(StoppedEarly, Interrupted):
        async with running(config, sockets, stopping, connectors=connectors):
            await stopping.wait()


class StoppedEarly(Exception):
    """Asked to stop before the worker was ready."""


async def _until_reachable(
    attempt: Callable[[], Awaitable[str | None]], stage: Stage, stopping: Stopping
) -> str | None:
    """Try until a broker answers; say so once, and once when it does."""
    told = False
    for delay in Backoff(first=0.25, most=10.0).delays():
        try:
            found = await attempt()
        except BrokerUnreachable as err:
            if not told:
                log.warning("kafka.unreachable", reason=str(err), now="trying again until it answers")
                stage.now(f"waiting for Kafka ({err})")
                told = True
            if await stopping.nap(delay):
                raise StoppedEarly from err
        else:
            if told:
                log.info("kafka.reachable")
            return found
    raise AssertionError("delays do not end")


@contextlib.asynccontextmanager
async def _topic_stores(
    config: WorkerConfig, client: Mapping[str, object], admin: Admin, front: Front, stopping: Stopping
) -> AsyncIterator[_Stores]:
    configs, offsets, statuses = ConfigTable(), OffsetTable(), StatusTable()
    topics = config.internal_topics()

    async def ensure() -> str | None:
        for index, topic in enumerate(topics):
            await asyncio.to_thread(admin.ensure, topic, single_partition=index == 0)
        return None

    try:
        await _until_reachable(ensure, front.stage, stopping)
    except BrokerUnreachable:
        raise
    except KafkaFault as err:
        raise SettingsError([Problem("internal topics", str(err))]) from err
    config_topic, offset_topic, status_topic = (topic.name for topic in topics)
    topic_logs = TopicLogs(client, name=str(config.values["group.id"]), admin=admin, asked_to_stop=stopping)
    try:
        await topic_logs.start({config_topic: configs.apply, offset_topic: offsets.apply, status_topic: statuses.apply})
        yield _Stores(
            ConfigStore(configs, TopicLog(topic_logs, config_topic)),
            OffsetStore(offsets, TopicLog(topic_logs, offset_topic)),
            StatusStore(statuses, TopicLog(topic_logs, status_topic)),
        )
    finally:
        await topic_logs.stop()


def _local_stores(config: WorkerConfig) -> _Stores:
    configs, offsets, statuses = ConfigTable(), OffsetTable(), StatusTable()
    path = Path(config.values["offset.storage.file.filename"])
    file = FileLog(path, offsets.apply)
    try:
        file.load()
    except (OSError, ValueError) as err:
        raise SettingsError([Problem("offset.storage.file.filename", str(err))]) from err
    config_log: Log = MemoryLog(configs.apply)
    return _Stores(
        ConfigStore(configs, config_log), OffsetStore(offsets, file), StatusStore(statuses, MemoryLog(statuses.apply))
    )


def _worker_settings(config: WorkerConfig, port: int, directory: Path | None) -> WorkerSettings:
    values = config.values
    settings = WorkerSettings(
        raw=config.raw,
        worker_id=config.worker_id(port),
        directory=directory,
        task_stop_timeout=values["task.shutdown.graceful.timeout.ms"] / 1000,
        topic_tracking=values["topic.tracking.enable"],
        log_level=values["log.level"].upper(),
        log_style=values["log.format"],
    )
    if values["host.processes"] is None:
        return settings
    return replace(settings, processes=max(1, values["host.processes"]))


async def _health(admin: Admin, stage: Stage, distributed: bool) -> Health:
    """A distributed worker without its broker can do nothing; a standalone one still answers."""
    if distributed:
        try:
            await asyncio.to_thread(admin.cluster_id, _HEALTH_PATIENCE)
        except KafkaFault as err:
            return Health(
                "unhealthy",
                "Worker was unable to handle this request and may be unable to handle other requests. "
                f"Kafka does not answer: {err}. {stage}",
            )
    return Health("healthy", "Worker has completed startup and is ready to handle requests.")


def read_connector_file(path: Path) -> ConnectorFile:
    """
    A connector for a standalone worker: flat JSON, a JSON create request, or Java properties (contract 2.2).

    Raises SettingsError.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise SettingsError([Problem(str(path), f"cannot be read: {err.strerror}")]) from err
    except ValueError:
        given = dict(read_properties(path))
    try:
        if isinstance(given, dict) and isinstance(given.get("config"), dict):
            known = {key: given[key] for key in ("name", "config", "initial_state") if key in given}
            name, config, initial = bodies.creation_of(known)
        else:
            config, initial = bodies.config_of(given), None
            name = config.get("name") or ""
    except bodies.Malformed as err:
        raise SettingsError([Problem(str(path), str(err))]) from err
    if not name:
        raise SettingsError([Problem(str(path), "has no name for its connector", "add name=...")])
    if config.get("name") not in (None, name):
        raise SettingsError([Problem(str(path), f"names its connector both {name} and {config['name']}")])
    return ConnectorFile(ConnectorName(name), {**config, "name": name}, initial)


def _version() -> str:
    return metadata.version("tidegate")


def _commit() -> str:
    """The commit this was built from, where the build wrote it down; Connect has a git id here."""
    try:
        found = metadata.distribution("tidegate").read_text("COMMIT")
    except metadata.PackageNotFoundError:
        found = None
    return (found or "unknown").strip()


__all__ = ["RequestFault", "RunningWorker", "StoppedEarly", "bind", "read_connector_file", "running", "serve"]

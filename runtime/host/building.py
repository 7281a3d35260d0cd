"""From configurations to running tasks: resolves references, constructs plugins and chains, chooses client settings."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runtime.catalog import CONNECTORS, Catalog, PluginInfo, PluginKind
from runtime.catalog.construct import Constructor, config_providers
from runtime.catalog.validation import describe, validate
from runtime.contract import TargetState, TaskId
from runtime.data import ConnectError
from runtime.foundation import logs
from runtime.kafka.settings import ClientSettings, translate, without_prefix
from runtime.pipeline import Converters, ErrorPolicy, SinkChain, SourceChain, Tolerance, TransformStep
from runtime.sdk import ConfigError, Connector, SinkTask, SourceTask, Task
from runtime.secrets import Resolver
from runtime.tasks.deadletter import DeadLetterQueue
from runtime.tasks.ports import Offsets, TaskReports
from runtime.tasks.sink import RunningSinkTask, SinkSettings
from runtime.tasks.source import RunningSourceTask, SourceSettings
from runtime.tasks.task import RunningTask

log = logs.get(__name__)

Config = Mapping[str, str | None]


class TaskBuilder:
    """Builds what a host runs. *worker* is the worker's configuration as written."""

    def __init__(self, worker: Mapping[str, str]) -> None:
        path = [Path(part.strip()) for part in (worker.get("plugin.path") or "").split(",") if part.strip()]
        self.catalog = Catalog(path)
        self._resolver = Resolver(config_providers(self.catalog, worker))
        self._worker = self._resolver.resolve(worker).config
        self._constructor = Constructor(self.catalog, self._worker)
        self.flush_interval = int(self._worker.get("offset.flush.interval.ms") or 60_000) / 1000
        self._flush_timeout = int(self._worker.get("offset.flush.timeout.ms") or 5_000) / 1000

    def resolve(self, config: Config) -> dict[str, str]:
        """*config* with its references replaced, nulls left out. Raises ConfigError."""
        return self._resolver.resolve({key: value for key, value in config.items() if value is not None}).config

    def validate(self, config: Config) -> dict[str, Any]:
        """The body of a validate reply. Raises UnknownPlugin, ConfigError."""
        return validate(self.catalog, self._resolver, config, worker=self._worker)

    def describe(self, plugin: str, version: str | None) -> list[dict[str, Any]] | None:
        """The keys of a plugin of any listed kind, None when there is none. Raises ConfigError."""
        return describe(self.catalog, plugin, version)

    def task_configs(self, raw: Config, ask: Callable[[int], list[dict[str, str]]]) -> list[dict[str, str | None]]:
        """
        The task configs that *ask* gives, as they are stored (contract 5.1, 4.7).

        Each gets its task's class; sinks their topics; values that came from references are references again.
        Raises ConfigError when there are more than ``tasks.max`` and that is enforced.
        """
        most = int(raw.get("tasks.max") or 1)
        configs = ask(most)
        if len(configs) > most:
            text = (
                f"The connector {raw.get('name')} has generated {len(configs)} tasks, which is greater than {most}, "
                "the maximum number of tasks it is configured to create. "
            )
            if (raw.get("tasks.max.enforce") or "true").strip().lower() == "true":
                raise ConfigError("tasks.max", message=text + "Raise tasks.max, or set tasks.max.enforce=false.")
            log.warning("tasks.too.many", connector=raw.get("name"), generated=len(configs), most=most)
        connector = self.catalog.find(raw.get("connector.class") or "", CONNECTORS)
        made = connector.cls()
        assert isinstance(made, Connector)
        task_class = _task_class_name(connector, made.task_class())
        stored: list[dict[str, str | None]] = []
        for config in configs:
            one: dict[str, str | None] = {**config, "task.class": task_class}
            if connector.kind is PluginKind.SINK:
                one |= {key: raw[key] for key in ("topics", "topics.regex") if raw.get(key)}
            for key, value in raw.items():
                if key in one and value is not None and "${" in value:
                    one[key] = value
            stored.append(one)
        return stored

    def task(
        self,
        task: TaskId,
        connector_config: Config,
        task_config: Config,
        *,
        target: TargetState,
        reports: TaskReports,
        offsets: Offsets,
    ) -> RunningTask:
        """
        A task, ready to run on a thread.

        Raises UnknownPlugin, ConfigError, or what a plugin's constructor raises.
        """
        connector = self.resolve(connector_config)
        config = self.resolve(task_config)
        info = self.catalog.find(connector.get("connector.class") or "", CONNECTORS)
        made = info.cls()
        assert isinstance(made, Connector)
        plugin: Task = made.task_class()()
        if isinstance(plugin, SourceTask):
            return self._source(task, plugin, connector, config, target, reports, offsets)
        if isinstance(plugin, SinkTask):
            return self._sink(task, plugin, connector, config, target, reports)
        raise ConnectError(f"{type(plugin).__qualname__}, the tasks of {info.class_name}, are neither source nor sink")

    # ----

    def _source(
        self,
        task: TaskId,
        plugin: SourceTask,
        connector: Mapping[str, str],
        config: Mapping[str, str],
        target: TargetState,
        reports: TaskReports,
        offsets: Offsets,
    ) -> RunningTask:
        policy = error_policy(connector)
        running: list[RunningSourceTask] = []
        chain = SourceChain(
            self._steps(connector),
            self._converters(connector),
            policy=policy,
            nap=lambda seconds: running[0].stopping.nap(seconds),
        )
        settings = SourceSettings(
            config=config,
            producer=self._client("producer", connector, {"client.id": f"connector-producer-{task}"}).values,
            policy=policy,
            flush_timeout=self._flush_timeout,
        )
        running.append(
            RunningSourceTask(task, plugin, chain, settings, target=target, reports=reports, offsets=offsets)
        )
        return running[0]

    def _sink(
        self,
        task: TaskId,
        plugin: SinkTask,
        connector: Mapping[str, str],
        config: Mapping[str, str],
        target: TargetState,
        reports: TaskReports,
    ) -> RunningTask:
        policy = error_policy(connector)
        running: list[RunningSinkTask] = []
        chain = SinkChain(
            self._steps(connector),
            self._converters(connector),
            policy=policy,
            nap=lambda seconds: running[0].stopping.nap(seconds),
        )
        consumer = self._client(
            "consumer",
            connector,
            {"group.id": f"connect-{task.connector}", "client.id": f"connector-consumer-{task}"},
        )
        settings = SinkSettings(
            config=config,
            topics=[topic.strip() for topic in (connector.get("topics") or "").split(",") if topic.strip()],
            topics_regex=connector.get("topics.regex") or "",
            consumer=consumer.values,
            policy=policy,
            commit_interval=self.flush_interval,
            commit_timeout=self._flush_timeout,
        )
        if consumer.max_poll_records is not None:
            settings = dataclasses.replace(settings, most=consumer.max_poll_records)
        letters: DeadLetterQueue | None = None
        topic = (connector.get("errors.deadletterqueue.topic.name") or "").strip()
        if topic:
            letters = self._dead_letters(task, topic, connector, running)
        running.append(
            RunningSinkTask(task, plugin, chain, settings, dead_letters=letters, target=target, reports=reports)
        )
        return running[0]

    def _dead_letters(
        self, task: TaskId, topic: str, connector: Mapping[str, str], running: Sequence[RunningTask]
    ) -> DeadLetterQueue:
        producer = self._client("producer", connector, {"client.id": f"connector-dlq-producer-{task}"})
        admin = self._client("admin", connector, {})
        letters = DeadLetterQueue(
            task,
            topic,
            producer.values,
            headers=(connector.get("errors.deadletterqueue.context.headers.enable") or "").strip().lower() == "true",
            cancelled=lambda: bool(running) and running[0].cancelled,
        )
        letters.create_topic(
            admin.values, replication=int(connector.get("errors.deadletterqueue.topic.replication.factor") or 3)
        )
        return letters

    def _steps(self, connector: Mapping[str, str]) -> list[TransformStep]:
        return [
            TransformStep(it.alias, it.transformation, it.class_name, it.predicate, it.negate)
            for it in self._constructor.transforms(connector)
        ]

    def _converters(self, connector: Mapping[str, str]) -> Converters:
        key = self._constructor.converter("key", connector)
        value = self._constructor.converter("value", connector)
        header = self._constructor.header_converter(connector)
        return Converters(
            key=key.converter,
            key_name=key.class_name,
            value=value.converter,
            value_name=value.class_name,
            header=header.converter,
            header_name=header.class_name,
        )

    def _client(self, kind: str, connector: Mapping[str, str], own: Mapping[str, str]) -> ClientSettings:
        """Connect's precedence (contract 2.5): own values, the worker's prefix, the connector's override."""
        shared = {
            key: value
            for key, value in self._worker.items()
            if key == "bootstrap.servers" or (kind == "admin" and key.startswith(("sasl.", "security.", "ssl.")))
        }
        made = translate(
            {
                **shared,
                **own,
                **without_prefix(self._worker, f"{kind}."),
                **without_prefix(connector, f"{kind}.override."),
            }
        )
        for problem in made.problems:
            log.warning(
                "client.config",
                connector=connector.get("name"),
                client=kind,
                key=problem.where,
                problem=problem.what,
                hint=problem.hint or None,
            )
        return made


def _task_class_name(connector: PluginInfo, task: type[Task]) -> str:
    """
    What ``task.class`` says: beside a connector with a Java name, the task has one, too.

    Connect's own connectors keep their tasks in the connector's package, and Java workers read what we write.
    """
    if connector.class_name == connector.python_path:
        return f"{task.__module__}.{task.__qualname__}"
    return f"{connector.class_name.rpartition('.')[0]}.{task.__name__}"


def error_policy(connector: Mapping[str, str]) -> ErrorPolicy:
    """The ``errors.*`` keys. Raises ConfigError."""

    def number(key: str, default: int) -> int:
        text = connector.get(key)
        try:
            return default if text is None else int(text)
        except ValueError:
            raise ConfigError(key, text, "Not a number of type LONG") from None

    def flag(key: str) -> bool:
        return (connector.get(key) or "false").strip().lower() == "true"

    tolerance = (connector.get("errors.tolerance") or "none").strip().lower()
    if tolerance not in ("none", "all"):
        raise ConfigError("errors.tolerance", tolerance, "String must be one of: none, all")
    return ErrorPolicy(
        tolerance=Tolerance(tolerance),
        retry_timeout_ms=number("errors.retry.timeout", 0),
        retry_delay_max_ms=number("errors.retry.delay.max.ms", 60_000),
        log_enable=flag("errors.log.enable"),
        log_include_messages=flag("errors.log.include.messages"),
    )

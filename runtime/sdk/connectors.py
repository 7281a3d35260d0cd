"""
What authors of connectors implement (contract 5, 8).

A connector says which tasks there are; its tasks move records. Both run in task host processes: a connector on a
thread of its own, each task on another. Methods may block, as long as they look at ``context.stopping``.
"""

import builtins
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeAlias

from runtime.contract import ConnectorType, TopicPartition
from runtime.data import RecordBatch, SinkRecord, SourceRecord
from runtime.foundation.stopping import ThreadStopping
from runtime.sdk.config import ConfigValue
from runtime.sdk.errors import NotSupported
from runtime.sdk.plugin import Plugin

__all__ = [
    "Connector",
    "ConnectorContext",
    "ErrantRecordReporter",
    "ExactlyOnceSupport",
    "OffsetReader",
    "RecordMetadata",
    "SinkConnector",
    "SinkTask",
    "SinkTaskContext",
    "SourceConnector",
    "SourceOffset",
    "SourcePartition",
    "SourceTask",
    "SourceTaskContext",
    "Task",
    "TopicPartition",
    "TransactionContext",
]

SourcePartition: TypeAlias = Mapping[str, Any]
SourceOffset: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordMetadata:
    """Where Kafka put a record."""

    topic: str
    partition: int
    offset: int


class ExactlyOnceSupport(Enum):
    """Whether a source connector can write each record exactly once with a given configuration (KIP-618)."""

    SUPPORTED = "SUPPORTED"
    UNSUPPORTED = "UNSUPPORTED"


class OffsetReader(Protocol):
    """How far the source was read, as last committed."""

    def offsets(self, partitions: Sequence[SourcePartition]) -> list[SourceOffset | None]:
        """The committed offset of each of *partitions*; None where there is none."""
        ...


class ConnectorContext(Protocol):
    """What the engine offers a connector."""

    @property
    def stopping(self) -> ThreadStopping:
        """Set when the connector is asked to stop; wait on it instead of sleeping."""
        ...

    @property
    def offsets(self) -> OffsetReader:
        """Committed source offsets; for source connectors."""
        ...

    def request_task_reconfiguration(self) -> None:
        """Ask for ``task_configs`` to be called again, because what there is to do has changed."""
        ...

    def raise_error(self, error: Exception) -> None:
        """Report a failure from a thread of the connector's own: it becomes FAILED."""
        ...


class Task(ABC):
    """Root of source and sink tasks; constructed without arguments."""

    version: ClassVar[str] = ""

    @abstractmethod
    def start(self, config: Mapping[str, str]) -> None:
        """Open what the task needs. An exception makes the task FAILED."""

    def stop(self) -> None:
        """Close everything; called once, also after a failed start."""
        return


class Connector(Plugin, ABC):
    """Says which tasks there are."""

    type: ClassVar[ConnectorType] = ConnectorType.UNKNOWN
    context: ConnectorContext

    def initialize(self, context: ConnectorContext) -> None:
        """Receive the context; called once before :meth:`start`."""
        self.context = context

    @abstractmethod
    def start(self, config: Mapping[str, str]) -> None:
        """Take the configuration, references resolved. An exception makes the connector FAILED."""

    def stop(self) -> None:
        """Close everything; the connector may be started again with the same configuration."""
        return

    @abstractmethod
    def task_class(self) -> builtins.type[Task]:
        """The class of this connector's tasks."""

    @abstractmethod
    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        """One configuration per task, at most *max_tasks* of them."""

    def validate(self, config: Mapping[str, str]) -> list[ConfigValue]:
        """What is right and wrong about *config*; by default what :attr:`config_def` says."""
        return self.config_def.validate(config)


class SourceConnector(Connector):
    """Brings records into Kafka."""

    type = ConnectorType.SOURCE

    def exactly_once_support(self, config: Mapping[str, str]) -> ExactlyOnceSupport | None:
        """Whether records are written exactly once with *config*; None when the author does not say."""
        return None

    def can_define_transaction_boundaries(self, config: Mapping[str, str]) -> bool:
        """Whether tasks use the transaction context to begin and end transactions."""
        return False

    def alter_offsets(
        self, config: Mapping[str, str], offsets: Sequence[tuple[SourcePartition, SourceOffset | None]]
    ) -> bool:
        """
        Check, and where offsets live outside Kafka change, the offsets a user wants; True when all was done.

        Raises NotSupported, or any error when an offset makes no sense.
        """
        return False


class SinkConnector(Connector):
    """Takes records out of Kafka."""

    type = ConnectorType.SINK

    def alter_offsets(self, config: Mapping[str, str], offsets: Mapping[TopicPartition, int | None]) -> bool:
        """As for sources, with consumer offsets."""
        return False


class TransactionContext(Protocol):
    """For source tasks with ``transaction.boundary=connector``: where transactions end (KIP-618)."""

    def commit(self, record: SourceRecord | None = None) -> None:
        """Commit after the next batch, or after *record*."""
        ...

    def abort(self, record: SourceRecord | None = None) -> None:
        """Abort after the next batch, or after *record*."""
        ...


class SourceTaskContext(Protocol):
    """What the engine offers a source task."""

    @property
    def stopping(self) -> ThreadStopping:
        """Set when the task is asked to stop; wait on it instead of sleeping."""
        ...

    @property
    def config(self) -> Mapping[str, str]:
        """The task's configuration, references resolved."""
        ...

    @property
    def offsets(self) -> OffsetReader:
        """Committed source offsets."""
        ...

    @property
    def transactions(self) -> TransactionContext | None:
        """None unless transactions are the task's to define."""
        ...


class SourceTask(Task):
    """
    Reads a source, on a thread of its own.

    Implement :meth:`poll`. Return a list of records, or a RecordBatch with constant columns where it matters.
    """

    context: SourceTaskContext

    def initialize(self, context: SourceTaskContext) -> None:
        """Receive the context; called once before :meth:`start`."""
        self.context = context

    @abstractmethod
    def poll(self) -> Sequence[SourceRecord] | RecordBatch | None:
        """
        The next records, or None when there are none for now.

        Called in a tight loop: wait for news inside, on ``self.context.stopping.nap(seconds)``.
        RetriableError makes the engine call again; any other exception makes the task FAILED.
        """

    def commit(self) -> None:
        """Offsets have been committed; a source that must be told can be told now."""
        return

    def commit_record(self, record: SourceRecord, metadata: RecordMetadata | None) -> None:
        """Kafka has *record* (or it was dropped: *metadata* None). Override only when needed: it costs speed."""
        return


class ErrantRecordReporter(Protocol):
    """For sink tasks: say that a record is bad without failing (KIP-610)."""

    def report(self, record: SinkRecord, error: Exception) -> "Future[None]":
        """Report it; raises when errors.tolerance does not allow for it."""
        ...


class SinkTaskContext(Protocol):
    """What the engine offers a sink task. Call it from the task's own thread only."""

    @property
    def stopping(self) -> ThreadStopping:
        """Set when the task is asked to stop; wait on it instead of sleeping."""
        ...

    @property
    def config(self) -> Mapping[str, str]:
        """The task's configuration, references resolved."""
        ...

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions this task reads now."""
        ...

    @property
    def errant_records(self) -> ErrantRecordReporter | None:
        """None unless a dead-letter queue or error log is configured."""
        ...

    def rewind(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read on from these offsets."""
        ...

    def timeout(self, seconds: float) -> None:
        """Wait at most this long for records before ``put`` is called again; for one time."""
        ...

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Read no more from these partitions until resumed."""
        ...

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Read on from these partitions."""
        ...

    def request_commit(self) -> None:
        """Commit offsets soon."""
        ...


class SinkTask(Task):
    """
    Writes records somewhere, on a thread of its own.

    Implement :meth:`put`, or :meth:`put_batch` to take columns.
    """

    context: SinkTaskContext

    def initialize(self, context: SinkTaskContext) -> None:
        """Receive the context; called once before :meth:`start`."""
        self.context = context

    def put(self, records: Sequence[SinkRecord]) -> None:
        """
        Write *records*, which may be none.

        RetriableError makes the engine call again with the same records; any other exception makes the task
        FAILED.
        """
        raise NotSupported(f"{type(self).__name__} implements neither put nor put_batch")

    def put_batch(self, batch: RecordBatch) -> None:
        """Write a batch; by default through :meth:`put`."""
        self.put([record for record in batch.rows() if isinstance(record, SinkRecord)])

    def flush(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Make everything up to *offsets* durable; called before they are committed."""
        return

    def pre_commit(self, offsets: Mapping[TopicPartition, int]) -> Mapping[TopicPartition, int]:
        """The offsets that may be committed, at most *offsets*; by default all of them, after :meth:`flush`."""
        self.flush(offsets)
        return offsets

    def open(self, partitions: Sequence[TopicPartition]) -> None:
        """These partitions are ours from now on."""
        return

    def close(self, partitions: Sequence[TopicPartition]) -> None:
        """These partitions go to another task, or away."""
        return

"""The life of a source task, at least once (contract 5.3)."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.contract import State, TargetState, TaskId
from runtime.data import Constant, RecordBatch, SourceRecord
from runtime.data.batch import mapped, values
from runtime.foundation import logs
from runtime.foundation.backoff import Backoff
from runtime.kafka.errors import KafkaFault
from runtime.kafka.producer import BatchProducer, OutBatch
from runtime.pipeline import ErrorPolicy, Failure, SourceChain, Stage, Tolerance
from runtime.sdk import (
    ConnectError,
    DataError,
    OffsetReader,
    RecordMetadata,
    RetriableError,
    SourceTask,
    TransactionContext,
)
from runtime.tasks.inflight import InFlight, Ticket
from runtime.tasks.ports import Offsets, TaskReports
from runtime.tasks.reporting import raise_for, report
from runtime.tasks.task import RunningTask

log = logs.get(__name__)

_AT_ONCE = 2_000
"""Records taken through the chain at a time: enough to spread the cost of a batch, few enough to stay in cache."""


_SEND_AGAIN = Backoff(first=0.05, most=2.0)
"""A topic that the broker creates on demand is there within a moment; a broker that is away may take long."""
_TELL_AFTER = 4
"""Tries, about a second, before a person should know that a task is waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """What a source task is told about itself."""

    config: Mapping[str, str]
    """Its task configuration, references resolved."""
    producer: Mapping[str, Any]
    """librdkafka settings."""
    policy: ErrorPolicy
    flush_timeout: float = 5.0
    """Seconds a stopping task waits for outstanding records, and a commit for the store."""


class _Reader:
    def __init__(self, offsets: Offsets, connector: str) -> None:
        self._offsets = offsets
        self._connector = connector

    def offsets(self, partitions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any] | None]:
        return self._offsets.read(self._connector, partitions)


class _Context:
    def __init__(self, owner: "RunningSourceTask", config: Mapping[str, str], offsets: OffsetReader) -> None:
        self.stopping = owner.stopping
        self.config = config
        self.offsets = offsets
        self.transactions: TransactionContext | None = None


class _Delivery:
    """Hears of one batch from the producer, on whichever thread polls it."""

    def __init__(
        self, task: "RunningSourceTask", ticket: Ticket, rows: Sequence[int] | None, batch: RecordBatch
    ) -> None:
        self._task = task
        self._ticket = ticket
        self._rows = rows
        self._batch = batch

    def expect(self, callbacks: int) -> None:
        self._task.inflight.expect(self._ticket, callbacks)

    def landed(self, index: int, topic: str, partition: int, offset: int) -> None:
        self._task.inflight.arrived(self._ticket)
        self._task.heard(self._place(index), self._batch, RecordMetadata(topic, partition, offset))

    def failed(self, index: int, fault: KafkaFault) -> None:
        tolerated = self._task.refused(self._place(index), self._batch, fault)
        self._task.inflight.arrived(self._ticket, failed=not tolerated)

    def _place(self, index: int) -> int:
        return index if self._rows is None else self._rows[index]


class RunningSourceTask(RunningTask):
    """Polls a source and produces what comes."""

    def __init__(
        self,
        task: TaskId,
        plugin: SourceTask,
        chain: SourceChain,
        settings: SourceSettings,
        *,
        target: TargetState,
        reports: TaskReports,
        offsets: Offsets,
    ) -> None:
        super().__init__(task, target=target, reports=reports)
        self.inflight = InFlight()
        self._plugin = plugin
        self._chain = chain
        self._settings = settings
        self._offsets = offsets
        self._wants_each = type(plugin).commit_record is not SourceTask.commit_record
        self._topics: set[str] = set()
        self._fault: Exception | None = None
        self._started = False
        self._committing = threading.Lock()
        self._pending: dict[str, tuple[Mapping[str, Any], Mapping[str, Any] | None]] = {}
        self._producer = BatchProducer(
            settings.producer,
            every_record=self._wants_each or settings.policy.tolerance is Tolerance.ALL,
            cancelled=lambda: self.cancelled,
        )

    def execute(self) -> None:
        """Initialize, start, poll and send until asked to stop, then stop and commit once more."""
        try:
            reader = _Reader(self._offsets, self.id.connector)
            self._plugin.initialize(_Context(self, self._settings.config, reader))
            self._plugin.start(self._settings.config)
            self._started = True
            self._report(State.RUNNING)
            self._loop()
        finally:
            try:
                self._plugin.stop()
            finally:
                self._finish()

    def wake(self) -> None:
        """Author's code waits on the stop latch itself."""

    def cancel(self) -> None:
        """Give up, and what the producer still holds with it."""
        super().cancel()
        self._producer.abandon()

    def commit(self) -> None:
        """
        Commit what has landed. Called by the host's committer every ``offset.flush.interval.ms``.

        1. run the producer's callbacks, in case the task's thread is waiting in its author's code;
        2. take the positions that may be committed, over those a former commit failed to store;
        3. store them; on failure they are kept for the next commit and the task goes on;
        4. tell the author's task.
        """
        if not self._started or self.cancelled:
            return
        with self._committing:
            self._commit()

    def _commit(self) -> None:
        self._producer.poll(0)
        for partition, offset in self.inflight.committable():
            self._pending[repr(sorted(partition.items()))] = (partition, offset)
        if self._pending:
            held = dict(self._pending)
            try:
                self._offsets.write(self.id.connector, list(held.values()), timeout=self._settings.flush_timeout)
            except (KafkaFault, ConnectError, OSError) as err:
                log.error("offsets.commit.failed", task=str(self.id), reason=str(err))
                return
            for key, position in held.items():
                if self._pending.get(key) is position:
                    del self._pending[key]
        try:
            self._plugin.commit()
        except Exception as err:
            log.error("task.commit.failed", task=str(self.id), exc_info=err)

    def heard(self, place: int, batch: RecordBatch, metadata: RecordMetadata | None) -> None:
        """A record has landed, or was dropped (*metadata* None): tell an author who wants to know."""
        if not self._wants_each:
            return
        record = batch.row(place)
        assert isinstance(record, SourceRecord)
        self._plugin.commit_record(record, metadata)

    def refused(self, place: int, batch: RecordBatch, fault: KafkaFault) -> bool:
        """Kafka will not take a record. True when errors.tolerance lets the task go on without it."""
        policy = self._settings.policy
        if policy.tolerance is Tolerance.ALL and self._producer.failure() is None and not self.cancelled:
            failure = Failure(place, Stage.KAFKA_PRODUCE, "org.apache.kafka.connect.source.SourceTask", fault)
            self._chain.counts.errors += 1
            self._chain.counts.skipped += 1
            report(self.id, policy, self._chain.counts, batch, [failure])
            self.heard(place, batch, None)
            return True
        self._fault = self._fault or fault
        return False

    # ----

    def _loop(self) -> None:
        while not self.stopping:
            self._check()
            if self._paused():
                self._report(State.PAUSED)
                self._wait_while_paused()
                if not self.stopping:
                    self._report(State.RUNNING)
                continue
            try:
                polled = self._plugin.poll()
            except RetriableError as err:
                log.warning("task.poll.retried", task=str(self.id), reason=str(err))
                polled = None
            self._producer.poll(0)
            if polled is None or len(polled) == 0:
                continue
            batch = polled if isinstance(polled, RecordBatch) else RecordBatch.of(polled)
            for start in range(0, batch.count, _AT_ONCE):
                if not self._send(batch.slice(start, start + _AT_ONCE)):
                    return

    def _check(self) -> None:
        fault = self._fault or self._producer.failure()
        if fault is not None:
            raise ConnectError(f"Unrecoverable exception from producer send callback: {fault}") from fault

    def _send(self, batch: RecordBatch) -> bool:
        """Take a batch through the chain and hand it over; False when asked to stop before that was possible."""
        outcome = self._chain.process(batch)
        report(self.id, self._settings.policy, self._chain.counts, batch, outcome.failures)
        if self._wants_each and outcome.kept is not None:
            survivors = set(outcome.kept)
            stop = outcome.halt.index if outcome.halt is not None else batch.count
            for place in range(stop):
                if place not in survivors:
                    self.heard(place, batch, None)
        made = outcome.batch
        if made.count and not self._hand_over(made, outcome.kept, batch):
            return False
        if outcome.halt is not None:
            raise_for(outcome.halt)
        return True

    def _hand_over(self, made: RecordBatch, kept: list[int] | None, polled: RecordBatch) -> bool:
        ticket = self.inflight.send(made.count, _positions(made))
        delivery = _Delivery(self, ticket, kept, polled)
        out = OutBatch(
            count=made.count,
            topic=made.topic,
            partition=made.partition,
            key=made.key,
            value=made.value,
            timestamp=_timestamps(made),
            headers=made.headers,  # type: ignore[arg-type]  # the chain has put lists of (name, bytes) there
        )
        try:
            for tries, delay in enumerate(_SEND_AGAIN.delays()):
                try:
                    self._producer.send(out, delivery)
                    break
                except KafkaFault as err:
                    if not err.retriable:
                        raise
                    # Nothing was sent yet: the topic was looked up first. It may be created, the broker return.
                    if tries == _TELL_AFTER:
                        log.warning("task.send.waits", task=str(self.id), reason=str(err))
                    if self.stopping.nap(delay):
                        self.inflight.arrived(ticket, failed=True)
                        return False
        except BaseException:
            self.inflight.arrived(ticket, failed=True)
            raise
        self.inflight.arrived(ticket)
        topics = [made.topic.value] if isinstance(made.topic, Constant) else made.topic
        for topic in topics:
            if topic not in self._topics:
                self._topics.add(topic)
                self._reports.topic_used(self.id, topic)
        return True

    def _finish(self) -> None:
        """After the author's task has stopped: wait for what is outstanding, commit once more."""
        if self.cancelled:
            return
        deadline = time.monotonic() + self._settings.flush_timeout
        while not self.inflight.settled() and (left := deadline - time.monotonic()) > 0:
            if self._producer.flush(min(left, 0.5)) == 0:
                break
        self.commit()
        if not self.inflight.settled():
            self._producer.abandon()


def _positions(batch: RecordBatch) -> list[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    """The last offset of each source partition in *batch*."""
    partitions = batch.source_partition
    if isinstance(partitions, Constant):
        if partitions.value is None:
            return []
        offsets = batch.source_offset
        return [(partitions.value, offsets.value if isinstance(offsets, Constant) else offsets[-1])]
    last: dict[str, tuple[Mapping[str, Any], Mapping[str, Any] | None]] = {}
    for partition, offset in zip(partitions, values(batch.source_offset, batch.count), strict=True):
        if partition is not None:
            last[repr(sorted(partition.items()))] = (partition, offset)
    return list(last.values())


def _timestamps(batch: RecordBatch) -> "Any":
    """-1 means none; anything else below zero is an error (contract 5.3)."""

    def checked(stamp: int | None) -> int | None:
        if stamp is None or stamp >= 0:
            return stamp
        if stamp == -1:
            return None
        raise DataError(f"Invalid record timestamp {stamp}")

    return mapped(batch.timestamp, checked)

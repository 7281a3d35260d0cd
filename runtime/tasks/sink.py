"""The life of a sink task (contract 5.5)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.contract import State, TargetState, TaskId, TopicPartition
from runtime.data import Constant, RecordBatch
from runtime.data.batch import each
from runtime.foundation import logs
from runtime.foundation.stopping import ThreadStopping
from runtime.kafka.consumer import BatchConsumer, InBatch
from runtime.kafka.errors import KafkaFault
from runtime.pipeline import ErrorPolicy, SinkChain
from runtime.sdk import ErrantRecordReporter, RetriableError, SinkTask
from runtime.tasks.deadletter import DeadLetterQueue
from runtime.tasks.ports import TaskReports
from runtime.tasks.reporting import raise_for, report
from runtime.tasks.task import RunningTask

log = logs.get(__name__)

_WAKE_EVERY = 0.25
"""Seconds the consumer waits at most before the task looks up: how fast stop and pause are noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """What a sink task is told about itself."""

    config: Mapping[str, str]
    """Its task configuration, references resolved."""
    topics: Sequence[str]
    topics_regex: str
    consumer: Mapping[str, Any]
    """librdkafka settings, group.id included."""
    policy: ErrorPolicy
    commit_interval: float = 60.0
    """Seconds between offset commits."""
    commit_timeout: float = 5.0
    """Seconds after which an unanswered commit counts as failed."""
    most: int = 2_000
    """Records per put at most."""


class _Context:
    """The sink task's view of the engine; used by the task's own thread."""

    def __init__(self, owner: "RunningSinkTask", config: Mapping[str, str]) -> None:
        self._owner = owner
        self.config = config
        self.rewinds: dict[TopicPartition, int] = {}
        self.wait: float | None = None
        self.paused: set[TopicPartition] = set()
        self.commit_requested = False

    @property
    def stopping(self) -> ThreadStopping:
        return self._owner.stopping

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._owner.current)

    @property
    def errant_records(self) -> ErrantRecordReporter | None:
        return None

    def rewind(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.rewinds.update(offsets)

    def timeout(self, seconds: float) -> None:
        self.wait = seconds

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        self.paused.update(partitions)
        self._owner.consumer.pause(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        self.paused.difference_update(partitions)
        self._owner.resume_wanted(partitions)

    def request_commit(self) -> None:
        self.commit_requested = True


class RunningSinkTask(RunningTask):
    """Consumes topics and hands the records to an author's task."""

    def __init__(
        self,
        task: TaskId,
        plugin: SinkTask,
        chain: SinkChain,
        settings: SinkSettings,
        *,
        dead_letters: DeadLetterQueue | None,
        target: TargetState,
        reports: TaskReports,
    ) -> None:
        super().__init__(task, target=target, reports=reports)
        self._plugin = plugin
        self._chain = chain
        self._settings = settings
        self._dead_letters = dead_letters
        self._topics: set[str] = set()
        self.current: dict[TopicPartition, int] = {}
        """The next offset of each assigned partition, after what was put."""
        self._committed: dict[TopicPartition, int] = {}
        self._committing: tuple[float, Mapping[TopicPartition, int]] | None = None
        self._redelivering: tuple[RecordBatch, Mapping[TopicPartition, int]] | None = None
        self._idle = False
        self._context = _Context(self, settings.config)
        self.consumer = BatchConsumer(settings.consumer, ownership=self, on_commit=self._commit_answered)

    def execute(self) -> None:
        """Subscribe, start, consume and put until asked to stop; then close partitions, commit, stop."""
        try:
            self.consumer.subscribe(self._settings.topics, self._settings.topics_regex)
            self._plugin.initialize(self._context)
            self._plugin.start(self._settings.config)
            self._report(State.RUNNING)
            self._loop()
        finally:
            # Backwards from the start; closing the consumer revokes, which commits and closes partitions.
            try:
                self.revoked(list(self.current))
            finally:
                try:
                    self._plugin.stop()
                finally:
                    self.consumer.close()
                    if self._dead_letters is not None:
                        self._dead_letters.close()

    # Ownership, called within the consumer's poll.

    def assigned(self, positions: Mapping[TopicPartition, int]) -> None:
        """Start from the committed offsets; unknown ones (below zero) are found out with the first record."""
        for partition, offset in positions.items():
            self.current[partition] = offset
            if offset >= 0:
                self._committed[partition] = offset
        if positions:
            self._plugin.open(list(positions))
        if self._idle or self._redelivering is not None:
            self.consumer.pause(list(positions))

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Commit these, wait for the answer, close them."""
        ours = [partition for partition in partitions if partition in self.current]
        if ours and not self.cancelled:
            self._commit(closing=True, only=ours)
            self._forget(ours)

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        """Another has them already: close without a commit."""
        self._forget([partition for partition in partitions if partition in self.current])

    def resume_wanted(self, partitions: Sequence[TopicPartition]) -> None:
        """The author's task wants more from these; the engine may have its own reasons to wait."""
        if not self._idle and self._redelivering is None:
            self.consumer.resume([p for p in partitions if p in self.current])

    # ----

    def _forget(self, partitions: Sequence[TopicPartition]) -> None:
        if self._redelivering is not None:
            batch, ends = self._redelivering
            gone = set(partitions)
            keep = [
                index
                for index, (topic, number) in enumerate(zip(each(batch.original_topic), _numbers(batch), strict=False))
                if TopicPartition(topic, number) not in gone
            ]
            left = {partition: end for partition, end in ends.items() if partition not in gone}
            self._redelivering = (batch.take(keep), left) if left else None
        for partition in partitions:
            self.current.pop(partition, None)
            self._committed.pop(partition, None)
            self._context.paused.discard(partition)
        if partitions:
            self._plugin.close(list(partitions))

    def _loop(self) -> None:
        interval = self._settings.commit_interval
        next_commit = time.monotonic() + interval
        while not self.stopping:
            now = time.monotonic()
            if self._committing is not None and now - self._committing[0] > self._settings.commit_timeout:
                log.warning("offsets.commit.unanswered", task=str(self.id))
                self._committing = None
            if self._committing is None and (self._context.commit_requested or now >= next_commit):
                self._context.commit_requested = False
                next_commit = now + interval
                self._commit(closing=False)
            self._pause_or_resume()
            self._rewind()
            wait = min(_WAKE_EVERY, max(0.0, next_commit - time.monotonic()))
            if self._context.wait is not None:
                wait, self._context.wait = min(wait, self._context.wait), None
            elif self._redelivering is not None:
                wait = 0.0
            came = self.consumer.poll(self._settings.most, wait)
            self._deliver(came)

    def _pause_or_resume(self) -> None:
        if self._paused() and not self._idle:
            self._idle = True
            self.consumer.pause(list(self.current))
            self._commit(closing=False)
            self._report(State.PAUSED)
        elif not self._paused() and self._idle:
            self._idle = False
            if self._redelivering is None:
                self.consumer.resume([p for p in self.current if p not in self._context.paused])
            self._report(State.RUNNING)

    def _rewind(self) -> None:
        if not self._context.rewinds:
            return
        wanted = {p: offset for p, offset in self._context.rewinds.items() if p in self.current}
        self._context.rewinds.clear()
        self.consumer.seek(wanted)
        self.current.update(wanted)
        self._committed.update(wanted)

    def _deliver(self, came: InBatch | None) -> None:
        if self._redelivering is not None:
            batch, ends = self._redelivering
        elif came is not None:
            for partition, start in came.starts.items():
                self._committed.setdefault(partition, start)
            batch, ends = self._convert(came), came.ends
        else:
            if not self.current:
                return
            batch, ends = _EMPTY, {}
        try:
            self._plugin.put_batch(batch)
        except RetriableError as err:
            log.warning("task.put.retried", task=str(self.id), reason=str(err))
            if self._redelivering is None:
                self._redelivering = (batch, ends)
                self.consumer.pause(list(self.current))
            return
        if self._redelivering is not None:
            self._redelivering = None
            if not self._idle:
                self.consumer.resume([p for p in self.current if p not in self._context.paused])
        self.current.update({p: end for p, end in ends.items() if p in self.current})

    def _convert(self, came: InBatch) -> RecordBatch:
        raw = came.records
        if came.headers is not None:
            raw = raw.but(headers=came.headers)
        for partition in came.ends:
            if partition.topic not in self._topics:
                self._topics.add(partition.topic)
                self._reports.topic_used(self.id, partition.topic)
        outcome = self._chain.process(raw)
        report(self.id, self._settings.policy, self._chain.counts, raw, outcome.failures)
        if self._dead_letters is not None and outcome.failures:
            self._dead_letters.send(raw, outcome.failures)
        if outcome.halt is not None:
            self._put_before(outcome.halt.index, outcome.batch, raw)
            raise_for(outcome.halt)
        return outcome.batch

    def _put_before(self, failed: int, batch: RecordBatch, raw: RecordBatch) -> None:
        """What stands before a record that stops the task is still delivered, and its offsets count."""
        if batch.count:
            self._plugin.put_batch(batch)
        if failed and isinstance(raw.offset, list):
            for topic, number, offset in zip(
                each(raw.original_topic), _numbers(raw), raw.offset[:failed], strict=False
            ):
                self.current[TopicPartition(topic, number)] = offset + 1

    def _commit(self, *, closing: bool, only: Sequence[TopicPartition] | None = None) -> None:
        """
        Commit what the author's task confirms.

        1. ask it (``pre_commit``) what may be committed of what was put; its failure rewinds to the last commit;
        2. never more than was put, never a partition that is not ours;
        3. wait for dead letters that are on their way: a record is done when its report is;
        4. commit: with an answer awaited when partitions go, else heard of in a later poll.
        """
        asked = {
            partition: offset
            for partition, offset in self.current.items()
            if offset >= 0 and (only is None or partition in only)
        }
        if not asked:
            return
        try:
            offered = self._plugin.pre_commit(asked)
        except Exception as err:
            log.error("task.precommit.failed", task=str(self.id), exc_info=err)
            if not closing:
                back = {partition: self._committed[partition] for partition in asked if partition in self._committed}
                self.consumer.seek(back)
                self.current.update(back)
            return
        ready = {}
        for partition, offset in offered.items():
            if partition not in asked or offset > asked[partition]:
                log.warning("offsets.commit.ignored", task=str(self.id), partition=str(partition), offset=offset)
            elif self._committed.get(partition) != offset:
                ready[partition] = offset
        if self._dead_letters is not None:
            self._dead_letters.settle()
        if not ready:
            return
        if not closing:
            self._committing = (time.monotonic(), ready)
            self.consumer.commit(ready, wait=False)
            return
        try:
            self.consumer.commit(ready, wait=True)
            self._committed.update(ready)
        except KafkaFault as err:
            log.error("offsets.commit.failed", task=str(self.id), reason=str(err))

    def _commit_answered(self, fault: KafkaFault | None, offsets: Mapping[TopicPartition, int]) -> None:
        if self._committing is not None and self._committing[1] == offsets:
            self._committing = None
        if fault is not None:
            log.error("offsets.commit.failed", task=str(self.id), reason=str(fault))
            return
        self._committed.update({p: offset for p, offset in offsets.items() if p in self.current})


def _numbers(batch: RecordBatch) -> Any:
    return each(batch.original_partition)


_EMPTY = RecordBatch(count=0, topic=Constant(""), value=[], offset=[])

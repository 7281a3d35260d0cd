"""Reading batches of records as a member of a consumer group, handed over as columns."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
)
from confluent_kafka import TopicPartition as Place

from runtime.contract import TopicPartition
from runtime.data import Constant, RecordBatch, TimestampType
from runtime.data.batch import compact
from runtime.foundation import logs
from runtime.kafka.errors import KafkaFault, translated
from runtime.kafka.settings import QUIET

log = logs.get(__name__)

_LOOK_EVERY = 1.0
"""Seconds between looks for a topic that is not there."""

_MISSING = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})
_PASSING = frozenset(
    {
        *_MISSING,
        KafkaError._PARTITION_EOF,
        KafkaError._MAX_POLL_EXCEEDED,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TRANSPORT,
    }
)


class Ownership(Protocol):
    """Hears which partitions come and go, inside :meth:`BatchConsumer.poll`."""

    def assigned(self, positions: Mapping[TopicPartition, int]) -> None:
        """These are ours now, to be read from these offsets."""
        ...

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """These go elsewhere; offsets may still be committed now."""
        ...

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        """These already belong to another; nothing may be committed."""
        ...


@dataclass(frozen=True, slots=True)
class InBatch:
    """What one poll brought."""

    records: RecordBatch
    """Key and value are bytes, headers are still as Kafka has them: lists of (name, bytes), or None."""
    headers: list[list[tuple[str, bytes]] | None] | None
    """None when no record has any."""
    ends: Mapping[TopicPartition, int]
    """The next offset to read, for each partition the batch touches."""
    starts: Mapping[TopicPartition, int]
    """The first offset read, for each of them."""


class BatchConsumer:
    """One sink task's consumer; used by one thread only."""

    def __init__(self, settings: Mapping[str, Any], *, ownership: Ownership, on_commit: Callable[..., None]) -> None:
        self._wanted: list[str] = []
        self._missing: set[str] = set()
        self._look_at = 0.0
        self._away = False
        self._ownership = ownership
        self._on_commit = on_commit
        self._consumer = Consumer(
            {
                "log_level": QUIET,
                "auto.offset.reset": "earliest",
                "allow.auto.create.topics": True,  # as Java's consumer
                "fetch.queue.backoff.ms": 5,  # the default of a second stalls a fast reader
                "queued.max.messages.kbytes": 32_768,
                "queued.min.messages": 100_000,
                "topic.metadata.refresh.interval.ms": 30_000,  # how soon topics.regex meets a new topic
                **settings,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "on_commit": self._committed,
                "error_cb": self._on_error,
            }
        )

    def subscribe(self, topics: Sequence[str], pattern: str) -> None:
        """Read *topics*, or all topics whose whole name matches *pattern*, which new ones may join."""
        self._wanted = [f"^({pattern})$"] if pattern else list(topics)
        self._join()

    def _join(self) -> None:
        self._consumer.subscribe(
            self._wanted,
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._lost,
        )

    def poll(self, most: int, timeout: float) -> InBatch | None:
        """
        What there is, at most *most* records, waiting up to *timeout* seconds for the first.

        Raises KafkaFault for errors that will not pass by themselves.
        """
        if self._missing:
            self._look_for_missing()
        first = self._consumer.poll(timeout)
        if first is None:
            return None
        messages = [first, *self._consumer.consume(most - 1, timeout=0)] if most > 1 else [first]
        if any(message.error() for message in messages):
            messages = [message for message in messages if self._is_record(message)]
        if messages and self._away:
            self._away = False
            log.info("consumer.brokers.reachable")
        return _columns(messages) if messages else None

    def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read on from *offsets*."""
        for partition, offset in offsets.items():
            self._consumer.seek(Place(partition.topic, partition.partition, offset))

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Read nothing from *partitions* until resumed."""
        if partitions:
            self._consumer.pause([Place(p.topic, p.partition) for p in partitions])

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Read on from *partitions*."""
        if partitions:
            self._consumer.resume([Place(p.topic, p.partition) for p in partitions])

    def commit(self, offsets: Mapping[TopicPartition, int], *, wait: bool) -> None:
        """
        Commit *offsets*: at once when *wait*, else ``on_commit(fault or None, offsets)`` is called within a poll.

        Raises KafkaFault when waiting and refused.
        """
        places = [Place(p.topic, p.partition, offset) for p, offset in offsets.items()]
        try:
            if wait:
                self._consumer.commit(offsets=places, asynchronous=False)
            else:
                self._consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as err:
            raise translated(err, "committing offsets") from err

    def close(self) -> None:
        """Leave the group; revocation is told within."""
        self._consumer.close()

    # ----

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() in _MISSING:
            self._missing.add(message.topic() or "")
        if error.code() not in _PASSING and not error.retriable():
            raise KafkaFault(f"reading topic {message.topic()}: {error.str()}")
        return False

    def _look_for_missing(self) -> None:
        """
        Subscribe again as soon as a topic that was missing is there.

        By itself the client would look only when its metadata age, after minutes. Asking by name also lets a broker
        that creates topics on demand do so, as Java's consumer does.
        """
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY
        for topic in list(self._missing):
            try:
                found = self._consumer.list_topics(topic, timeout=2.0).topics.get(topic)
            except KafkaException:
                return
            if found is None or found.error is not None or not found.partitions:
                continue
            self._missing.discard(topic)
            self._join()

    def _assigned(self, _consumer: Consumer, places: list[Place]) -> None:
        partitions = [TopicPartition(place.topic, place.partition) for place in places]
        try:
            positions = self._consumer.committed(places, timeout=30.0)
        except KafkaException as err:
            raise translated(err, "reading committed offsets") from err
        self._ownership.assigned(
            {partition: place.offset for partition, place in zip(partitions, positions, strict=True)}
        )

    def _revoked(self, _consumer: Consumer, places: list[Place]) -> None:
        self._ownership.revoked([TopicPartition(place.topic, place.partition) for place in places])

    def _lost(self, _consumer: Consumer, places: list[Place]) -> None:
        self._ownership.lost([TopicPartition(place.topic, place.partition) for place in places])

    def _committed(self, err: KafkaError | None, places: list[Place]) -> None:
        fault = translated(err, "committing offsets") if err is not None else None
        failed = next((place.error for place in places if place.error is not None), None)
        if fault is None and failed is not None:
            fault = translated(failed, "committing offsets")
        self._on_commit(fault, {TopicPartition(place.topic, place.partition): place.offset for place in places})

    def _on_error(self, err: KafkaError) -> None:
        # The client repeats itself; people want to read it once, until records come again.
        if err.code() == KafkaError._ALL_BROKERS_DOWN and not self._away:
            self._away = True
            log.warning("consumer.brokers.unreachable", reason=err.str())


_TIMESTAMPS = {
    TIMESTAMP_CREATE_TIME: TimestampType.CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME: TimestampType.LOG_APPEND_TIME,
}


def _columns(messages: list[Message]) -> InBatch:
    count = len(messages)
    topics: Any = [m.topic() for m in messages]
    partitions: Any = [m.partition() for m in messages]
    offsets: Any = [m.offset() for m in messages]
    if count == 1 or (len(set(partitions)) == 1 and len(set(topics)) == 1):
        only = TopicPartition(topics[0], partitions[0])
        starts, ends = {only: offsets[0]}, {only: offsets[-1] + 1}
        topics, partitions = Constant(topics[0]), Constant(partitions[0])
    else:
        known: dict[str, str] = {}  # one object per topic, so that later stages may go by identity
        topics = [known.setdefault(topic, topic) for topic in topics]
        places = list(zip(topics, partitions, strict=True))
        last = dict(zip(places, offsets, strict=True))
        first = dict(zip(reversed(places), reversed(offsets), strict=True))
        starts = {TopicPartition(*place): offset for place, offset in first.items()}
        ends = {TopicPartition(*place): offset + 1 for place, offset in last.items()}
    stamps = [m.timestamp() for m in messages]
    kinds = {kind for kind, _ in stamps}
    kind_column: Any = (
        Constant(_TIMESTAMPS.get(kinds.pop(), TimestampType.NONE))
        if len(kinds) == 1
        else [_TIMESTAMPS.get(kind, TimestampType.NONE) for kind, _ in stamps]
    )
    headers = [m.headers() for m in messages]
    return InBatch(
        RecordBatch(
            count=count,
            topic=topics,
            partition=partitions,
            key=compact([m.key() for m in messages]),
            value=[m.value() for m in messages],
            timestamp=[stamp if kind in _TIMESTAMPS else None for kind, stamp in stamps],
            timestamp_type=kind_column,
            offset=offsets,
            original_topic=topics,
            original_partition=partitions,
        ),
        headers if any(headers) else None,  # type: ignore[arg-type]  # the library's stub allows other value types
        ends,
        starts,
    )

"""
Sending batches of records: one callback per batch and partition instead of one per record.

An idempotent producer lands a partition's records in order, so the last one's success stands for all before it. A
record that fails for good would break that; ``enable.gapless.guarantee`` makes such a failure fatal for the producer,
and so for the task, instead of a hole behind a later success. Where the caller wants to hear of each record, or the
partition is not known beforehand (a key and several partitions), every record has its callback.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from runtime.data import Column, Constant
from runtime.foundation import logs
from runtime.kafka.errors import KafkaFault, ProduceFailed, TopicMissing, translated
from runtime.kafka.settings import QUIET

log = logs.get(__name__)

Text = bytes | str | None
HeaderList = Sequence[tuple[str, bytes | None]]


@dataclass(slots=True, kw_only=True)
class OutBatch:
    """Records ready for the wire, as columns; text stands for its UTF-8 bytes."""

    count: int
    topic: Column[str]
    partition: Column[int | None]
    key: Column[Text]
    value: Column[Text]
    timestamp: Column[int | None]
    """Milliseconds; None lets the client take now."""
    headers: Column[HeaderList | None]


class Delivery(Protocol):
    """Hears how a batch fared. Called from whichever thread polls the producer."""

    def expect(self, callbacks: int) -> None:
        """So many more calls of :meth:`landed` or :meth:`failed` will come."""
        ...

    def landed(self, index: int, topic: str, partition: int, offset: int) -> None:
        """Record *index*, and all before it that have no call of their own, are in Kafka."""
        ...

    def failed(self, index: int, fault: KafkaFault) -> None:
        """Record *index* is not, and never will be."""
        ...


class BatchProducer:
    """One task's producer. :meth:`send` from one thread; :meth:`poll` and :meth:`flush` from any."""

    def __init__(self, settings: Mapping[str, Any], *, every_record: bool, cancelled: Callable[[], bool]) -> None:
        merged = {
            # Connect's own values (contract 2.5), but idempotent, and with room for large batches.
            "log_level": QUIET,
            "acks": "all",
            "enable.idempotence": True,
            "delivery.timeout.ms": 0,
            "linger.ms": 5,
            "batch.size": 1_000_000,
            "batch.num.messages": 100_000,
            "message.max.bytes": 1_048_588,
            "queue.buffering.max.kbytes": 65_536,
            "queue.buffering.max.messages": 500_000,
            "partitioner": "murmur2_random",  # Java's choice for keys
            **settings,
        }
        idempotent = str(merged["enable.idempotence"]).lower() == "true"
        merged["enable.gapless.guarantee"] = idempotent and not every_record
        self._every_record = every_record or not idempotent
        self._fatal: KafkaFault | None = None
        self._cancelled = cancelled
        self._partitions: dict[str, tuple[int, float]] = {}
        self._turn = 0
        self._closed = threading.Event()
        self._away = False
        self._producer = Producer({**merged, "error_cb": self._on_error})

    def send(self, batch: OutBatch, delivery: Delivery) -> None:
        """
        Hand *batch* to the client; *delivery* hears of it later.

        Blocks while the client's queue is full. Raises TopicMissing (retriable, nothing was sent) when the topic
        does not exist and cannot be created, ProduceFailed when a record is refused at once, BrokerUnreachable.
        """
        self._check()
        if isinstance(batch.topic, Constant):
            self._send_topic(batch, delivery, batch.topic.value, None)
            return
        by_topic: dict[str, list[int]] = {}
        for index, topic in enumerate(batch.topic):
            by_topic.setdefault(topic, []).append(index)
        for topic in by_topic:
            self._partition_count(topic)
        for topic, indices in by_topic.items():
            self._send_topic(batch, delivery, topic, indices)

    def poll(self, timeout: float = 0.0) -> None:
        """Run callbacks that are due, for at most *timeout* seconds."""
        self._producer.poll(timeout)

    def flush(self, timeout: float) -> int:
        """Wait at most *timeout* seconds for everything to land; how many have not."""
        return self._producer.flush(timeout)

    def failure(self) -> KafkaFault | None:
        """Why this producer can send no more, if so."""
        return self._fatal

    def abandon(self) -> None:
        """Give up what has not been sent; for tasks that overran their time."""
        self._closed.set()
        self._producer.purge()

    # ----

    def _send_topic(self, batch: OutBatch, delivery: Delivery, topic: str, indices: list[int] | None) -> None:
        count = self._partition_count(topic)
        where: Sequence[int] = range(batch.count) if indices is None else indices
        keys = _picked(batch.key, indices)
        values = _picked(batch.value, indices)
        stamps = _picked(batch.timestamp, indices)
        headers = _picked(batch.headers, indices)
        given = _picked(batch.partition, indices)
        partitions: Any
        if isinstance(given, repeat) and next(given) is not None:
            assert isinstance(batch.partition, Constant)
            fixed = batch.partition.value
            assert fixed is not None
            self._check_partition(topic, fixed, count)
            partitions, per_record = repeat(fixed), self._every_record
        elif isinstance(given, repeat):
            keyless = isinstance(batch.key, Constant) and batch.key.value is None
            if count == 1:
                partitions, per_record = repeat(0), self._every_record
            elif keyless:
                self._turn += 1
                partitions, per_record = repeat(self._turn % count), self._every_record
            else:
                partitions, per_record = repeat(-1), True
        else:
            for number in set(given):
                if number is not None:
                    self._check_partition(topic, number, count)
            partitions, per_record = [-1 if number is None else number for number in given], True
        rows = zip(where, values, keys, partitions, stamps, headers, strict=False)
        if per_record:
            self._send_each(rows, len(where), topic, delivery)
        else:
            self._send_bulk(rows, len(where), topic, delivery)

    def _send_bulk(self, rows: Any, count: int, topic: str, delivery: Delivery) -> None:
        produce = self._producer.produce
        delivery.expect(1)
        last = count - 1
        for sent, (index, value, key, partition, stamp, headers) in enumerate(rows):
            on_delivery = self._callback(index, delivery) if sent == last else None
            # Positional arguments, and headers only when there are any, are measurably cheaper.
            try:
                if headers:
                    produce(topic, value, key, partition, on_delivery, timestamp=stamp or 0, headers=list(headers))
                elif on_delivery is None and stamp is not None:
                    produce(topic, value, key, partition, None, None, stamp)
                else:
                    produce(topic, value, key, partition, on_delivery, None, stamp or 0)
            except BufferError:
                self._room(topic, value, key, partition, on_delivery, stamp, headers)
            except KafkaException as err:
                raise self._refused(err, topic) from err

    def _send_each(self, rows: Any, count: int, topic: str, delivery: Delivery) -> None:
        delivery.expect(count)
        for index, value, key, partition, stamp, headers in rows:
            on_delivery = self._callback(index, delivery)
            listed = list(headers) if headers else []
            try:
                self._producer.produce(topic, value, key, partition, on_delivery, timestamp=stamp or 0, headers=listed)
            except BufferError:
                self._room(topic, value, key, partition, on_delivery, stamp, listed)
            except KafkaException as err:
                if not self._every_record:
                    raise self._refused(err, topic) from err
                delivery.failed(index, self._refused(err, topic))

    def _room(
        self,
        topic: str,
        value: Text,
        key: Text,
        partition: int,
        on_delivery: Callable[[KafkaError | None, Message], None] | None,
        stamp: int | None,
        headers: HeaderList | None,
    ) -> None:
        while True:
            self._producer.poll(0.05)
            self._check()
            try:
                self._producer.produce(
                    topic, value, key, partition, on_delivery, timestamp=stamp or 0, headers=list(headers or ())
                )
            except BufferError:
                continue
            except KafkaException as err:
                raise self._refused(err, topic) from err
            return

    def _callback(self, index: int, delivery: Delivery) -> Callable[[KafkaError | None, Message], None]:
        def delivered(err: KafkaError | None, message: Message) -> None:
            if err is not None:
                delivery.failed(index, ProduceFailed(f"sending to topic {message.topic()}: {err.str()}"))
            else:
                if self._away:
                    self._away = False
                    log.info("producer.brokers.reachable")
                delivery.landed(index, message.topic() or "", message.partition() or 0, message.offset() or 0)

        return delivered

    def _partition_count(self, topic: str) -> int:
        known = self._partitions.get(topic)
        if known is not None and time.monotonic() - known[1] < 300:
            return known[0]
        try:
            # By name: the broker creates the topic now if it is set up to do so.
            found = self._producer.list_topics(topic, timeout=10.0).topics[topic]
        except KafkaException as err:
            if known is not None:
                return known[0]
            raise translated(err, f"looking up topic {topic}") from err
        if found.error is not None or not found.partitions:
            if known is not None:
                return known[0]
            reason = found.error.str() if found.error is not None else "no partitions yet"
            if found.error is not None and found.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise KafkaFault(f"topic {topic}: {reason}; create the topic or grant rights to it")
            raise TopicMissing(f"topic {topic} is not there: {reason}")
        self._partitions[topic] = (len(found.partitions), time.monotonic())
        return len(found.partitions)

    def _check_partition(self, topic: str, number: int, count: int) -> None:
        if not 0 <= number < count:
            raise ProduceFailed(f"topic {topic} has {count} partitions; a record names partition {number}")

    def _refused(self, err: KafkaException, topic: str) -> KafkaFault:
        error = err.args[0]
        return self._fatal or ProduceFailed(f"sending to topic {topic}: {error.str()}")

    def _check(self) -> None:
        if self._fatal is not None:
            raise self._fatal
        if self._cancelled() or self._closed.is_set():
            raise KafkaFault("the task was told to give up")

    def _on_error(self, err: KafkaError) -> None:
        if err.fatal():
            self._fatal = ProduceFailed(f"the producer cannot go on: {err.str()}")
        # The client repeats itself; people want to read it once, until records land again.
        elif err.code() == KafkaError._ALL_BROKERS_DOWN and not self._away:
            self._away = True
            log.warning("producer.brokers.unreachable", reason=err.str())


def _picked(column: "Column[Any]", indices: list[int] | None) -> Any:
    if isinstance(column, Constant):
        return repeat(column.value)
    return column if indices is None else [column[i] for i in indices]

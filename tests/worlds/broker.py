"""What a test does with a broker, whichever broker it is: make topics, write records, read records, look."""

import itertools
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, Literal, Protocol

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from tests.worlds.waiting import NeverHappened, wait_until

BrokerKind = Literal["apache-kafka", "embedded"]
Headers = Sequence[tuple[str, bytes | None]]

_fresh = itertools.count(1)
_RUN = uuid.uuid4().hex[:4]
_QUIET: Mapping[str, Any] = {
    "log_level": 0,  # a test that stops a broker does not want to read that it is gone
    "error_cb": lambda error: None,
    "receive.message.max.bytes": 1_000_000_000,  # the embedded broker ignores fetch limits
}


def fresh(prefix: str) -> str:
    """A name no other test uses: one broker serves the whole session."""
    return f"{prefix}-{_RUN}-{next(_fresh)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A record on its way in. Without a partition its key decides; without a timestamp it is now."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    partition: int = -1
    timestamp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record as it lies in the topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: int | None

    @classmethod
    def of(cls, message: Message) -> "Received":
        kind, timestamp = message.timestamp()
        return cls(
            topic=message.topic() or "",
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            key=_bytes(message.key()),
            value=_bytes(message.value()),
            headers=tuple((name, _bytes(value)) for name, value in message.headers() or ()),
            timestamp=None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        )


Record = str | bytes | tuple[str | bytes | None, str | bytes | None] | Sent


class Power(Protocol):
    """The servers behind a broker, for the tests that take them away."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


class Broker:
    """
    A broker in a test's hands.

    ``produce`` returns when everything is acknowledged, ``consume`` when it has what was asked for; neither
    has a consumer group unless the test names one.
    """

    def __init__(self, bootstrap_servers: str, kind: BrokerKind, power: Power) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.kind: BrokerKind = kind
        self._power = power
        self._admin: AdminClient | None = None

    def __repr__(self) -> str:
        return f"<{self.kind} broker at {self.bootstrap_servers}>"

    # -- power -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it again after :meth:`stop` or :meth:`kill`: same port, same data."""
        self._power.start()

    def stop(self) -> None:
        """Shut it down in good order. Only for a broker of one's own (fixture ``private_broker``)."""
        self._power.stop()

    def kill(self) -> None:
        """Take it away as a power cut would. Only for a broker of one's own."""
        self._power.kill()

    def serving(self) -> int:
        """How many nodes the cluster says it has; 0 when nobody answers."""
        try:
            return len(self.admin.list_topics(timeout=1).brokers)
        except KafkaException:
            return 0

    # -- clients -----------------------------------------------------------------------------------

    @property
    def admin(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, **_QUIET})
        return self._admin

    def producer(self, **settings: Any) -> Producer:
        """A producer with *settings*, underscores for dots (``transactional_id=``)."""
        return Producer({"bootstrap.servers": self.bootstrap_servers, **_QUIET, **_dotted(settings)})

    def consumer(self, group: str | None = None, **settings: Any) -> Consumer:
        """A consumer that starts at the beginning and commits nothing by itself."""
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "group.id": group or fresh("reader"),
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 50,
                **_QUIET,
                **_dotted(settings),
            }
        )

    # -- topics ------------------------------------------------------------------------------------

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """Create *name* and return it once the broker serves it."""
        made = self.admin.create_topics([NewTopic(name, partitions, 1, config=dict(config or {}))])
        _one(made)
        wait_until(lambda: self.partitions(name) == partitions, what=f"topic {name} has {partitions} partitions")
        return name

    def fresh_topic(self, prefix: str = "topic", partitions: int = 1, **config: str) -> str:
        """A new topic under a name of its own; *config* with underscores for dots (``cleanup_policy=``)."""
        return self.create_topic(fresh(prefix), partitions, _dotted(config))

    def delete_topic(self, name: str) -> None:
        """Delete *name* and wait until it is gone."""
        _one(self.admin.delete_topics([name]))
        wait_until(lambda: name not in self.topics(), what=f"topic {name} is gone")

    def topics(self) -> set[str]:
        """Names of all topics."""
        return set(self.admin.list_topics(timeout=10).topics)

    def partitions(self, topic: str) -> int:
        """How many partitions *topic* has; 0 when it does not exist. Never creates it."""
        seen = self.admin.list_topics(timeout=10).topics.get(topic)
        return 0 if seen is None or seen.error is not None else len(seen.partitions)

    def topic_config(self, topic: str) -> dict[str, str | None]:
        """The configuration of *topic*, defaults included."""
        entries = _one(self.admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))
        return {name: entry.value for name, entry in entries.items()}

    # -- records -----------------------------------------------------------------------------------

    def produce(self, topic: str, records: Iterable[Record], **settings: Any) -> None:
        """
        Write *records* and return when the broker has acknowledged all of them.

        A record is a value, a ``(key, value)`` pair, or a :class:`Sent`; strings are UTF-8.
        Raises KafkaException for the first that was refused.
        """
        producer = self.producer(**{"linger_ms": 5, **settings})
        refused: list[KafkaError] = []

        def landed(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                refused.append(error)

        for record in map(_sent, records):
            while True:
                try:
                    producer.produce(
                        topic,
                        record.value,
                        record.key,
                        partition=record.partition,
                        on_delivery=landed,
                        timestamp=record.timestamp,
                        headers=list(record.headers) or None,
                    )
                    break
                except BufferError:  # our own queue is full; deliveries make room
                    producer.poll(0.1)
            producer.poll(0)
        left = producer.flush(60)
        if refused:
            raise KafkaException(refused[0])
        if left:
            raise NeverHappened(f"{left} records were not acknowledged by {self!r}")

    def consume(
        self, topic: str, count: int, *, timeout: float = 30.0, isolation: str = "read_committed"
    ) -> list[Received]:
        """The first *count* records of all partitions of *topic*, waiting for them when they are not there yet."""
        return self._read(topic, lambda got, done: len(got) >= count, f"{count} records", timeout, isolation)[:count]

    def read(self, topic: str, *, timeout: float = 30.0, isolation: str = "read_committed") -> list[Received]:
        """Everything that is in *topic* now."""
        return self._read(topic, lambda got, done: done, "its end", timeout, isolation)

    def values(self, topic: str, count: int, *, timeout: float = 30.0) -> list[str]:
        """The first *count* values of *topic* as text, in the order they were read."""
        return [(r.value or b"").decode() for r in self.consume(topic, count, timeout=timeout)]

    def table(self, topic: str, *, timeout: float = 30.0) -> dict[bytes | None, bytes]:
        """A compacted topic read as a table: the last value of each key, deleted keys left out."""
        last = {record.key: record.value for record in self.read(topic, timeout=timeout)}
        return {key: value for key, value in last.items() if value is not None}

    def end_offsets(self, topic: str) -> dict[int, int]:
        """Partition to the offset its next record will get; empty when *topic* does not exist."""
        with closing(self.consumer()) as consumer:

            def end(partition: int) -> list[int]:
                try:
                    return [consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]]
                except KafkaException:  # a broker that has just come back has no leaders yet
                    return []

            return {
                partition: wait_until(partial(end, partition), what=f"{topic}-{partition} has a leader")[0]
                for partition in range(self.partitions(topic))
            }

    def count(self, topic: str) -> int:
        """How many offsets *topic* has used; 0 when it does not exist."""
        return sum(self.end_offsets(topic).values())

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """
        What consumer group *group* has committed for *topic*: partition to offset.

        Asked through a consumer that never joins: the admin client's call for this brings librdkafka 2.16 down
        while the group coordinator is still loading.
        """
        with closing(self.consumer(group)) as consumer:
            asked = [TopicPartition(topic, partition) for partition in range(self.partitions(topic))]
            return {tp.partition: tp.offset for tp in consumer.committed(asked, timeout=30) if tp.offset >= 0}

    def _read(
        self,
        topic: str,
        enough: Callable[[list[Received], bool], bool],
        what: str,
        timeout: float,
        isolation: str,
    ) -> list[Received]:
        deadline = monotonic() + timeout
        wait_until(lambda: self.partitions(topic), timeout, f"topic {topic} exists on {self!r}")
        got: list[Received] = []
        # End-of-partition events say that a reader is at the end even where the last offsets are transaction
        # markers, which are never delivered.
        with closing(self.consumer(isolation_level=isolation, enable_partition_eof=True)) as consumer:
            waiting = set(range(self.partitions(topic)))
            consumer.assign([TopicPartition(topic, partition, 0) for partition in waiting])
            while not enough(got, not waiting):
                if monotonic() > deadline:
                    raise NeverHappened(f"never read {what} of {topic} on {self!r}, got {len(got)} records")
                for message in consumer.consume(5_000, 0.1):
                    error = message.error()
                    if error is None:
                        got.append(Received.of(message))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        waiting.discard(message.partition() or 0)
                    elif not error.retriable():
                        raise KafkaException(error)
        return got


def _sent(record: Record) -> Sent:
    if isinstance(record, Sent):
        return record
    if isinstance(record, tuple):
        key, value = record
        return Sent(key=_bytes(key), value=_bytes(value))
    return Sent(value=_bytes(record))


def _bytes(text: str | bytes | None) -> bytes | None:
    return text.encode() if isinstance(text, str) else text


def _dotted(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "."): value for name, value in settings.items()}


def _one(answers: "Mapping[Any, Future[Any]]") -> Any:
    """The result of an admin call about one thing."""
    (future,) = answers.values()
    return future.result(timeout=30)

"""
An internal topic as a log: read from the beginning, tailed for ever, written with acks from all replicas.

One consumer thread and one producer thread serve all the internal topics of a worker. Entries are applied on the event
loop, in order, so that tables need no locks.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from runtime.foundation import logs
from runtime.foundation.backoff import Backoff
from runtime.foundation.stopping import Stopping, ThreadStopping
from runtime.kafka.admin import Admin
from runtime.kafka.errors import BrokerUnreachable, Interrupted, KafkaFault, translated
from runtime.kafka.settings import QUIET

log = logs.get(__name__)

_READ_AT_ONCE = 500
_TOPIC_PATIENCE = 30.0
"""Seconds until a topic's partitions must be known (contract 3)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log. A value of None removes what stood under the key."""

    key: bytes | None
    value: bytes | None
    offset: int


Apply = Callable[[Entry], None]


@dataclass(slots=True)
class _Tail:
    apply: Apply
    ends: dict[int, int] = field(default_factory=dict)
    """Next offset to be applied, by partition."""


class TopicLogs:
    """The internal topics of one worker, by name. Construct, :meth:`start` on the event loop, :meth:`stop`."""

    def __init__(
        self, client: Mapping[str, Any], *, name: str, admin: Admin, asked_to_stop: Stopping | None = None
    ) -> None:
        self._asked_to_stop = asked_to_stop or Stopping()
        self._client = dict(client)
        self._admin = admin
        self._name = name
        self._tails: dict[str, _Tail] = {}
        self._waiting: list[tuple[dict[tuple[str, int], int], asyncio.Future[None]]] = []
        self._stopping = ThreadStopping()
        self._threads: list[threading.Thread] = []
        self._away = False
        self._doubt = False
        """A client has complained. That may be over by the time we hear of it, so it is looked into."""

    @property
    def away(self) -> bool:
        """Whether no broker could be reached when last tried."""
        return self._away

    async def start(self, topics: Mapping[str, Apply]) -> None:
        """
        Read *topics*, which exist, to their ends, then keep tailing them.

        Raises BrokerUnreachable, Interrupted.
        """
        self._loop = asyncio.get_running_loop()
        self._tails = {topic: _Tail(apply) for topic, apply in topics.items()}
        self._consumer = Consumer(
            {
                "log_level": QUIET,
                **self._client,
                "client.id": f"{self._name}-reader",
                "group.id": self._name,  # never joined: partitions are assigned by hand and nothing is committed
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.queue.backoff.ms": 5,
                "queued.max.messages.kbytes": 8192,
                "error_cb": self._on_error,
            }
        )
        self._producer = Producer(
            {
                "log_level": QUIET,
                **self._client,
                "client.id": f"{self._name}-writer",
                "acks": "all",
                "enable.idempotence": True,
                # Java's partitioner, so that a Java worker's entries and ours under one key meet in one
                # partition and compaction keeps the last of both.
                "partitioner": "murmur2_random",
                "linger.ms": 0,
                "delivery.timeout.ms": 120_000,
                "error_cb": self._on_error,
            }
        )
        self._consumer.assign(await self._placed())
        for name, work in (("reader", self._read), ("writer", self._serve)):
            thread = threading.Thread(target=work, name=f"internal topics {name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        for topic in self._tails:
            await self.read_to_end(topic)

    async def _placed(self) -> list[TopicPartition]:
        """Where to read; a topic that was just created takes a moment until every broker knows it."""
        deadline = self._loop.time() + _TOPIC_PATIENCE
        for delay in Backoff(first=0.05, most=1.0).delays():
            try:
                return await asyncio.to_thread(self._assignment)
            except KafkaFault as err:
                if not err.retriable or self._loop.time() > deadline:
                    raise
                if await self._asked_to_stop.nap(delay):
                    raise Interrupted(str(err)) from err
        raise AssertionError("delays do not end")

    async def stop(self) -> None:
        """Stop tailing; entries that were being written are waited for."""
        if not self._threads:
            return
        await asyncio.to_thread(self._producer.flush, 5.0)
        self._stopping.set()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, 5.0)
        await asyncio.to_thread(self._consumer.close)
        for _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(KafkaFault("the worker is stopping"))

    async def write(self, topic: str, entries: Sequence[tuple[bytes, bytes | None]], *, timeout: float = 30.0) -> None:
        """
        Append *entries* in order, and wait until all replicas have them.

        Raises BrokerUnreachable after *timeout* seconds, KafkaFault when refused.
        """
        if not entries:
            return
        done: asyncio.Future[None] = self._loop.create_future()
        left = len(entries)

        def landed(err: KafkaError | None) -> None:
            nonlocal left
            left -= 1
            if done.done():
                return
            if err is not None:
                done.set_exception(translated(err, f"writing to topic {topic}"))
            elif left == 0:
                done.set_result(None)

        def delivered(err: KafkaError | None, _message: Message) -> None:
            self._loop.call_soon_threadsafe(landed, err)

        for key, value in entries:
            self._producer.produce(topic, value=value, key=key, on_delivery=delivered)
        try:
            async with asyncio.timeout(timeout):
                await done
        except TimeoutError:
            raise BrokerUnreachable(f"writing to topic {topic}: no answer within {timeout:g} s") from None

    async def read_to_end(self, topic: str, *, timeout: float = 30.0) -> None:
        """
        Wait until everything that stood in *topic* at the time of the call has been applied.

        Raises BrokerUnreachable after *timeout* seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                ends = await self._present_ends(topic, timeout)
                behind = {place: end for place, end in ends.items() if self._tails[topic].ends.get(place[1], 0) < end}
                if not behind:
                    return
                waiter: asyncio.Future[None] = self._loop.create_future()
                self._waiting.append((behind, waiter))
                await waiter
        except TimeoutError:
            raise BrokerUnreachable(f"reading topic {topic} to its end: not done within {timeout:g} s") from None

    async def _present_ends(self, topic: str, timeout: float) -> dict[tuple[str, int], int]:
        """Asked again while the topic has no leader, as just after it was created or a broker has gone."""
        for delay in Backoff(first=0.05, most=1.0).delays():
            try:
                return await asyncio.to_thread(self._ends, topic, timeout)
            except KafkaFault as err:
                if not err.retriable:
                    raise
                if await self._asked_to_stop.nap(delay):
                    raise Interrupted(str(err)) from err
        raise AssertionError("delays do not end")

    def next_offset(self, topic: str) -> int:
        """The offset after the last entry applied from partition 0 of *topic*."""
        return self._tails[topic].ends.get(0, 0)

    # Below: threads of our own.

    def _assignment(self) -> list[TopicPartition]:
        places: list[TopicPartition] = []
        for topic in self._tails:
            try:
                found = self._consumer.list_topics(topic, timeout=10.0).topics[topic]
            except KafkaException as err:
                raise translated(err, f"looking up topic {topic}") from err
            if found.error is not None:
                raise translated(found.error, f"looking up topic {topic}")
            places += [TopicPartition(topic, number, OFFSET_BEGINNING) for number in found.partitions]
            self._tails[topic].ends = dict.fromkeys(found.partitions, 0)
        return places

    def _ends(self, topic: str, timeout: float) -> dict[tuple[str, int], int]:
        # Asked over the admin's connection: on the consumer's own, each question waits behind a long poll.
        ends = self._admin.ends(topic, list(self._tails[topic].ends), timeout=timeout)
        return {(topic, partition): end for partition, end in ends.items()}

    def _read(self) -> None:
        while not self._stopping:
            first = self._consumer.poll(0.5)
            if self._away or self._doubt:
                self._look()
            if first is None:
                continue
            self._loop.call_soon_threadsafe(self._applied, [first, *self._consumer.consume(_READ_AT_ONCE, timeout=0)])

    def _look(self) -> None:
        """Whether brokers are away, by asking them: said once when they are, and once when they are back."""
        self._doubt = False
        try:
            self._consumer.list_topics(next(iter(self._tails)), timeout=1.0)
        except KafkaException as err:
            if not self._away:
                self._away = True
                reason = err.args[0].str()
                log.warning("kafka.unreachable", brokers=self._client.get("bootstrap.servers"), reason=reason)
        else:
            if self._away:
                self._away = False
                log.info("kafka.reachable", brokers=self._client.get("bootstrap.servers"))

    def _serve(self) -> None:
        while not self._stopping:
            self._producer.poll(0.5)

    def _on_error(self, err: KafkaError) -> None:
        if err.code() == KafkaError._ALL_BROKERS_DOWN:
            self._doubt = True

    # Back on the event loop.

    def _applied(self, messages: list[Message]) -> None:
        for message in messages:
            error, topic, partition, offset = (
                message.error(),
                message.topic(),
                message.partition(),
                message.offset(),
            )
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:
                    log.warning("topic.read.failed", topic=topic, reason=error.str())
                elif topic in self._tails and partition is not None and offset is not None:
                    self._advance(topic, partition, offset)
                continue
            assert topic is not None
            assert partition is not None
            assert offset is not None
            self._tails[topic].apply(Entry(_bytes(message.key()), _bytes(message.value()), offset))
            self._advance(topic, partition, offset + 1)
        self._wake()

    def _advance(self, topic: str, partition: int, end: int) -> None:
        ends = self._tails[topic].ends
        ends[partition] = max(ends.get(partition, 0), end)

    def _wake(self) -> None:
        still: list[tuple[dict[tuple[str, int], int], asyncio.Future[None]]] = []
        for behind, waiter in self._waiting:
            if waiter.done():
                continue
            if all(self._tails[topic].ends[partition] >= end for (topic, partition), end in behind.items()):
                waiter.set_result(None)
            else:
                still.append((behind, waiter))
        self._waiting = still


def _bytes(value: bytes | str | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value

"""The journal in a compacted topic: read from the beginning to the end, one record per connector."""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from reconciler.adapters.journal_format import decode, encode, key_of, ref_of
from reconciler.model import Entries, Entry, Ref
from reconciler.model.errors import JournalGarbled, JournalUnreachable
from runtime.foundation.stopping import ThreadStopping

T = TypeVar("T")

PATIENCE: Final = 15.0
"""Seconds for one read or write before the broker counts as unreachable; the loop then tries again."""

_SLICE: Final = 0.2
"""Seconds between looks at the stop latch."""


class TopicJournal:
    """
    One partition, ``cleanup.policy=compact``, created when it is missing.

    librdkafka blocks, so everything happens on one thread of its own; that thread also orders the writes.
    """

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._topic = topic
        self._servers = bootstrap_servers
        self._table: dict[Ref, Entry] = {}
        self._next = 0
        self._producer: Producer | None = None
        self._consumer: Consumer | None = None
        self._closing = ThreadStopping()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tidegate journal")

    async def read(self, cluster: str) -> Entries:
        """Everything remembered of one cluster, up to the end of the topic as it is now."""
        table = await self._do(self._catch_up)
        return {ref.name: entry for ref, entry in table.items() if ref.cluster == cluster}

    async def write(self, ref: Ref, entry: Entry | None) -> None:
        """Append; acknowledged by all in-sync replicas when this returns."""
        await self._do(lambda: self._append(ref, entry))

    async def close(self) -> None:
        """Give up what is in progress and disconnect."""
        self._closing.set()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except KafkaException as err:
            raise JournalUnreachable(f"journal topic {self._topic} at {self._servers}: {_words(err)}") from err

    def _catch_up(self) -> dict[Ref, Entry]:
        consumer = self._reader()
        end = self._end(consumer)
        if end < self._next:  # deleted or truncated: what we knew is no longer what it says
            self._rewind(consumer)
        deadline = time.monotonic() + PATIENCE
        while self._next < end:
            if (message := consumer.poll(_SLICE)) is not None:
                self._take(message)
                continue
            self._still_waiting(deadline, "reading to its end")
        return dict(self._table)

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._next = max(self._next, message.offset() or 0)
                return
            raise KafkaException(error)
        offset = message.offset() or 0
        if offset < self._next:
            return  # our own write, known since it was acknowledged
        self._next = offset + 1
        ref = ref_of((message.key() or b"").decode("utf-8", "replace"))
        content = message.value()
        if content is None:
            self._table.pop(ref, None)
            return
        try:
            value: Any = json.loads(content)
        except ValueError as err:
            raise JournalGarbled(f"the journal's entry of {ref} is not JSON") from err
        self._table[ref] = decode(ref, value)

    def _append(self, ref: Ref, entry: Entry | None) -> None:
        self._reader()  # the topic exists after this
        producer = self._writer()
        outcome: list[tuple[KafkaError | None, int | None]] = []

        def acknowledged(error: KafkaError | None, message: Message) -> None:
            outcome.append((error, message.offset()))

        value = None if entry is None else json.dumps(encode(entry), separators=(",", ":")).encode()
        producer.produce(self._topic, value, key_of(ref).encode(), 0, acknowledged)
        deadline = time.monotonic() + PATIENCE
        while not outcome:
            producer.poll(_SLICE)
            self._still_waiting(deadline, "an acknowledgement")
        error, offset = outcome[0]
        if error is not None:
            raise KafkaException(error)
        if offset == self._next:  # nobody wrote in between, so there is no need to read it back
            self._next += 1
            if entry is None:
                self._table.pop(ref, None)
            else:
                self._table[ref] = entry

    def _writer(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(
                {
                    **self._client(),
                    "acks": "all",
                    "enable.idempotence": True,
                    "linger.ms": 0,
                    "message.timeout.ms": int(PATIENCE * 1000),
                }
            )
        return self._producer

    def _reader(self) -> Consumer:
        if self._consumer is None:
            self._make_sure_of_topic()
            consumer = Consumer(
                {
                    **self._client(),
                    "group.id": "tidegate-journal",  # required, but never joined: we assign by hand
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "auto.offset.reset": "earliest",
                    "fetch.wait.max.ms": 50,
                    "fetch.queue.backoff.ms": 5,
                    "receive.message.max.bytes": 1_000_000_000,  # the embedded broker ignores fetch limits
                }
            )
            self._rewind(consumer)
            self._consumer = consumer
        return self._consumer

    def _rewind(self, consumer: Consumer) -> None:
        self._table.clear()
        self._next = 0
        consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])

    def _end(self, consumer: Consumer) -> int:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                marks = consumer.get_watermark_offsets(TopicPartition(self._topic, 0), timeout=2.0, cached=False)
                if marks is not None:
                    return marks[1]
            except KafkaException as err:
                if not err.args[0].retriable() and err.args[0].code() != KafkaError._TIMED_OUT:
                    raise
            self._still_waiting(deadline, "the end of the topic")

    def _make_sure_of_topic(self) -> None:
        admin = AdminClient(self._client())
        known = admin.list_topics(timeout=PATIENCE).topics.get(self._topic)
        if known is not None and known.error is None:
            self._check_policy(admin)
            return
        for replicas in (-1, 1):  # the broker's default; an embedded broker may know only 1
            topic = NewTopic(
                self._topic, num_partitions=1, replication_factor=replicas, config={"cleanup.policy": "compact"}
            )
            try:
                admin.create_topics([topic], request_timeout=PATIENCE)[self._topic].result(PATIENCE)
                return
            except KafkaException as err:
                code = err.args[0].code()
                if code == KafkaError.TOPIC_ALREADY_EXISTS:
                    return
                if code != KafkaError.INVALID_REPLICATION_FACTOR or replicas == 1:
                    raise

    def _check_policy(self, admin: AdminClient) -> None:
        """A topic that expires would forget what is ours; brokers that do not tell are believed."""
        resource = ConfigResource(ResourceType.TOPIC, self._topic)
        try:
            config = admin.describe_configs([resource], request_timeout=PATIENCE)[resource].result(PATIENCE)
        except KafkaException:
            return
        policy = config.get("cleanup.policy")
        if policy is not None and policy.value and policy.value != "compact":
            raise JournalGarbled(
                f"journal topic {self._topic} has cleanup.policy={policy.value}; it must be compact, or it forgets"
            )

    def _client(self) -> dict[str, Any]:
        # we report trouble ourselves, once; librdkafka would repeat it on standard error
        return {"bootstrap.servers": self._servers, "log_level": 0, "error_cb": lambda _: None}

    def _still_waiting(self, deadline: float, on: str) -> None:
        if self._closing:
            raise JournalUnreachable(f"closed while waiting for {on}")
        if time.monotonic() > deadline:
            raise JournalUnreachable(f"journal topic {self._topic} at {self._servers}: no answer, waited for {on}")

    def _disconnect(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
        if self._producer is not None:
            self._producer.flush(1.0)


def _words(err: KafkaException) -> str:
    error = err.args[0] if err.args else None
    return str(error.str()) if isinstance(error, KafkaError) else str(err)

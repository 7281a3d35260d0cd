"""The dead-letter queue of a sink task: where records go that failed for good (contract 6.2)."""

import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runtime.contract import TaskId
from runtime.data import ConnectError, Constant, RecordBatch, SinkRecord
from runtime.foundation import logs
from runtime.foundation.secret import scrub
from runtime.kafka.admin import Admin
from runtime.kafka.errors import KafkaFault
from runtime.kafka.producer import BatchProducer, HeaderList, OutBatch
from runtime.pipeline import Failure

log = logs.get(__name__)

_PREFIX = "__connect.errors."


class DeadLetterQueue:
    """Writes the original bytes of failed records to a topic, with the reason in headers when asked to."""

    def __init__(
        self, task: TaskId, topic: str, settings: Mapping[str, Any], *, headers: bool, cancelled: Callable[[], bool]
    ) -> None:
        self._task = task
        self._topic = topic
        self._headers = headers
        self._lock = threading.Lock()
        self._outstanding = 0
        self._fault: KafkaFault | None = None
        self._cancelled = cancelled
        self._producer = BatchProducer(settings, every_record=True, cancelled=cancelled)

    def create_topic(self, admin: Mapping[str, Any], *, replication: int) -> None:
        """
        See that the topic exists, made with one partition when it does not.

        Raises ConnectError, which keeps the task from starting: its failed records would have nowhere to go.
        """
        try:
            Admin(admin).create(self._topic, partitions=1, replication=replication)
        except KafkaFault as err:
            raise ConnectError(f"the dead-letter topic {self._topic} cannot be created: {err}") from err

    def send(self, raw: RecordBatch, failures: Sequence[Failure]) -> None:
        """
        Hand the failed records over, in order; *raw* is what came from Kafka.

        Raises ConnectError when a dead letter could not be written: a record must not vanish.
        """
        self._check()
        rows = [raw.row(failure.index) for failure in failures]
        headers: list[HeaderList | None] = []
        for row, failure in zip(rows, failures, strict=True):
            assert isinstance(row, SinkRecord)
            original: Any = row.headers  # still as Kafka has them, or our empty ones
            kept = list(original) if isinstance(original, list) else []
            headers.append([*kept, *self._context(row, failure)] if self._headers else kept or None)
        batch = OutBatch(
            count=len(rows),
            topic=Constant(self._topic),
            partition=Constant(None),
            key=[row.key for row in rows],
            value=[row.value for row in rows],
            timestamp=[row.timestamp for row in rows],
            headers=headers,
        )
        try:
            self._producer.send(batch, self)
        except KafkaFault as err:
            raise ConnectError(f"dead letters cannot be written to topic {self._topic}: {err}") from err
        self._producer.poll(0)

    def settle(self) -> None:
        """Wait for what is outstanding. Raises ConnectError when a dead letter could not be written."""
        while self._outstanding and self._fault is None:
            if self._cancelled():
                raise ConnectError("the task was told to give up with dead letters outstanding")
            self._producer.poll(0.1)
        self._check()

    def close(self) -> None:
        """Let outstanding letters go, for a short while."""
        self._producer.flush(5.0)

    # Delivery, called by the producer.

    def expect(self, callbacks: int) -> None:
        """So many answers will come."""
        with self._lock:
            self._outstanding += callbacks

    def landed(self, index: int, topic: str, partition: int, offset: int) -> None:
        """One letter is in Kafka."""
        with self._lock:
            self._outstanding -= 1

    def failed(self, index: int, fault: KafkaFault) -> None:
        """One letter is not, and never will be."""
        with self._lock:
            self._outstanding -= 1
            self._fault = self._fault or fault
        log.error("deadletter.failed", task=str(self._task), topic=self._topic, reason=str(fault))

    def _check(self) -> None:
        if self._fault is not None:
            raise ConnectError(f"a dead letter could not be written to topic {self._topic}: {self._fault}")

    def _context(self, record: SinkRecord, failure: Failure) -> list[tuple[str, bytes | None]]:
        error = failure.error
        name = (
            type(error).java_name
            if isinstance(error, ConnectError)
            else f"{type(error).__module__}.{type(error).__qualname__}"
        )
        said: list[tuple[str, str | None]] = [
            ("topic", record.original_topic),
            ("partition", str(record.original_partition)),
            ("offset", str(record.original_offset)),
            ("connector.name", self._task.connector),
            ("task.id", str(self._task.index)),
            ("stage", failure.stage.value),
            ("class.name", failure.executing),
            ("exception.class.name", name),
            ("exception.message", str(error) or None),
            ("exception.stacktrace", scrub("".join(traceback.format_exception(error)))),
        ]
        return [(_PREFIX + key, None if text is None else text.encode()) for key, text in said]

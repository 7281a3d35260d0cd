"""Identities, each with one printed form that logs, metrics, REST and tests share."""

from dataclasses import dataclass
from typing import NewType

ConnectorName = NewType("ConnectorName", str)

WorkerId = NewType("WorkerId", str)
"""``host:port`` of a worker's advertised listener, as ``worker_id`` in a status."""


@dataclass(frozen=True, slots=True, order=True)
class TaskId:
    """One task of one connector, printed as Connect prints it: ``orders-cdc-2``."""

    connector: ConnectorName
    index: int

    def __str__(self) -> str:
        return f"{self.connector}-{self.index}"


@dataclass(frozen=True, slots=True, order=True)
class TopicPartition:
    """A partition of a Kafka topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"

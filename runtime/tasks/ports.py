"""What a task needs of the process it runs in."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from runtime.contract import State, TaskId

Partition = Mapping[str, Any]
Offset = Mapping[str, Any]


class TaskReports(Protocol):
    """Who listens to a task."""

    def status(self, task: TaskId, state: State, trace: str | None = None) -> None:
        """The task's state has changed."""
        ...

    def topic_used(self, task: TaskId, topic: str) -> None:
        """The task has written to or read from *topic* for the first time."""
        ...


class Offsets(Protocol):
    """Where source offsets are kept. Calls block, and raise KafkaFault or ConnectError."""

    def read(self, connector: str, partitions: Sequence[Partition]) -> list[Offset | None]:
        """The committed offsets of *partitions*."""
        ...

    def write(self, connector: str, offsets: Sequence[tuple[Partition, Offset | None]], *, timeout: float) -> None:
        """Commit *offsets* durably within *timeout* seconds."""
        ...

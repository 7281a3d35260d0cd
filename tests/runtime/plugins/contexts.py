"""What a task is given, for tests that are its engine: offsets in a dict, and waits that end at once."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from runtime.sdk import SourceOffset, SourcePartition, ThreadStopping


class Offsets:
    """Committed source offsets."""

    def __init__(self) -> None:
        self.committed: dict[str, SourceOffset] = {}

    def offsets(self, partitions: Sequence[SourcePartition]) -> list[SourceOffset | None]:
        return [self.committed.get(json.dumps(dict(partition))) for partition in partitions]

    def commit(self, partition: SourcePartition, offset: SourceOffset) -> None:
        self.committed[json.dumps(dict(partition))] = offset


class SourceContext:
    """A source task's context. Asked to stop from the start, so that no wait takes time."""

    def __init__(self, offsets: Offsets | None = None) -> None:
        self.stopping = ThreadStopping()
        self.stopping.set()
        self.config: Mapping[str, str] = {}
        self.offsets = offsets or Offsets()
        self.transactions = None


class SinkContext:
    """A sink task's context, for tasks that ask nothing of it."""

    def __init__(self) -> None:
        self.stopping = ThreadStopping()
        self.config: Mapping[str, str] = {}
        self.assignment: frozenset[Any] = frozenset()
        self.errant_records = None

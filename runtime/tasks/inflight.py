"""
Which source offsets may be committed, decided without I/O.

The unit is a batch: its offsets may be committed when all of its records have landed and, for each source partition,
all the batches before it have, too (contract 5.3, with batches for records: after a crash at most one batch more is
read again).
"""

import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Partition = Mapping[str, Any]
Offset = Mapping[str, Any]


@dataclass(slots=True)
class Ticket:
    """One batch on its way."""

    records: int
    outstanding: int = 1
    """Callbacks that have not come, and one for as long as the batch is still being handed over."""
    failed: bool = False

    @property
    def landed(self) -> bool:
        """Whether all of it is in Kafka."""
        return self.outstanding == 0 and not self.failed


@dataclass(slots=True)
class InFlight:
    """
    Remembers every batch handed to the producer, in order, per source partition. Thread-safe.

    A position may be committed only when it and all before it have landed.
    """

    _queues: dict[str, deque[tuple[Ticket, Partition, Offset | None]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _outstanding: int = 0

    def send(self, records: int, positions: Sequence[tuple[Partition, Offset | None]]) -> Ticket:
        """A batch is about to be handed over; *positions* are its last offset in each source partition."""
        ticket = Ticket(records)
        with self._lock:
            self._outstanding += 1
            for partition, offset in positions:
                self._queues.setdefault(_key(partition), deque()).append((ticket, partition, offset))
        return ticket

    def expect(self, ticket: Ticket, callbacks: int) -> None:
        """So many callbacks will come for *ticket*."""
        with self._lock:
            ticket.outstanding += callbacks

    def arrived(self, ticket: Ticket, *, failed: bool = False) -> None:
        """One callback has come, or (once) the whole batch has been handed over."""
        with self._lock:
            ticket.outstanding -= 1
            ticket.failed = ticket.failed or failed
            if ticket.outstanding == 0:
                self._outstanding -= 1

    def committable(self) -> list[tuple[Partition, Offset | None]]:
        """What may be committed now and was not returned before: for each partition the latest position."""
        ready: dict[str, tuple[Partition, Offset | None]] = {}
        with self._lock:
            for key, queue in self._queues.items():
                while queue and queue[0][0].landed:
                    _, partition, offset = queue.popleft()
                    ready[key] = (partition, offset)
            self._queues = {key: queue for key, queue in self._queues.items() if queue}
        return list(ready.values())

    def settled(self) -> bool:
        """Whether no callback is outstanding."""
        with self._lock:
            return self._outstanding == 0


def _key(partition: Partition) -> str:
    return json.dumps(partition, sort_keys=True, default=str)

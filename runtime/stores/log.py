"""
What a table stands on: a log of keyed entries, of which the last of each key counts.

In distributed mode it is a compacted topic, in standalone mode memory, and a file for offsets. The tables do not know
which, so one suite of tests covers all.
"""

import base64
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from runtime.kafka.log import Entry, TopicLogs

Write = tuple[bytes, bytes | None]


class Log(Protocol):
    """Where a table's entries are kept."""

    async def write(self, entries: Sequence[Write]) -> None:
        """Append *entries* durably, in order. They are applied some time after. Raises KafkaFault or OSError."""
        ...

    async def read_to_end(self) -> None:
        """Wait until all that was written before this call has been applied. Raises KafkaFault."""
        ...

    def next_offset(self) -> int:
        """The offset after the last entry applied; for logs of one partition."""
        ...


class TopicLog:
    """A log that is an internal topic."""

    def __init__(self, logs: TopicLogs, topic: str) -> None:
        self._logs = logs
        self._topic = topic

    async def write(self, entries: Sequence[Write]) -> None:
        """Append to the topic with acks from all replicas."""
        await self._logs.write(self._topic, entries)

    async def read_to_end(self) -> None:
        """Wait until the topic's present end has been applied."""
        await self._logs.read_to_end(self._topic)

    def next_offset(self) -> int:
        """The offset after the last entry applied."""
        return self._logs.next_offset(self._topic)


class MemoryLog:
    """A log that lives as long as its process."""

    def __init__(self, apply: Callable[[Entry], None]) -> None:
        self._apply = apply
        self._next = 0

    async def write(self, entries: Sequence[Write]) -> None:
        """Apply at once."""
        for key, value in entries:
            offset, self._next = self._next, self._next + 1
            self._apply(Entry(key, value, offset))

    async def read_to_end(self) -> None:
        """Nothing is ever outstanding."""

    def next_offset(self) -> int:
        """How many entries there were."""
        return self._next


class FileLog:
    """
    A log that is one file, rewritten whole and atomically; for the offsets of a standalone worker.

    The file is JSON of base64 keys and values, the same bytes as in the offsets topic. Java's own file format is
    a serialised HashMap, which only Java should read (contract 3.4).
    """

    def __init__(self, path: Path, apply: Callable[[Entry], None]) -> None:
        self._path = path
        self._apply = apply
        self._entries: dict[bytes, bytes | None] = {}
        self._next = 0

    def load(self) -> None:
        """
        Read the file and apply it; a missing or empty one holds nothing.

        Raises OSError when it cannot be read, ValueError when it is something else.
        """
        data = b""
        with suppress(FileNotFoundError):
            data = self._path.read_bytes()
        if not data.strip():
            return
        try:
            held: Mapping[str, str | None] = json.loads(data)["offsets"]
            entries = {_unpack(key): None if value is None else _unpack(value) for key, value in held.items()}
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise ValueError(
                f"{self._path} is no offsets file of Tidegate (Java's format is not read); "
                "name another offset.storage.file.filename"
            ) from err
        self._take(entries.items())

    async def write(self, entries: Sequence[Write]) -> None:
        """Rewrite the file, flushed to disk before it takes the old one's place."""
        held = self._entries | dict(entries)
        packed = {_pack(key): None if value is None else _pack(value) for key, value in held.items()}
        fresh = self._path.with_name(self._path.name + ".new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("w", encoding="utf-8") as out:
            json.dump({"format": 1, "offsets": packed}, out)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._path)
        self._take(entries)

    async def read_to_end(self) -> None:
        """Nothing is ever outstanding."""

    def next_offset(self) -> int:
        """How many entries were applied."""
        return self._next

    def _take(self, entries: Iterable[Write]) -> None:
        for key, value in entries:
            self._entries[key] = value
            self._apply(Entry(key, value, self._next))
            self._next += 1


def _pack(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unpack(text: str) -> bytes:
    return base64.b64decode(text, validate=True)

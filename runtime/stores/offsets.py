"""
The offset topic as a table: how far each source partition was read, in Connect's exact format (contract 3.2).

A key is the JSON array of connector name and source partition. Compaction needs identical key bytes for one partition,
so a partition that is known keeps the bytes it was first seen with, whoever wrote them and in whatever order.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from runtime.contract import ConnectorName
from runtime.data import DataError
from runtime.foundation import logs
from runtime.kafka.log import Entry
from runtime.stores.log import Log, Write

log = logs.get(__name__)

Partition = Mapping[str, Any]
Offset = Mapping[str, Any]


class OffsetTable:
    """The state of the offset topic. :meth:`apply` is the only way in."""

    def __init__(self) -> None:
        self._held: dict[ConnectorName, dict[str, tuple[bytes, Partition, Offset | None]]] = {}

    def apply(self, entry: Entry) -> None:
        """Take one entry; keys that are not ``[name, {...}]`` are skipped."""
        if entry.key is None:
            return
        try:
            key = json.loads(entry.key)
            value = None if entry.value is None else json.loads(entry.value)
        except ValueError:
            log.warning("offset.entry.unreadable", offset=entry.offset)
            return
        if not (isinstance(key, list) and len(key) == 2 and isinstance(key[0], str)):
            log.warning("offset.entry.malformed", offset=entry.offset)
            return
        if not isinstance(key[1], dict):
            return
        place = self._held.setdefault(ConnectorName(key[0]), {})
        known = place.get(_canonical(key[1]))
        raw = known[0] if known is not None and value is not None else entry.key
        place[_canonical(key[1])] = (raw, key[1], value)

    def offset(self, connector: ConnectorName, partition: Partition) -> Offset | None:
        """The committed offset of one partition."""
        found = self._held.get(connector, {}).get(_canonical(partition))
        return None if found is None else found[2]

    def all(self, connector: ConnectorName) -> list[tuple[Partition, Offset]]:
        """Every partition with an offset."""
        return [
            (partition, offset) for _, partition, offset in self._held.get(connector, {}).values() if offset is not None
        ]

    def key(self, connector: ConnectorName, partition: Partition) -> bytes:
        """The key bytes to write for a partition."""
        found = self._held.get(connector, {}).get(_canonical(partition))
        return found[0] if found is not None else _json([connector, dict(partition)])


class OffsetStore:
    """Reads and writes the offset topic."""

    def __init__(self, table: OffsetTable, log: Log) -> None:
        self.table = table
        self._log = log

    async def read(self, connector: ConnectorName, partitions: Sequence[Partition]) -> list[Offset | None]:
        """The committed offsets of *partitions*, read to the end first. Raises KafkaFault."""
        await self._log.read_to_end()
        return [self.table.offset(connector, partition) for partition in partitions]

    async def write(self, connector: ConnectorName, offsets: Sequence[tuple[Partition, Offset | None]]) -> None:
        """
        Commit *offsets*; None removes a partition's.

        Raises DataError when one is not flat, KafkaFault or OSError when it cannot be stored.
        """
        entries: list[Write] = []
        for partition, offset in offsets:
            _check_flat(partition, "partition")
            if offset is not None:
                _check_flat(offset, "offset")
            value = None if offset is None else _json(dict(offset))
            entries.append((self.table.key(connector, partition), value))
        await self._log.write(entries)


def _canonical(partition: Partition) -> str:
    return json.dumps(partition, sort_keys=True, separators=(",", ":"))


def _check_flat(held: Mapping[Any, Any], what: str) -> None:
    for key, value in held.items():
        if not isinstance(key, str) or not (value is None or isinstance(value, str | int | float | bool)):
            raise DataError(
                f"a source {what} may hold only text, numbers, true, false and null under text keys, not {key!r}: "
                f"{type(value).__name__}"
            )


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

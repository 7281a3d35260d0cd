"""The journal in a file, for where there is no Kafka at hand: one JSON document, replaced whole."""

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.adapters.journal_format import decode, encode, key_of, ref_of
from reconciler.model import Entries, Entry, Ref
from reconciler.model.errors import JournalGarbled, JournalUnreachable


class FileJournal:
    """
    One file, shared by processes on one machine: each write takes a lock, reads, changes and replaces it.

    The replacement is by rename after fsync, so a killed process leaves the old or the new, never half.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self, cluster: str) -> Entries:
        """Everything remembered of one cluster."""
        table = await asyncio.to_thread(self._load)
        entries = {ref: decode(ref, value) for ref, value in ((ref_of(key), value) for key, value in table.items())}
        return {ref.name: entry for ref, entry in entries.items() if ref.cluster == cluster}

    async def write(self, ref: Ref, entry: Entry | None) -> None:
        """Remember, or forget."""
        await asyncio.to_thread(self._change, ref, entry)

    def _change(self, ref: Ref, entry: Entry | None) -> None:
        with self._locked():
            table = self._load()
            if entry is None:
                table.pop(key_of(ref), None)
            else:
                table[key_of(ref)] = encode(entry)
            fresh = self._path.with_name(f"{self._path.name}.new")
            with fresh.open("w", encoding="utf-8") as file:
                json.dump(table, file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)

    def _load(self) -> dict[str, Any]:
        try:
            table = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as err:
            raise JournalUnreachable(f"the journal {self._path} cannot be read: {err.strerror}") from err
        except ValueError as err:
            raise JournalGarbled(f"the journal {self._path} is not JSON: {err}") from err
        if not isinstance(table, dict):
            raise JournalGarbled(f"the journal {self._path} is not a JSON object")
        return table

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_name(f"{self._path.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as err:
            raise JournalUnreachable(f"the journal {self._path} cannot be written: {err.strerror}") from err

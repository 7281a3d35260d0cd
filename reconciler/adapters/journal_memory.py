"""The journal's memory twin."""

from reconciler.model import Entries, Entry, Ref


class MemoryJournal:
    """Forgets when the process ends; for tests, and for asking what would happen."""

    def __init__(self) -> None:
        self._entries: dict[Ref, Entry] = {}

    async def read(self, cluster: str) -> Entries:
        """Everything remembered of one cluster."""
        return {ref.name: entry for ref, entry in self._entries.items() if ref.cluster == cluster}

    async def write(self, ref: Ref, entry: Entry | None) -> None:
        """Remember, or forget."""
        if entry is None:
            self._entries.pop(ref, None)
        else:
            self._entries[ref] = entry

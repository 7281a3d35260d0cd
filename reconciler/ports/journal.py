"""The memory of what we did."""

from typing import Protocol

from reconciler.model import Entries, Entry, Ref


class Journal(Protocol):
    """A table from connector to entry. Raises :class:`reconciler.model.errors.JournalFault`."""

    async def read(self, cluster: str) -> Entries:
        """Everything remembered of one cluster, as it is now, other processes' writes included."""
        ...

    async def write(self, ref: Ref, entry: Entry | None) -> None:
        """Remember *entry*, or forget the connector. Durable when this returns."""
        ...

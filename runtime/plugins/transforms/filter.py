"""Filter: drops what its predicate lets through to it (contract 7.1)."""

from runtime.plugins.version import VERSION
from runtime.sdk import Record, RecordBatch, Transformation


class Filter(Transformation):
    """Drops every record it sees; use it with a predicate."""

    version = VERSION

    def apply(self, record: Record) -> Record | None:
        """Nothing."""
        return None

    def apply_batch(self, batch: RecordBatch) -> tuple[RecordBatch, list[int] | None]:
        """Nothing."""
        return batch.take([]), None if not batch.count else []

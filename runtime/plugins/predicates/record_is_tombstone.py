"""RecordIsTombstone: records without a value (contract 7.3)."""

from runtime.plugins.version import VERSION
from runtime.sdk import Column, Constant, Predicate, Record, RecordBatch


class RecordIsTombstone(Predicate):
    """True when the value is null."""

    version = VERSION

    def test(self, record: Record) -> bool:
        """Whether *record* has no value."""
        return record.value is None

    def test_batch(self, batch: RecordBatch) -> Column[bool]:
        """One look per value."""
        if isinstance(batch.value, Constant):
            return Constant(batch.value.value is None)
        return [value is None for value in batch.value]

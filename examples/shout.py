"""A transform that makes strings loud: the record form is enough, the batch form makes it fast."""

from runtime.sdk import Record, RecordBatch, Transformation


class Shout(Transformation):
    def apply(self, record: Record) -> Record | None:
        return record.but(value=record.value.upper())

    def apply_batch(self, batch: RecordBatch) -> tuple[RecordBatch, list[int] | None]:
        if not isinstance(batch.value, list):
            return super().apply_batch(batch)
        return batch.but(value=[value.upper() for value in batch.value]), None

"""Carrying out verdicts: the error log, and the failure of a task whose tolerance is exceeded (contract 6.2)."""

from collections.abc import Sequence

from runtime.contract import TaskId
from runtime.data import ConnectError, Record, RecordBatch, SinkRecord
from runtime.foundation import logs
from runtime.foundation.secret import scrub
from runtime.pipeline import ErrorPolicy, Failure
from runtime.pipeline.verdicts import Counts

log = logs.get(__name__)


class ToleranceExceeded(ConnectError):
    """A record failed and errors.tolerance does not allow for it."""


def report(task: TaskId, policy: ErrorPolicy, counts: Counts, batch: RecordBatch, failures: Sequence[Failure]) -> None:
    """Log *failures* when ``errors.log.enable`` says so; *batch* is what came into the chain."""
    if not policy.log_enable:
        return
    for failure in failures:
        words = (
            f"Error encountered in task {task}. Executing stage '{failure.stage.value}' "
            f"with class '{failure.executing}'"
        )
        if policy.log_include_messages:
            words += _message(batch.row(failure.index))
        log.error(words + ".", exc_info=failure.error)
        counts.logged += 1


def raise_for(failure: Failure) -> None:
    """Raise what fails the task for *failure*."""
    raise ToleranceExceeded(
        f"Tolerance exceeded in error handler: {failure.stage.value} with {failure.executing}: "
        f"{scrub(str(failure.error))}"
    ) from failure.error


def _message(record: Record) -> str:
    if isinstance(record, SinkRecord):
        stamp = (
            f", timestamp={record.timestamp}, timestampType={record.timestamp_type.value}"
            if record.timestamp is not None
            else ""
        )
        place = f"topic='{record.original_topic}', partition={record.original_partition}"
        return f", where consumed record is {{{place}, offset={record.original_offset}{stamp}}}"
    return f", where source record is = {record}"

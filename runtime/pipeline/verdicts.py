"""What the pipeline says about records; the task carries it out."""

from dataclasses import dataclass, field
from enum import Enum

from runtime.data import Record, RecordBatch


class Stage(Enum):
    """Where in its life a record failed (contract 6.1)."""

    TASK_POLL = "TASK_POLL"
    TASK_PUT = "TASK_PUT"
    TRANSFORMATION = "TRANSFORMATION"
    KEY_CONVERTER = "KEY_CONVERTER"
    VALUE_CONVERTER = "VALUE_CONVERTER"
    HEADER_CONVERTER = "HEADER_CONVERTER"
    KAFKA_PRODUCE = "KAFKA_PRODUCE"
    KAFKA_CONSUME = "KAFKA_CONSUME"


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that did not make it through a stage, after all its retries."""

    index: int
    """Its place in the batch that came in."""
    stage: Stage
    executing: str
    """Class name of the converter or transform."""
    error: Exception
    record: Record | None = None
    """The record as it entered the stage."""


@dataclass(slots=True)
class Counts:
    """Counters of one task's errors (contract 6.4)."""

    failures: int = 0
    """Failed attempts, retries included."""
    errors: int = 0
    """Records that ended in an error."""
    skipped: int = 0
    retries: int = 0
    logged: int = 0
    last_error_ms: int = 0


@dataclass(slots=True)
class Outcome:
    """What came out of the chain for one batch."""

    batch: RecordBatch
    """The records that made it."""
    kept: list[int] | None
    """Their places in the batch that came in; None when all made it."""
    failures: list[Failure] = field(default_factory=list)
    """Those that did not, in the order of the batch that came in; to be reported."""
    halt: Failure | None = None
    """The failure, last of :attr:`failures`, that the task must stop for. ``batch`` holds what came before it."""

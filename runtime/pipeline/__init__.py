"""The record path without I/O: stages in a chain, and verdicts on the records that fail in one."""

from runtime.pipeline.chain import Chain, Converters, SinkChain, SourceChain, TransformStep
from runtime.pipeline.policy import ErrorPolicy, Tolerance
from runtime.pipeline.verdicts import Failure, Outcome, Stage

__all__ = [
    "Chain",
    "Converters",
    "ErrorPolicy",
    "Failure",
    "Outcome",
    "SinkChain",
    "SourceChain",
    "Stage",
    "Tolerance",
    "TransformStep",
]

"""
What a worker and a task host say to each other: length-prefixed msgpack over a socket pair.

Orders and questions go down, reports and questions about offsets go up, each question with a number that its answer
carries. Never a record. The protocol names no language: a host may as well be a JVM.
"""

import struct
from typing import Any, Final, TypeAlias

import msgspec

Config: TypeAlias = dict[str, str | None]
Flat: TypeAlias = dict[str, Any]


class _Message(msgspec.Struct, tag=True, kw_only=True):
    """Tagged with its class name on the wire."""


# Orders and questions to a host.


class Hello(_Message):
    """First of all: what every task of this worker shares."""

    worker: dict[str, str]
    """The worker's configuration, as in its properties file."""
    log_level: str = "INFO"
    log_style: str = "text"


class StartConnector(_Message):
    """Construct and, unless it is to be paused, start a connector. Answer: :class:`Plugin`."""

    name: str
    config: Config
    target: str
    epoch: int


class StopConnector(_Message):
    """Stop a connector and forget it. Answer: None."""

    name: str


class TargetConnector(_Message):
    """Pause, resume or stop a connector that stays. Answer: the state it is in then."""

    name: str
    target: str


class TaskConfigs(_Message):
    """Ask a connector for its task configurations. Answer: list of Config, references put back."""

    name: str


class StartTask(_Message):
    """Start a task; its reports carry *epoch*. Answer: :class:`Plugin`."""

    connector: str
    index: int
    epoch: int
    connector_config: Config
    task_config: Config
    target: str


class StopTask(_Message):
    """Stop a task; give it up after *patience* seconds. Answer: whether it ended in time."""

    connector: str
    index: int
    patience: float


class TargetTask(_Message):
    """Pause or resume a task. Answer: None."""

    connector: str
    index: int
    target: str


class ListPlugins(_Message):
    """What can run here? Answer: list of :class:`Plugin`."""


class DescribePlugin(_Message):
    """Which keys does a plugin take? Answer: list of definition objects as REST shows them, None if unknown."""

    name: str
    version: str | None = None


class Validate(_Message):
    """Is this configuration right? Answer: the body of a validate reply."""

    config: Config
    check_class: bool = True


# Reports from a host.


class Reported(_Message):
    """A connector (*index* None) or task has a new state."""

    connector: str
    index: int | None
    epoch: int
    state: str
    trace: str | None = None
    version: str | None = None
    """The plugin's."""


class TopicUsed(_Message):
    """A task has used a topic for the first time."""

    connector: str
    index: int
    topic: str


class Reconfigure(_Message):
    """A connector wants its task configurations asked for again."""

    connector: str


# Questions from a host.


class ReadOffsets(_Message):
    """Committed source offsets. Answer: list of Flat or None."""

    connector: str
    partitions: list[Flat]


class WriteOffsets(_Message):
    """Commit source offsets durably. Answer: None."""

    connector: str
    offsets: list[tuple[Flat, Flat | None]]


# Answers.


class Plugin(_Message):
    """One plugin, as ``/connector-plugins`` lists it."""

    name: str
    kind: str
    version: str | None = None


class Failed(_Message):
    """The question could not be answered."""

    kind: str
    """``config``, ``unknown``, ``retriable``, ``data`` or ``error``: what the asker should do."""
    message: str
    trace: str | None = None


Body: TypeAlias = (
    Hello
    | StartConnector
    | StopConnector
    | TargetConnector
    | TaskConfigs
    | StartTask
    | StopTask
    | TargetTask
    | ListPlugins
    | DescribePlugin
    | Validate
    | Reported
    | TopicUsed
    | Reconfigure
    | ReadOffsets
    | WriteOffsets
    | Plugin
    | Failed
)


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """One message on the wire."""

    ask: int = 0
    """The number of a question; 0 where no answer is wanted."""
    answer: int = 0
    """The number of the question this answers."""
    body: Body | None = None
    """An order, question, report, or the failure that answers one."""
    result: Any = None
    """The answer, of plain values, where it is not a failure."""


_LENGTH: Final = struct.Struct(">I")
HEAD: Final = _LENGTH.size
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Envelope)


def packed(envelope: Envelope) -> bytes:
    """The envelope as it goes over the wire, length first."""
    body = _encoder.encode(envelope)
    return _LENGTH.pack(len(body)) + body


def length(head: bytes) -> int:
    """How many bytes follow *head*."""
    (size,) = _LENGTH.unpack(head)
    return int(size)


def unpacked(body: bytes) -> Envelope:
    """The envelope that *body* holds. Raises msgspec.DecodeError."""
    return _decoder.decode(body)


class HostFault(Exception):
    """A question that was answered with :class:`Failed`."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message)
        self.kind = failed.kind
        self.trace = failed.trace


class HostGone(Exception):
    """The other side is not there any more."""

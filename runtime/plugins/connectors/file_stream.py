"""
Lines of a file as records, and records as lines of a file (contract 13): for demonstrations, tests and small jobs.

Where we differ from Connect on purpose:

- A position counts *bytes*. Connect counts the characters it has read and then skips that many bytes, so it resumes
  in the wrong place after text that is not ASCII; for ASCII the positions are the same.
- Lines that did not fit into one batch come with the next one at once. Connect keeps them until the file grows.
- A file that became shorter than what was read of it, or was replaced by another under its name, is read from its
  start. Connect waits for it to grow past the old position, or never sees the new one.
- A sink's line that cannot be written fails the task. Connect loses it silently.
"""

import errno
import os
import re
import select
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from time import time_ns
from typing import Any, Final

import structlog

from runtime.plugins.version import VERSION
from runtime.sdk import (
    STRING,
    Column,
    Computed,
    ConfigDef,
    ConnectError,
    Constant,
    ExactlyOnceSupport,
    Importance,
    Key,
    RecordBatch,
    Schema,
    SinkConnector,
    SinkRecord,
    SinkTask,
    SourceConnector,
    SourceOffset,
    SourcePartition,
    SourceTask,
    Task,
    TopicPartition,
    Type,
    non_empty,
    text_of,
)

log = structlog.stdlib.get_logger(__name__)

_CHUNK: Final = 512 * 1024
"""Bytes read at once. A few thousand lines; more would only wait in memory."""
_WAIT: Final = 1.0
"""Seconds to wait for a file to appear or to grow."""
_GLANCE: Final = 0.1
"""Seconds between looks at standard input, which nothing can wake us from."""
_VALUE_SCHEMA: Final[Constant[Schema | None]] = Constant(STRING)
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


class FileStreamSourceConnector(SourceConnector):
    """Reads lines of a file, or of standard input, into a topic; one task."""

    version = VERSION
    config_def = ConfigDef(
        Key(
            "file",
            Type.STRING,
            default=None,
            importance=Importance.HIGH,
            doc="The file to read, and to follow as it grows; standard input when it is left out.",
        ),
        Key(
            "topic",
            Type.STRING,
            validator=non_empty,
            importance=Importance.HIGH,
            doc="The topic to write lines to.",
        ),
        Key(
            "batch.size",
            Type.INT,
            default=2000,
            importance=Importance.LOW,
            doc="The most lines to hand over at once.",
        ),
    )

    def start(self, config: Mapping[str, str]) -> None:
        """Take the configuration."""
        parsed = self.config_def.parse(config)
        log.info("file_stream_source.started", file=parsed["file"] or "stdin", topic=parsed["topic"])
        self._config = dict(config)

    def task_class(self) -> type[Task]:
        """The task that reads."""
        return FileStreamSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        """One task: a file has one reader."""
        return [self._config]

    def exactly_once_support(self, config: Mapping[str, str]) -> ExactlyOnceSupport | None:
        """With a file, whose position can be kept; standard input has none."""
        named = self.config_def.parse(config)["file"]
        return ExactlyOnceSupport.SUPPORTED if named else ExactlyOnceSupport.UNSUPPORTED

    def alter_offsets(
        self, config: Mapping[str, str], offsets: Sequence[tuple[SourcePartition, SourceOffset | None]]
    ) -> bool:
        """Check that each offset is a position in a file."""
        if not config.get("file"):
            raise ConnectError(
                "Offsets cannot be modified if the 'file' configuration is unspecified. "
                "This is because stdin is used for input and offsets are not tracked."
            )
        for partition, offset in offsets:
            if offset is None:
                continue  # whatever the partition is: people must be able to remove what should not be there
            if "position" not in offset:
                raise ConnectError("Offset objects should either be null or contain the key 'position'")
            position = offset["position"]
            if not isinstance(position, int) or isinstance(position, bool):
                raise ConnectError("The value for the 'position' key in the offset is expected to be a Long value")
            if position < 0:
                raise ConnectError("The value for the 'position' key in the offset should be a non-negative value")
            if "filename" not in partition:
                raise ConnectError("Partition objects should contain the key 'filename'")
        return True


class _Lines:
    """Complete lines out of one chunk, and where in the file each one ends, should anybody ask."""

    def __init__(self, data: bytes, start: int | None) -> None:
        self.end = None if start is None else start + len(data)
        self._data = data
        self._start = start
        self._ends: list[int] | None = None
        text = data.decode("utf-8", "replace")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.texts = text.split("\n")
        self.texts.pop()  # behind the last line end there is nothing

    def position(self, index: int) -> int | None:
        """The position behind line *index*."""
        if self._start is None or index == len(self.texts) - 1:
            return self.end
        if self._ends is None:
            if b"\r" in self._data:
                self._ends = [self._start + match.end() for match in _LINE_END.finditer(self._data)]
            else:
                self._ends = list(accumulate((len(line) + 1 for line in self._data.split(b"\n")), initial=self._start))
                del self._ends[0]
        return self._ends[index]


class FileStreamSourceTask(SourceTask):
    """Follows one file, or standard input."""

    version = VERSION
    _file: str | None = None
    _fd: int | None = None

    def start(self, config: Mapping[str, str]) -> None:
        """Take the configuration; the file is opened when it is there."""
        parsed = FileStreamSourceConnector.config_def.parse(config)
        self._file = parsed["file"] or None
        self._topic = Constant(str(parsed["topic"]))
        self._batch_size = max(1, int(parsed["batch.size"]))
        self._partition: Constant[SourcePartition | None] = Constant({"filename": self._file})
        self._position: int | None = None
        """Bytes handed out as lines; None for standard input."""
        self._rest = bytearray()
        """Bytes read behind that, not yet known to be a line."""
        self._ready: _Lines | None = None
        self._given = 0
        self._said_missing = False
        if self._file is None:
            self._fd = sys.stdin.fileno()

    def stop(self) -> None:
        """Close the file."""
        if self._file is not None and self._fd is not None:
            os.close(self._fd)
        self._fd = None

    def poll(self) -> RecordBatch | None:
        """The next lines; waits up to a second for some."""
        if self._ready is None and not self._read():
            return None
        lines = self._ready
        assert lines is not None
        first, last = self._given, min(self._given + self._batch_size, len(lines.texts))
        if last == len(lines.texts):
            self._ready = None
        self._given = last
        whole = first == 0 and self._ready is None
        return RecordBatch(
            count=last - first,
            topic=self._topic,
            value_schema=_VALUE_SCHEMA,
            value=lines.texts if whole else lines.texts[first:last],
            timestamp=Constant(time_ns() // 1_000_000),
            source_partition=self._partition,
            source_offset=Computed(last - first, _offset_at(lines), first),
        )

    def _read(self) -> bool:
        """Fill ``_ready``; False when there is nothing yet, after having waited."""
        if self._fd is None and not self._open():
            self.context.stopping.nap(_WAIT)
            return False
        assert self._fd is not None
        if self._file is None and not select.select([self._fd], [], [], 0)[0]:
            self.context.stopping.nap(_GLANCE)
            return False
        try:
            data = os.read(self._fd, _CHUNK)
        except OSError as err:
            raise ConnectError(f"Cannot read {self._file or 'standard input'}: {err.strerror}") from err
        if not data:
            if not self._moved():
                self.context.stopping.nap(_WAIT)
            return False
        if self._rest.endswith(b"\r"):  # held back until now, when what follows it is known
            del self._rest[-1:]
            data = b"\r" + data
        cut = _last_line_end(data)
        if not cut:
            self._rest += data
            return False
        complete = bytes(self._rest) + data[:cut] if self._rest else data[:cut]
        self._rest[:] = data[cut:]
        self._hand_out(complete)
        return True

    def _hand_out(self, complete: bytes) -> None:
        self._ready = _Lines(complete, self._position)
        self._position = self._ready.end
        self._given = 0

    def _open(self) -> bool:
        assert self._file is not None
        try:
            fd = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            if not self._said_missing:
                log.warning("file_stream_source.missing", file=self._file, hint="it is read when it appears")
                self._said_missing = True
            return False
        except OSError as err:
            raise ConnectError(f"Cannot open {self._file}: {err.strerror}") from err
        self._fd = fd
        self._said_missing = False
        self._position = self._stored_position() if self._position is None else 0
        there = os.fstat(fd)
        if not stat.S_ISREG(there.st_mode):
            return True  # a pipe or a device goes on from where it is
        if self._position > there.st_size:
            log.warning("file_stream_source.shorter", file=self._file, position=self._position, size=there.st_size)
            self._position = 0
        os.lseek(fd, self._position, os.SEEK_SET)
        return True

    def _stored_position(self) -> int:
        (offset,) = self.context.offsets.offsets([{"filename": self._file}])
        position = offset.get("position") if offset is not None else None
        if position is None:
            return 0
        if not isinstance(position, int) or isinstance(position, bool):
            raise ConnectError("Offset position is the incorrect type")
        return position

    def _moved(self) -> bool:
        """At the end of the file: whether it was truncated or replaced, so that there is more to read."""
        if self._file is None or self._fd is None or self._position is None:
            return False
        ours = os.fstat(self._fd)
        if not stat.S_ISREG(ours.st_mode):
            return False
        if ours.st_size < self._position + len(self._rest):
            log.warning("file_stream_source.truncated", file=self._file, position=self._position, size=ours.st_size)
            os.lseek(self._fd, 0, os.SEEK_SET)
            self._position = 0
            self._rest.clear()
            return True
        try:
            named = os.stat(self._file)
        except OSError:
            return False
        if (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino):
            return False
        log.warning("file_stream_source.replaced", file=self._file, position=self._position)
        os.close(self._fd)
        self._fd = None
        self._rest.clear()
        return True


def _offset_at(lines: _Lines) -> Callable[[int], SourceOffset | None]:
    return lambda index: {"position": lines.position(index)}


def _last_line_end(data: bytes) -> int:
    """How many bytes of *data* are complete lines; a last \\r may yet become \\r\\n and is held back."""
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1


class FileStreamSinkConnector(SinkConnector):
    """Appends the text form of values to a file, or to standard output, a line each."""

    version = VERSION
    config_def = ConfigDef(
        Key(
            "file",
            Type.STRING,
            default=None,
            importance=Importance.HIGH,
            doc="The file to append to, created where it is missing; standard output when it is left out.",
        )
    )

    def start(self, config: Mapping[str, str]) -> None:
        """Take the configuration."""
        self.config_def.parse(config)
        self._config = dict(config)

    def task_class(self) -> type[Task]:
        """The task that writes."""
        return FileStreamSinkTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        """As many tasks as wanted; each appends whole batches, so lines do not mix."""
        return [dict(self._config) for _ in range(max_tasks)]

    def alter_offsets(self, config: Mapping[str, str], offsets: Mapping[TopicPartition, int | None]) -> bool:
        """Nothing is kept beside Kafka's own offsets, so any will do."""
        return True


class FileStreamSinkTask(SinkTask):
    """Appends to one file."""

    version = VERSION
    _file: str | None = None
    _fd: int | None = None

    def start(self, config: Mapping[str, str]) -> None:
        """Open the file for appending."""
        self._file = FileStreamSinkConnector.config_def.parse(config)["file"] or None
        if self._file is None:
            self._fd = sys.stdout.fileno()
            return
        try:
            self._fd = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as err:
            raise ConnectError(
                f"Couldn't find or create file '{self._file}' for FileStreamSinkTask: {_reason(self._file, err)}"
            ) from err

    def stop(self) -> None:
        """Close the file."""
        if self._file is not None and self._fd is not None:
            os.close(self._fd)
        self._fd = None

    def put(self, records: Sequence[SinkRecord]) -> None:
        """Append the records' values."""
        self._append("".join([text_of(record.value_schema, record.value) + "\n" for record in records]))

    def put_batch(self, batch: RecordBatch) -> None:
        """Append the batch's values in one write."""
        if not batch.count:
            return
        self._append("\n".join(_texts(batch)) + "\n")

    def flush(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Have the disk take what was written."""
        if self._fd is None:
            return
        try:
            os.fdatasync(self._fd)
        except OSError as err:
            if err.errno not in (errno.EINVAL, errno.ENOTSUP):  # a terminal or a pipe: there is no disk
                raise ConnectError(f"Cannot flush {self._name}: {err.strerror}") from err

    @property
    def _name(self) -> str:
        return f"file '{self._file}'" if self._file is not None else "standard output"

    def _append(self, text: str) -> None:
        assert self._fd is not None
        rest = memoryview(text.encode("utf-8", "replace"))
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError as err:
            raise ConnectError(f"Cannot write to {self._name}: {err.strerror}") from err


def _texts(batch: RecordBatch) -> list[str]:
    values: Column[Any] = batch.value
    if isinstance(values, Constant):
        schema = batch.value_schema.value if isinstance(batch.value_schema, Constant) else None
        if isinstance(batch.value_schema, Constant):
            return [text_of(schema, values.value)] * batch.count
        return [text_of(each, values.value) for each in batch.value_schema]
    if {*map(type, values)} == {str}:
        return list(values) if not isinstance(values, list) else values
    if isinstance(batch.value_schema, Constant):
        shared = batch.value_schema.value
        return [text_of(shared, value) for value in values]
    return [text_of(schema, value) for schema, value in zip(batch.value_schema, values, strict=True)]


def _reason(file: str, err: OSError) -> str:
    folder = Path(file).parent
    if err.errno == errno.ENOENT and not folder.exists():
        return f"the folder {folder} does not exist"
    return err.strerror or str(err)

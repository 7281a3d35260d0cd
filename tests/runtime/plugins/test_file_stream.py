"""File source and sink: every line once, in order, and resumed where it was left (contract 13, 14.6 row 90)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.data import INT32, OPTIONAL_STRING, STRING, ConnectError, Constant, RecordBatch, SinkRecord, struct
from runtime.plugins.connectors import file_stream
from runtime.plugins.connectors.file_stream import (
    FileStreamSinkConnector,
    FileStreamSinkTask,
    FileStreamSourceConnector,
    FileStreamSourceTask,
)
from runtime.sdk import ConfigError, ExactlyOnceSupport, TopicPartition
from tests.runtime.plugins.contexts import Offsets, SinkContext, SourceContext


class Reading:
    """A source task on a file, and what came out of it."""

    def __init__(self, file: Path, offsets: Offsets | None = None, **config: str) -> None:
        self.file = file
        self.offsets = offsets or Offsets()
        self.task = FileStreamSourceTask()
        self.task.initialize(SourceContext(self.offsets))
        self.task.start({"file": str(file), "topic": "lines", **{k.replace("_", "."): v for k, v in config.items()}})

    def append(self, data: bytes) -> None:
        with self.file.open("ab") as out:
            out.write(data)

    def poll(self) -> list[tuple[str, int]]:
        """The next lines with the positions behind them."""
        batch = self.task.poll()
        if batch is None:
            return []
        return [(row.value, row.source_offset["position"]) for row in batch.rows()]  # type: ignore[attr-defined]

    def drain(self) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        idle = 0
        while idle < 20:  # a poll that read part of a line gives nothing
            got = self.poll()
            found += got
            idle = 0 if got else idle + 1
        return found


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    made = Reading(tmp_path / "in.txt")
    made.file.touch()
    yield made
    made.task.stop()


def test_positions_are_those_of_connect(reading: Reading) -> None:
    """Upstream's own example, character for character."""
    reading.append(b"partial line")
    assert [] == reading.drain()
    reading.append(b" finished\n")
    assert [("partial line finished", 22)] == reading.drain()
    reading.append(b"line1\rline2\r\nline3\nline4\n\r")
    assert [("line1", 28), ("line2", 35), ("line3", 41), ("line4", 47)] == reading.drain()
    reading.append(b"x")
    assert [("", 48)] == reading.drain()
    reading.append(b"\n")
    assert [("x", 50)] == reading.drain()


def test_a_held_back_return_may_become_a_windows_line_end(reading: Reading) -> None:
    reading.append(b"a\r")
    assert [] == reading.drain()
    reading.append(b"\nb\n")
    assert [("a", 3), ("b", 5)] == reading.drain()


def test_records(reading: Reading) -> None:
    """Topic, schema and partition are one value for the batch; the timestamp is now."""
    reading.append(b"a\nb\n")
    batch = reading.task.poll()
    assert batch is not None
    assert Constant("lines") == batch.topic
    assert Constant(STRING) == batch.value_schema
    assert Constant({"filename": str(reading.file)}) == batch.source_partition
    assert isinstance(batch.timestamp, Constant)
    assert {"position": 4} == batch.source_offset[1]  # type: ignore[index]
    assert {"position": 2} == batch.source_offset[0]  # type: ignore[index]
    assert [{"position": 2}] == list(batch.slice(0, 1).source_offset)  # type: ignore[call-overload]
    assert [{"position": 4}] == list(batch.take([1]).source_offset)  # type: ignore[call-overload]


def test_batch_size_bounds_a_batch(tmp_path: Path) -> None:
    """Lines that do not fit come with the next batch, without waiting for the file to grow."""
    reading = Reading(tmp_path / "in.txt", batch_size="2")
    reading.append(b"".join(b"%d\n" % i for i in range(5)))
    assert [("0", 2), ("1", 4)] == reading.poll()
    assert [("2", 6), ("3", 8)] == reading.poll()
    assert [("4", 10)] == reading.poll()
    assert [] == reading.poll()
    reading.task.stop()


def test_resumes_behind_text_that_is_not_ascii(tmp_path: Path) -> None:
    """Positions count bytes, so nothing is lost or read twice."""
    offsets = Offsets()
    first = Reading(tmp_path / "in.txt", offsets)
    first.append("ä😀\nzwei\n".encode())
    (line, position), _ = first.drain()
    assert "ä😀" == line
    offsets.commit({"filename": str(first.file)}, {"position": position})
    first.task.stop()
    again = Reading(tmp_path / "in.txt", offsets)
    assert ["zwei"] == [text for text, _ in again.drain()]
    again.task.stop()


def test_a_missing_file_is_waited_for(tmp_path: Path) -> None:
    reading = Reading(tmp_path / "later.txt")
    assert reading.task.poll() is None
    reading.append(b"here\n")
    assert [("here", 5)] == reading.drain()
    reading.task.stop()


def test_a_truncated_file_is_read_from_its_start(reading: Reading) -> None:
    reading.append(b"old line\n")
    reading.drain()
    reading.file.write_bytes(b"new\n")
    assert [("new", 4)] == reading.drain()


def test_a_replaced_file_is_read_from_its_start(reading: Reading, tmp_path: Path) -> None:
    """What was still unread of the old one comes first."""
    reading.append(b"old 1\n")
    reading.drain()
    reading.append(b"old 2\n")
    other = tmp_path / "other"
    other.write_bytes(b"a longer line than before\n")
    other.rename(reading.file)
    assert ["old 2", "a longer line than before"] == [text for text, _ in reading.drain()]


def test_an_offset_behind_the_end_starts_again(tmp_path: Path) -> None:
    offsets = Offsets()
    file = tmp_path / "in.txt"
    file.write_bytes(b"abc\n")
    offsets.commit({"filename": str(file)}, {"position": 99})
    reading = Reading(file, offsets)
    assert [("abc", 4)] == reading.drain()
    reading.task.stop()


def test_an_offset_that_is_none_is_refused(tmp_path: Path) -> None:
    offsets = Offsets()
    file = tmp_path / "in.txt"
    file.touch()
    offsets.commit({"filename": str(file)}, {"position": "7"})
    with pytest.raises(ConnectError, match="incorrect type"):
        Reading(file, offsets).poll()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match="Is a directory"):
        Reading(tmp_path).poll()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["a", "é", "😀", "\n", "\r", "\r\n", "x" * 40, "\u2028", "\x0b"]), max_size=30),
    st.lists(st.integers(0, 200), max_size=4),
    st.integers(1, 5),
)
def test_lines_however_they_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: list[str], cuts: list[int], size: int
) -> None:
    """However a file grows, its lines come once, and each position leads to the lines behind it."""
    monkeypatch.setattr(file_stream, "_CHUNK", 16)
    data = "".join(parts).encode()
    file = tmp_path / f"{os.urandom(4).hex()}.txt"
    file.touch()
    reading = Reading(file, batch_size=str(size))
    found: list[tuple[str, int]] = []
    start = 0
    for cut in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        reading.append(data[start:cut])
        start = cut
        found += reading.drain()
    reading.task.stop()
    complete = data.removesuffix(b"\r")
    lines = complete.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]
    assert [line.decode("utf-8", "replace") for line in lines] == [text for text, _ in found]
    for index, (_, position) in enumerate(found):
        rest = complete[position:].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]
        assert lines[index + 1 :] == rest


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file there is no position to go back to."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as pipe, os.fdopen(write, "wb", buffering=0) as out:
        monkeypatch.setattr("sys.stdin", pipe)
        task = FileStreamSourceTask()
        task.initialize(SourceContext())
        task.start({"topic": "t"})
        assert task.poll() is None
        out.write(b"a\nb\n")
        batch = task.poll()
        assert batch is not None
        assert ["a", "b"] == batch.value
        assert [{"position": None}] * 2 == list(batch.source_offset)  # type: ignore[call-overload]
        task.stop()


def test_source_connector(tmp_path: Path) -> None:
    connector = FileStreamSourceConnector()
    config = {"topic": "t", "file": str(tmp_path / "x"), "name": "n"}
    connector.start(config)
    assert [config] == connector.task_configs(5)
    assert ExactlyOnceSupport.SUPPORTED is connector.exactly_once_support(config)
    assert ExactlyOnceSupport.UNSUPPORTED is connector.exactly_once_support({"topic": "t"})
    with pytest.raises(ConfigError, match="topic"):
        connector.start({})


@pytest.mark.parametrize(
    ("offset", "says"),
    [
        ({}, "contain the key 'position'"),
        ({"position": "1"}, "expected to be a Long"),
        ({"position": True}, "expected to be a Long"),
        ({"position": -1}, "non-negative"),
    ],
)
def test_offsets_that_make_no_sense_are_refused(offset: dict[str, Any], says: str) -> None:
    connector = FileStreamSourceConnector()
    with pytest.raises(ConnectError, match=says):
        connector.alter_offsets({"file": "x"}, [({"filename": "x"}, offset)])


def test_offsets_that_make_sense() -> None:
    connector = FileStreamSourceConnector()
    assert connector.alter_offsets({"file": "x"}, [({"filename": "x"}, {"position": 0}), ({"other": 1}, None)])
    with pytest.raises(ConnectError, match="filename"):
        connector.alter_offsets({"file": "x"}, [({}, {"position": 0})])
    with pytest.raises(ConnectError, match="stdin"):
        connector.alter_offsets({}, [])


# Sink


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[FileStreamSinkTask]:
    task = FileStreamSinkTask()
    task.initialize(SinkContext())  # type: ignore[arg-type]
    task.start({"file": str(tmp_path / "out.txt")})
    yield task
    task.stop()


def test_sink_appends_text_forms(sink: FileStreamSinkTask, tmp_path: Path) -> None:
    schema = struct({"a": INT32, "b": OPTIONAL_STRING})
    out = tmp_path / "out.txt"
    values = ["line", "é", None, 7, 1e10, {"k": "v", "k2": "v2"}, True]
    sink.put_batch(RecordBatch(count=7, topic=Constant("t"), value=values))
    sink.put_batch(
        RecordBatch(count=1, topic=Constant("t"), value_schema=Constant(schema), value=[{"a": 1, "b": None}])
    )
    sink.put_batch(RecordBatch(count=2, topic=Constant("t"), value=Constant("same")))
    sink.put_batch(RecordBatch(count=0, topic=Constant("t"), value=[]))
    sink.put([SinkRecord(topic="t", value="by record")])
    sink.flush({TopicPartition("t", 0): 1})
    text = "line\né\nnull\n7\n1.0E10\n{k=v, k2=v2}\ntrue\nStruct{a=1}\nsame\nsame\nby record\n"
    assert text == out.read_text("utf-8")


@given(st.lists(st.one_of(st.none(), st.text(), st.integers(), st.booleans()), min_size=1))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sink_batches_and_records_agree(tmp_path: Path, values: list[Any]) -> None:
    rows = [SinkRecord(topic="t", value=value) for value in values]
    texts: list[bytes] = []
    for form in ("batch", "record"):
        file = tmp_path / f"{form}-{os.urandom(4).hex()}"
        task = FileStreamSinkTask()
        task.start({"file": str(file)})
        if form == "batch":
            task.put_batch(RecordBatch.of(rows))
        else:
            task.put(rows)
        task.stop()
        texts.append(file.read_bytes())
    assert texts[0] == texts[1]


def test_sink_says_why_it_cannot_write(tmp_path: Path) -> None:
    """The message names the file and the reason."""
    task = FileStreamSinkTask()
    with pytest.raises(ConnectError, match=r"out\.txt.*the folder .*none.* does not exist"):
        task.start({"file": str(tmp_path / "none" / "out.txt")})
    task.stop()
    with pytest.raises(ConnectError, match="Is a directory"):
        task.start({"file": str(tmp_path)})


def test_sink_notices_a_full_disk() -> None:
    """A line that could not be written is an error, not a line lost."""
    task = FileStreamSinkTask()
    task.start({"file": "/dev/full"})
    with pytest.raises(ConnectError, match="No space left"):
        task.put([SinkRecord(topic="t", value="x")])
    task.stop()


def test_sink_writes_to_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    task = FileStreamSinkTask()
    task.start({})
    task.put_batch(RecordBatch(count=1, topic=Constant("t"), value=["to the screen"]))
    task.flush({})
    task.stop()
    assert "to the screen\n" == capfd.readouterr().out


def test_sink_connector() -> None:
    connector = FileStreamSinkConnector()
    connector.start({"file": "x"})
    assert [{"file": "x"}] * 3 == connector.task_configs(3)
    assert connector.alter_offsets({}, {TopicPartition("t", 0): None})

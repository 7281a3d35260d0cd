"""200,000 lines on their way through a file source, a topic and a file sink, slow enough to be caught in the middle."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.worlds.broker import Broker, fresh
from tests.worlds.rest import create, deleted_after, until
from tests.worlds.tidegate_worker import TidegateWorker, alive
from tests.worlds.waiting import wait_until

COUNT = 200_000
WIDTH = len("line 0000000\n")
"""Bytes of every line, so that a position in the file says how many lines stand before it."""

WORKER = {"offset.flush.interval.ms": "200", "host.processes": "2"}
"""Commits often, and gives source and sink a host each: the first takes an idle host, the second asks for its own."""

_SOURCE = {
    "connector.class": "FileStreamSource",
    "batch.size": "500",
    # So few records under way, each for so long: about 50,000 lines a second.
    "producer.override.linger.ms": "20",
    "producer.override.queue.buffering.max.messages": "1000",
}
_SINK = {
    "connector.class": "FileStreamSink",
    # The group keeps a place for a member that was killed until its session has ended; 6 s is the least brokers allow.
    "consumer.override.session.timeout.ms": "6000",
}


class Move:
    """One file, topic and copy, and what is known of how far the lines have come."""

    def __init__(self, broker: Broker, worker: TidegateWorker, home: Path) -> None:
        self.broker = broker
        self.worker = worker
        self.file, self.copy = home / "in.txt", home / "out.txt"
        self.lines = [f"line {number:07d}" for number in range(COUNT)]
        self.file.write_text("".join(f"{line}\n" for line in self.lines))
        assert COUNT * WIDTH == self.file.stat().st_size
        self.topic = broker.fresh_topic("crash", retention_ms="-1")
        self.source, self.sink = fresh("in"), fresh("out")

    def produced(self) -> int:
        """Records in the topic, twice sent ones included."""
        return self.broker.count(self.topic)

    def written(self) -> int:
        """About how many lines the copy has."""
        return self.copy.stat().st_size // WIDTH if self.copy.exists() else 0

    def read(self) -> int:
        """How many lines stand before the position that the source has committed."""
        keys = [
            json.loads(value)["position"]
            for key, value in self.broker.table(f"{self.worker.group}-offsets").items()
            if key is not None and json.loads(key)[0] == self.source
        ]
        return max(keys, default=0) // WIDTH

    def until_produced(self, count: int) -> None:
        """Wait until so many records are in the topic; they must not be all."""
        seen = wait_until(lambda: (now := self.produced()) >= count and now, 60, f"{count} records", every=0.01)
        assert seen < COUNT, "the lines were all there before anything could be killed"

    def until_written(self, count: int) -> None:
        """Wait until so many lines are in the copy."""
        wait_until(lambda: self.written() >= count, 60, f"{count} lines in the copy", every=0.01)

    def until_done(self) -> None:
        """Wait until the last line is in topic and copy, and committed."""
        wait_until(lambda: self.read() == COUNT, 90, "the source has committed the end of its file")

        def settled() -> bool:
            ends = self.broker.end_offsets(self.topic)
            return self.broker.committed(f"connect-{self.sink}", self.topic) == ends

        wait_until(settled, 90, "the sink has committed the end of the topic")

    def check(self, *, killed: int) -> None:
        """
        Every line at least once in topic and copy, in order when second comings are dropped.

        A kill may tear the line that the sink was just writing; the line itself comes again.
        """
        values = [(record.value or b"").decode() for record in self.broker.read(self.topic)]
        assert self.lines == list(dict.fromkeys(values))
        known = set(self.lines)
        copied = self.copy.read_text().splitlines()
        assert self.lines == list(dict.fromkeys(line for line in copied if line in known))
        assert len([line for line in copied if line not in known]) <= killed

    def sent_twice(self) -> set[str]:
        """The lines that are in the topic more than once."""
        seen: set[str] = set()
        twice: set[str] = set()
        for record in self.broker.read(self.topic):
            line = (record.value or b"").decode()
            (twice if line in seen else seen).add(line)
        return twice


@contextmanager
def moving(broker: Broker, worker: TidegateWorker, home: Path) -> Iterator[Move]:
    """Start moving; the connectors are deleted afterwards."""
    move = Move(broker, worker, home)
    with worker.client() as rest, deleted_after(rest, move.source, move.sink):
        create(rest, move.source, {**_SOURCE, "file": str(move.file), "topic": move.topic})
        create(rest, move.sink, {**_SINK, "file": str(move.copy), "topics": move.topic})
        running(rest, move)
        yield move


def running(rest: httpx.Client, move: Move) -> None:
    """Wait until both run."""
    for name in (move.source, move.sink):
        until(rest, name, "RUNNING", ["RUNNING"])


def gone(pids: Sequence[int]) -> None:
    """Wait until none of these processes is left."""
    wait_until(lambda: not [pid for pid in pids if alive(pid)], what=f"processes {pids} are gone")

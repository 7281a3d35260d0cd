"""
A broker for the laptop: the one a Python package ships, started, watched and ended by us.

It is there so that ``tidegate up`` and the demo need no Java and no Docker. It makes no promise about the last
second before a crash (docs/embedded-broker.md has what it can and cannot do, each with the test that shows it);
everything that makes a promise is tested on Apache Kafka. What clients must know of it, they learn from their own
settings: nothing here is asked once it runs.
"""

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import signal
import struct
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from runtime.foundation import children, logs
from runtime.foundation.backoff import Backoff
from runtime.foundation.ports import free_ports
from runtime.foundation.stopping import Stopping
from runtime.kafka.errors import KafkaFault

log = logs.get(__name__)

_HOST = "127.0.0.1"
_LOOK_EVERY = 0.02
"""Seconds between two looks whether a starting broker answers. It takes about fifty milliseconds when new."""
_BACKOFF = Backoff(first=0.1, most=10.0)
"""It is on this machine and nobody else's: trying again soon disturbs nobody."""
_HANDOVER = 10.0
"""Seconds a predecessor gets to finish writing its data, when its parent was killed a moment ago."""
_HARMLESS = "weak version `GLIBC_"
"""The dynamic linker says this of a symbol the program can do without, on every start on an older glibc."""


class EmbeddedMissing(KafkaFault):
    """The package that ships the broker is not installed here."""


class EmbeddedBrokerFailed(KafkaFault):
    """The broker did not start; the message has its own words."""


class EmbeddedBroker:
    """
    One broker on loopback with its data in *data_dir*, for as long as the ``async with`` block lasts.

    A broker that dies is started again on the same port and data; clients see a short outage. It ends with this
    process, however this process ends. Enter the block on the thread that lives as long as the process (the one that
    runs ``asyncio.run`` in the main program): the kernel ends a child with the *thread* that started it.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        start_within: float = 60.0,
        patience: float = 30.0,
        backoff: Backoff = _BACKOFF,
    ) -> None:
        """
        *start_within* and *patience* are the seconds it may take to answer, and to end when asked. Both grow with
        the data: it reads all of it at the start and writes all of it at the end (about 3 s per million records).
        """
        self._data_dir = data_dir
        self._port = free_ports()[0] if port is None else port
        self._start_within = start_within
        self._patience = patience
        self._backoff = backoff
        self._stopping = Stopping()
        self._watch: asyncio.TaskGroup | None = None
        self._run: _Run | None = None
        self._claim = -1

    @property
    def bootstrap_servers(self) -> str:
        """Where clients find it, the same before and after a restart."""
        return f"{_HOST}:{self._port}"

    @property
    def pid(self) -> int:
        """Its process, for those who watch resources and for tests that take it away."""
        assert self._run is not None, "not started"
        return self._run.process.pid

    async def __aenter__(self) -> Self:
        """
        Start it, and return when it answers.

        Raises EmbeddedMissing when the extra is not installed, EmbeddedBrokerFailed when it cannot start: its port
        is taken, its data belong to a running broker or cannot be read.
        """
        program = _program()
        self._claim = await self._claimed()
        try:
            run = self._start(program)
            try:
                if not await self._answers(run):
                    raise EmbeddedBrokerFailed(self._complaint(run))
            except BaseException:
                await self._end(run)
                raise
        except BaseException:
            os.close(self._claim)
            raise
        self._watch = await asyncio.TaskGroup().__aenter__()
        self._watch.create_task(self._supervise(program, run), name="supervisor of the embedded broker")
        log.info("embedded.broker.started", bootstrap_servers=self.bootstrap_servers, data_dir=str(self._data_dir))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        assert self._watch is not None
        assert self._run is not None
        try:
            await self._end(self._run)
        finally:
            await self._watch.__aexit__(kind, error, trace)
            os.close(self._claim)

    async def _claimed(self) -> int:
        """
        A lock on the data, which the child inherits: it is free when both of us are gone.

        A child whose parent was killed still writes its data, and its successor must not read them before.
        """
        self._data_dir.mkdir(parents=True, exist_ok=True)
        claim = os.open(self._data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            async with asyncio.timeout(_HANDOVER):
                while True:
                    with contextlib.suppress(BlockingIOError):
                        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        return claim
                    await self._stopping.nap(_LOOK_EVERY)
        except BaseException as gone_wrong:
            os.close(claim)
            if isinstance(gone_wrong, TimeoutError):
                raise EmbeddedBrokerFailed(
                    f"the data in {self._data_dir} belong to an embedded broker that is running; "
                    "stop the other tidegate, or give this one a folder of its own"
                ) from gone_wrong
            raise

    # -- one life ----------------------------------------------------------------------------------

    def _start(self, program: Path) -> "_Run":
        self._run = _Run(
            [
                str(program), "start", "--only", "kafka", "--host", _HOST,
                "--kafka-port", str(self._port), "--data-dir", str(self._data_dir),
            ],
            self._claim,
        )  # fmt: skip
        return self._run

    async def _answers(self, run: "_Run") -> bool:
        """Wait until it answers. False: it ended, or we are stopping, or it took too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._start_within):
                while not run.ended.done() and not self._stopping:
                    # Only a living child's answer counts: on a taken port somebody else would answer.
                    if await _speaks_kafka(self._port) and not run.ended.done():
                        return True
                    await self._stopping.nap(_LOOK_EVERY)
        return False

    async def _end(self, run: "_Run") -> None:
        """Ask it to end, insist, reap. In a thread, because it may take seconds to write its data."""
        await asyncio.to_thread(children.end, run.process, patience=self._patience)
        await run.ended

    def _complaint(self, run: "_Run") -> str:
        if not run.ended.done():
            return (
                f"the embedded broker did not answer on {self.bootstrap_servers} within {self._start_within:g} s; "
                f"with much data in {self._data_dir} it takes longer: remove what you do not need"
            )
        said = "; ".join(run.said) or f"exit code {run.ended.result()}"
        return f"the embedded broker did not start on {self.bootstrap_servers} with data in {self._data_dir}: {said}"

    # -- many lives --------------------------------------------------------------------------------

    async def _supervise(self, program: Path, run: "_Run") -> None:
        """Start it again whenever it ends without being asked to. Says so once per spell of trouble."""
        loop = asyncio.get_running_loop()
        delays: Iterator[float] | None = None
        while True:
            since = loop.time()
            code = await run.ended
            if self._stopping:
                return
            if delays is None or loop.time() - since > self._backoff.most:
                delays = self._backoff.delays()
                log.warning("embedded.broker.died", code=code, said=list(run.said), restarting=True)
            run = await self._revive(program, delays) or run
            if self._stopping:
                return
            log.info("embedded.broker.back", bootstrap_servers=self.bootstrap_servers)

    async def _revive(self, program: Path, delays: Iterator[float]) -> "_Run | None":
        """Try until it answers. None: we are stopping."""
        for delay in delays:
            # The second look matters: a stop that arrives with the end of a nap must not meet a new process.
            if await self._stopping.nap(delay) or self._stopping:
                return None
            run = self._start(program)
            if await self._answers(run):
                return run
            await self._end(run)
        raise AssertionError("delays have no end")


class _Run:
    """One process of the broker, from start to exit code."""

    words: ClassVar[int] = 10
    """Lines kept of what it said, enough for its complaint and the hint below it."""

    def __init__(self, command: list[str], claim: int) -> None:
        self.said: deque[str] = deque(maxlen=self.words)
        self.process = children.spawn(
            command,
            pass_fds=(claim,),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # When we are killed it may still write its data; the claim makes a successor wait for that.
            death=signal.SIGTERM,
        )
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[int] = loop.create_future()
        # A thread, not a loop reader: it must drain the pipe even while the loop is busy, and ends by itself at exit.
        threading.Thread(
            target=self._listen, args=(loop,), name=f"output of embedded broker {self.process.pid}", daemon=True
        ).start()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for raw in output:
                line = raw.decode(errors="replace").strip()
                if line and _HARMLESS not in line:
                    self.said.append(line)
                    log.debug("embedded.broker.says", line=line)
        code = self.process.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: whoever waited was cancelled
            loop.call_soon_threadsafe(self._over, code)

    def _over(self, code: int) -> None:
        if not self.ended.done():
            self.ended.set_result(code)


def _program() -> Path:
    """The broker's own program. The package's script would stand between us and it, and survive neither."""
    package = importlib.util.find_spec("noida_db")
    places = [] if package is None else list(package.submodule_search_locations or ())
    programs = [program for place in places if (program := Path(place) / "noida-db").is_file()]
    if not programs:
        raise EmbeddedMissing(
            "the embedded broker is not installed; "
            "try pip install 'tidegate[embedded]', or name a Kafka cluster with --bootstrap-servers"
        )
    if not os.access(programs[0], os.X_OK):  # some installers drop the bit
        programs[0].chmod(0o755)
    return programs[0]


async def _speaks_kafka(port: int) -> bool:
    """
    Whether something on *port* answers a Kafka request (ApiVersions v0).

    A client library would answer the same with threads, retries and log lines of its own.
    """
    request = struct.pack(">hhih", 18, 0, 1, -1)
    try:
        reader, writer = await asyncio.open_connection(_HOST, port)
    except OSError:
        return False
    try:
        async with asyncio.timeout(1.0):  # a stranger on the port may accept and then say nothing
            writer.write(struct.pack(">i", len(request)) + request)
            await writer.drain()
            _, correlation, error = struct.unpack(">iih", await reader.readexactly(10))
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    else:
        return (correlation, error) == (1, 0)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

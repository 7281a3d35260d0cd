"""The worker's end of one task host: its process, and questions over the socket, for coroutines."""

import asyncio
import itertools
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from runtime.foundation import children, logs
from runtime.host.protocol import HEAD, Body, Envelope, Failed, Hello, HostFault, HostGone, length, packed, unpacked

log = logs.get(__name__)

Handle = Callable[[Body], Awaitable[Any]]
"""Takes a host's report or question; what it returns, or the KafkaFault it raises, is the answer."""


class HostClient:
    """One task host. Make with :meth:`start`; :attr:`gone` is done when its process has ended."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handle: Handle,
    ) -> None:
        self._process = process
        self._writer = writer
        self._handle = handle
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._ending = False
        self.gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The exit code: below zero, the signal that killed it."""
        self._reading = asyncio.create_task(self._read(reader), name=f"host {process.pid} reader")

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked anything."""
        return not self.gone.done() and not self._ending

    @classmethod
    async def start(
        cls, hello: Hello, handle: Handle, *, directory: Path | None = None, python: str = sys.executable
    ) -> "HostClient":
        """
        Start a host and wait until it answers.

        Raises HostGone when it does not come up.
        """
        ours, theirs = socket.socketpair()
        try:
            # Called on the main thread, which lives as long as the worker: the host dies when it does.
            process = children.spawn(
                [python, "-m", "runtime.host", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                cwd=directory,
                stdin=None,  # the worker's own: a FileStreamSource without a file reads it
            )
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        client = cls(process, reader, writer, handle)
        await client.ask(hello, timeout=60.0)
        log.debug("host.started", pid=process.pid)
        return client

    async def ask(self, body: Body, *, timeout: float | None) -> Any:
        """
        Ask or order something and wait for the answer.

        Raises HostFault with the host's reason, HostGone when it ends before answering, TimeoutError.
        """
        if not self.alive:
            raise HostGone(f"host {self.pid} has ended")
        number = next(self._numbers)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        try:
            self._writer.write(packed(Envelope(ask=number, body=body)))
            async with asyncio.timeout(timeout):
                return await future
        finally:
            self._asked.pop(number, None)

    async def end(self, patience: float) -> None:
        """Close the line, at which the host ends itself; insist after *patience* seconds."""
        self._ending = True
        self._writer.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await asyncio.shield(self.gone)
        if not self.gone.done():
            self._process.kill()
            await self.gone

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                size = length(await reader.readexactly(HEAD))
                envelope = unpacked(await reader.readexactly(size))
                if envelope.answer:
                    self._settle(envelope)
                elif envelope.ask:
                    task = asyncio.create_task(self._reply(envelope), name=f"host {self.pid} question")
                    self._answering.add(task)
                    task.add_done_callback(self._answering.discard)
                elif envelope.body is not None:
                    await self._handle(envelope.body)
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            await self._reap()

    async def _reap(self) -> None:
        self._writer.close()
        code = await asyncio.to_thread(self._process.wait)
        for future in self._asked.values():
            if not future.done():
                future.set_exception(HostGone(f"host {self.pid} has ended"))
        self.gone.set_result(code)

    def _settle(self, envelope: Envelope) -> None:
        future = self._asked.get(envelope.answer)
        if future is None or future.done():
            return
        if isinstance(envelope.body, Failed):
            future.set_exception(HostFault(envelope.body))
        else:
            future.set_result(envelope.result)

    async def _reply(self, envelope: Envelope) -> None:
        assert envelope.body is not None
        try:
            reply = Envelope(answer=envelope.ask, result=await self._handle(envelope.body))
        except Exception as err:  # noqa: BLE001  whatever went wrong is the answer; the host decides
            kind = "retriable" if getattr(err, "retriable", False) else "error"
            reply = Envelope(answer=envelope.ask, body=Failed(kind=kind, message=str(err) or type(err).__name__))
        if self.alive:
            self._writer.write(packed(reply))

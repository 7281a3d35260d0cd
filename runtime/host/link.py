"""The host's end of the socket: blocking, many threads may ask and report."""

import itertools
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from runtime.host.protocol import HEAD, Body, Envelope, Failed, HostFault, HostGone, length, packed, unpacked


class Link:
    """
    Sends from any thread; :meth:`serve` receives on the thread that calls it until the worker is gone.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._asked: dict[int, Future[Any]] = {}
        self._gone = False

    def report(self, body: Body) -> None:
        """Tell the worker something; no answer comes."""
        self._send(Envelope(body=body))

    def answer(self, ask: int, *, result: Any = None, failed: Failed | None = None) -> None:
        """Answer the worker's question number *ask*."""
        self._send(Envelope(answer=ask, body=failed, result=result))

    def ask(self, body: Body, *, timeout: float) -> Any:
        """
        Ask the worker and wait for the answer.

        Raises HostFault with the worker's reason, HostGone when it is not there any more, TimeoutError.
        """
        number = next(self._numbers)
        future: Future[Any] = Future()
        self._asked[number] = future
        try:
            self._send(Envelope(ask=number, body=body))
            return future.result(timeout)
        finally:
            self._asked.pop(number, None)

    def serve(self, handle: Callable[[Envelope], None]) -> None:
        """Hand every order and question to *handle*, which must not block, until the worker is gone."""
        try:
            while True:
                envelope = unpacked(self._receive(length(self._receive(HEAD))))
                if envelope.answer:
                    self._settle(envelope)
                else:
                    handle(envelope)
        except (HostGone, OSError):
            self._gone = True
            for future in list(self._asked.values()):
                if not future.done():
                    future.set_exception(HostGone("the worker is gone"))

    def _settle(self, envelope: Envelope) -> None:
        future = self._asked.get(envelope.answer)
        if future is None or future.done():
            return
        if isinstance(envelope.body, Failed):
            future.set_exception(HostFault(envelope.body))
        else:
            future.set_result(envelope.result)

    def _send(self, envelope: Envelope) -> None:
        data = packed(envelope)
        try:
            with self._sending:
                self._socket.sendall(data)
        except OSError as err:
            raise HostGone("the worker is gone") from err

    def _receive(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = self._socket.recv(min(size, 1 << 20))
            if not part:
                raise HostGone("the worker is gone")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

"""The listener: one uvicorn server on the worker's event loop, on sockets bound before anything else starts."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from runtime.contract import Problem


class PortInUse(Exception):
    """Another program listens there already."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One entry of ``listeners``."""

    scheme: str
    host: str
    """Empty: all interfaces."""
    port: int

    @classmethod
    def parse(cls, text: str) -> "Listener | Problem":
        """``http://host:port``; a Problem says what is wrong with it."""
        parts = urlsplit(text.strip())
        if parts.scheme == "https":
            return Problem("listeners", f"{text} asks for TLS, which this version does not serve", "use http://")
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme != "http" or port is None:
            return Problem("listeners", f"{text!r} is no listener", "write it as http://host:port")
        return cls(parts.scheme, parts.hostname or "", port)

    def bind(self) -> socket.socket:
        """
        A listening socket.

        Raises PortInUse, or OSError when the host is not ours.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((self.host or "0.0.0.0", self.port))  # noqa: S104  Connect's default: all interfaces
        except OSError as err:
            made.close()
            if err.errno == errno.EADDRINUSE:
                raise PortInUse(
                    f"port {self.port} is in use by another program; choose another one with "
                    "listeners=http://:PORT (tidegate up: --port)"
                ) from err
            raise
        return made


class _Server(uvicorn.Server):
    """Signals are the worker's business, and who starts it wants to know when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class RestServer:
    """Serves an application on bound sockets; an async context manager."""

    def __init__(self, app: ASGIApp, sockets: list[socket.socket]) -> None:
        self._sockets = sockets
        self._server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_keep_alive=90,
                timeout_graceful_shutdown=5,
                server_header=False,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "RestServer":
        self._serving = asyncio.create_task(self._server.serve(self._sockets), name="REST")
        await self._server.listening.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving

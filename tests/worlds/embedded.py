"""The embedded broker for tests that are not coroutines: its event loop runs on a thread that lives as long as it."""

import asyncio
import contextlib
import os
import signal
import threading
from pathlib import Path

from runtime.foundation.ports import free_ports
from runtime.kafka.embedded import EmbeddedBroker
from tests.worlds.broker import Broker
from tests.worlds.waiting import wait_until


class EmbeddedKafka:
    """``start`` after ``stop`` or ``kill`` brings it back on the same port and data."""

    def __init__(self, home: Path) -> None:
        (port,) = free_ports()
        self._home = home
        self._port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: asyncio.Event | None = None
        self._embedded: EmbeddedBroker | None = None
        self._failure: BaseException | None = None
        self.broker = Broker(f"127.0.0.1:{port}", "embedded", self)

    def __enter__(self) -> Broker:
        self.start()
        return self.broker

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and return when it answers; what went wrong is raised here."""
        if self._thread is not None:  # killed: its supervisor is at it
            wait_until(lambda: self.broker.serving(), what="the embedded broker is back")
            return
        up = threading.Event()
        self._failure = None
        # The kernel ends the broker with the thread that started it, so this thread stays until stop().
        self._thread = threading.Thread(target=self._live, args=(up,), name="embedded broker")
        self._thread.start()
        up.wait()
        if self._failure is not None:
            self._join()

    def stop(self) -> None:
        """Shut it down in good order."""
        if self._thread is not None:
            assert self._loop is not None
            assert self._leave is not None
            with contextlib.suppress(RuntimeError):  # its loop has ended by itself, and says why when joined
                self._loop.call_soon_threadsafe(self._leave.set)
            self._join()

    @property
    def pid(self) -> int:
        """The process that is the broker now."""
        assert self._embedded is not None
        return self._embedded.pid

    def kill(self) -> None:
        """End its process as a power cut would; its supervisor starts it again, as it would for a user."""
        os.kill(self.pid, signal.SIGKILL)

    def _join(self) -> None:
        assert self._thread is not None
        self._thread.join()
        self._thread = None
        if self._failure is not None:
            raise self._failure

    def _live(self, up: threading.Event) -> None:
        async def life() -> None:
            self._loop = asyncio.get_running_loop()
            self._leave = asyncio.Event()
            async with EmbeddedBroker(self._home, self._port) as embedded:
                self._embedded = embedded
                up.set()
                await self._leave.wait()

        try:
            asyncio.run(life())
        except BaseException as failure:  # noqa: BLE001  handed to the thread that asked for it
            self._failure = failure
        finally:
            up.set()

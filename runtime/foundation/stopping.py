"""A latch for "please stop" that every wait also waits on, once for coroutines and once for threads."""

import asyncio
import threading


class Stopping:
    """Asked to stop? For coroutines on one event loop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Ask to stop. Asking twice is the same as asking once."""
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        """Wait until asked to stop."""
        await self._event.wait()

    async def nap(self, seconds: float) -> bool:
        """Sleep, but wake at once when asked to stop. True means: stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True


class ThreadStopping:
    """Asked to stop? For threads; the same three verbs as :class:`Stopping`."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask to stop. Asking twice is the same as asking once."""
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def nap(self, seconds: float) -> bool:
        """Sleep, but wake at once when asked to stop. True means: stop."""
        return self._event.wait(seconds)

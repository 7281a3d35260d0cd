"""A folder of manifests as a :class:`reconciler.ports.Source`, woken by the file system."""

import asyncio
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from reconciler.model.errors import SourceUnreadable
from reconciler.ports import Snapshot, SourceFile
from runtime.contract import Problem
from runtime.foundation.stopping import Stopping

SETTLE: Final = 0.25
"""Seconds without another event before a change counts as finished; editors and git write in several steps."""

LONGEST_SETTLE: Final = 2.0
"""Seconds after which we look even though events keep coming."""

BIGGEST: Final = 2 * 1024 * 1024
"""Bytes in one file. A manifest has a few thousand."""

SUFFIXES: Final = (".yaml", ".yml", ".json")

_ROOT_CHECK: Final = 1.0
"""Seconds between looks at whether the folder is still the one we watch."""

_TELLING: Final = frozenset({"created", "modified", "moved", "deleted", "closed"})


class Directory:
    """
    All ``*.yaml``, ``*.yml`` and ``*.json`` below a folder; names that begin with a dot are left out.

    Survives that the folder is removed and comes back. Links that leave the folder are refused.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stirred = asyncio.Event()
        self._observer: BaseObserver | None = None
        self._watch: ObservedWatch | None = None
        self._watched: tuple[int, int] | None = None

    async def __aenter__(self) -> Self:
        self._observer = Observer()
        self._observer.start()
        self._rewatch(asyncio.get_running_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._observer is not None:
            self._observer.stop()
            await asyncio.to_thread(self._observer.join)
            self._observer = None

    async def read(self) -> Snapshot:
        """All manifest files now. Raises SourceUnreadable when the folder itself cannot be read."""
        return await asyncio.to_thread(self._read)

    async def changed(self, stopping: Stopping, *, within: float) -> bool:
        """Wait until files have changed and have been quiet for 250 ms; False after *within* seconds or on stop."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not stopping and (left := deadline - loop.time()) > 0:
            if self._rewatch(loop):
                self._stirred.set()
            if await _either(self._stirred, stopping, min(left, _ROOT_CHECK)):
                await self._settle(loop, stopping)
                return not stopping
        return False

    async def _settle(self, loop: asyncio.AbstractEventLoop, stopping: Stopping) -> None:
        latest = loop.time() + LONGEST_SETTLE
        while self._stirred.is_set() and loop.time() < latest:
            self._stirred.clear()
            if await stopping.nap(SETTLE):
                return
        self._stirred.clear()

    def _rewatch(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Watch the folder that is there now; True when it is another one than before, or gone."""
        if self._observer is None:
            return False
        try:
            found = self._folder.stat()
            now = (found.st_dev, found.st_ino)
        except OSError:
            now = None
        if now == self._watched:
            return False
        if self._watch is not None:
            with suppress(KeyError, OSError):  # the watch dies with the folder that it was on
                self._observer.unschedule(self._watch)
            self._watch = None
        if now is not None:
            try:
                self._watch = self._observer.schedule(
                    _Listener(self._folder, loop, self._stirred), str(self._folder), recursive=True
                )
            except OSError:  # gone again already, or no watches left: the periodic look still finds changes
                now = None
        first, self._watched = self._watched is None and now is not None, now
        return not first or self._watch is not None

    def _read(self) -> Snapshot:
        if not self._folder.is_dir():
            raise SourceUnreadable(f"{self._folder} is not a folder that can be read")
        root = self._folder.resolve()
        files = sorted(self._files(root), key=lambda file: file.path)
        digest = hashlib.sha256()
        for file in files:
            content = file.content if isinstance(file.content, bytes) else str(file.content).encode()
            digest.update(f"{file.path}\0{len(content)}\0".encode())
            digest.update(content)
        return Snapshot(tuple(files), digest.hexdigest()[:7])

    def _files(self, root: Path) -> Iterator[SourceFile]:
        unreadable: list[OSError] = []
        for here, folders, names in os.walk(root, onerror=unreadable.append):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in [*folders, *names]:
                path = Path(here, name)
                relative = path.relative_to(root).as_posix()
                if name.startswith(".") or not (name in folders or name.endswith(SUFFIXES)):
                    continue
                if path.is_symlink() and not path.resolve().is_relative_to(root):
                    yield SourceFile(relative, Problem(relative, "a link that leaves the folder is refused"))
                elif name not in folders and (content := _content(path, relative)) is not None:
                    yield SourceFile(relative, content)
        for err in unreadable:
            if isinstance(err, FileNotFoundError):
                continue
            relative = Path(err.filename or root).relative_to(root).as_posix()
            if relative == ".":
                raise SourceUnreadable(f"{self._folder} cannot be read: {err.strerror}") from err
            yield SourceFile(relative, Problem(relative, f"cannot be read: {err.strerror}"))


def _content(path: Path, relative: str) -> bytes | Problem | None:
    """The bytes of one file, why they were not read, or None when it is gone."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return Problem(relative, "not a regular file")
        if found.st_size > BIGGEST:
            return Problem(relative, f"{found.st_size:,} bytes is too big for a manifest", f"at most {BIGGEST:,}")
        return path.read_bytes()
    except FileNotFoundError:
        return Problem(relative, "a link that leads nowhere") if path.is_symlink() else None
    except OSError as err:
        return Problem(relative, f"cannot be read: {err.strerror}")


class _Listener(FileSystemEventHandler):
    """Called on watchdog's thread; passes the word on to the event loop."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop, stirred: asyncio.Event) -> None:
        self._root = str(folder)
        self._loop = loop
        self._stirred = stirred

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Wake the loop when the event may concern a manifest."""
        if event.event_type not in _TELLING:
            return
        paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
        if any(self._concerns(path, folder=event.is_directory) for path in paths):
            with suppress(RuntimeError):  # the loop is closed: nobody is interested any more
                self._loop.call_soon_threadsafe(self._stirred.set)

    def _concerns(self, path: str, *, folder: bool) -> bool:
        parts = os.path.relpath(path, self._root).split(os.sep)
        hidden = any(part.startswith(".") and part not in (".", "..") for part in parts)
        return not hidden and (folder or path.endswith(SUFFIXES))


async def _either(event: asyncio.Event, stopping: Stopping, seconds: float) -> bool:
    """Wait for *event*, a stop, or *seconds*; True when *event* is set."""
    waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(stopping.wait())]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    return event.is_set()

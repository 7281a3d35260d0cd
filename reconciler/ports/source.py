"""Where manifests come from: a folder today, a git repository later."""

from dataclasses import dataclass
from typing import Protocol

from runtime.contract import Problem
from runtime.foundation.stopping import Stopping


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file as it was read."""

    path: str
    """Relative to the source, with forward slashes."""

    content: bytes | Problem
    """Its bytes, or why it was not read."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All manifest files at one moment, in order of their paths."""

    files: tuple[SourceFile, ...]
    revision: str
    """Short text that differs when any file differs."""


class Source(Protocol):
    """Gives snapshots, and says when another look is worth while."""

    async def read(self) -> Snapshot:
        """All files now. Raises SourceUnreadable when there is no telling what they say."""
        ...

    async def changed(self, stopping: Stopping, *, within: float) -> bool:
        """Wait for a change to settle; False when *within* seconds passed or a stop was asked for."""
        ...

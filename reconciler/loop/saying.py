"""Says things once, and again only when they change."""

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Once:
    """Remembers the last text about each subject."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def is_news(self, subject: str, text: str) -> bool:
        """Whether *text* differs from what was last said about *subject*; from now on it is what was said."""
        news = self._said.get(subject) != text
        self._said[subject] = text
        return news

    def forget(self, subject: str) -> None:
        """All is well with *subject*; the next trouble is news."""
        self._said.pop(subject, None)

    def clear(self) -> bool:
        """All is well; True when there was something to say before."""
        had = bool(self._said)
        self._said.clear()
        return had


class Seen(Generic[T]):
    """Remembers a set of things between two passes."""

    def __init__(self) -> None:
        self._before: frozenset[Hashable] = frozenset()

    def changed(self, now: Mapping[Hashable, T]) -> list[T]:
        """Those that were not there in the last pass."""
        news = [thing for key, thing in now.items() if key not in self._before]
        self._before = frozenset(now)
        return news

"""Record headers: an ordered multimap that never changes in place, so batches may share one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from runtime.data.schema import Schema


@dataclass(frozen=True, slots=True)
class Header:
    """One header; *schema* is None where the value has none."""

    key: str
    value: Any
    schema: Schema | None = None


class Headers:
    """Headers in order, duplicates allowed. Every change makes a new object."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[Header] = ()) -> None:
        self._items = tuple(items)

    def __iter__(self) -> Iterator[Header]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return self._items == other._items if isinstance(other, Headers) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(item.key for item in self._items))

    def __repr__(self) -> str:
        return f"Headers({list(self._items)!r})"

    def add(self, key: str, value: Any, schema: Schema | None = None) -> "Headers":
        """
        These headers and one more at the end.

        Raises DataError when *value* does not fit *schema*.
        """
        if schema is not None:
            schema.validate(value)
        return Headers((*self._items, Header(key, value, schema)))

    def all(self, key: str) -> list[Header]:
        """The headers named *key*, in order."""
        return [item for item in self._items if item.key == key]

    def last(self, key: str) -> Header | None:
        """The last header named *key*."""
        return next((item for item in reversed(self._items) if item.key == key), None)

    def without(self, keys: Iterable[str]) -> "Headers":
        """These headers less those named in *keys*."""
        dropped = frozenset(keys)
        return Headers(item for item in self._items if item.key not in dropped)

    def latest(self) -> "Headers":
        """Only the last header of each name, in the order of those that stay."""
        last = {item.key: index for index, item in enumerate(self._items)}
        return Headers(item for index, item in enumerate(self._items) if last[item.key] == index)

    def apply(self, change: Callable[[Header], Header | None]) -> "Headers":
        """Every header changed by *change*; None removes it."""
        return Headers(new for item in self._items if (new := change(item)) is not None)


NO_HEADERS: Final = Headers()

"""Work done once per schema (or topic, or whatever repeats from record to record) instead of once per record."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Once(Generic[K, V]):
    """
    *make*, remembered for the last *size* keys: ``rewritten = Once(rewrite); rewritten(schema)``.

    Looks for the same object first, which costs next to nothing, and for an equal one only when it is new, so that
    equal schemas made anew by a source still give one and the same result.
    """

    __slots__ = ("_by_identity", "_made", "_make", "_size")

    def __init__(self, make: Callable[[K], V], size: int = 64) -> None:
        self._make = make
        self._size = size
        self._made: OrderedDict[K, V] = OrderedDict()
        self._by_identity: dict[int, tuple[K, V]] = {}

    def __call__(self, key: K) -> V:
        known = self._by_identity.get(id(key))
        if known is not None and known[0] is key:
            return known[1]
        if key in self._made:
            self._made.move_to_end(key)
            made = self._made[key]
        else:
            made = self._make(key)
            self._made[key] = made
            if len(self._made) > self._size:
                self._made.popitem(last=False)
        if len(self._by_identity) >= self._size:
            self._by_identity.clear()
        # The key is kept with the value: while it lives here, nothing else can have its id.
        self._by_identity[id(key)] = (key, made)
        return made

"""When two texts mean the same: values compared as the plugin's definition types them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from reconciler.model import Definitions, Plugin, Remembered, Sealed
from runtime.contract import ConfigField, Type
from runtime.foundation.secret import is_secret_key

_MASKED: Final = re.compile(r"(?:\*{3,}|\u2022{3,}|\[hidden\])\Z")
_WHOLE: Final = frozenset({Type.INT, Type.SHORT, Type.LONG})


def is_masked(text: str | None) -> bool:
    """Whether somebody on the way replaced a secret by asterisks, bullets or ``[hidden]``."""
    return text is not None and _MASKED.match(text) is not None


@dataclass(frozen=True, slots=True)
class Comparer:
    """Compares values of one connector; without definitions, texts are compared as they are."""

    definitions: Definitions = field(default_factory=dict)
    plugins: tuple[Plugin, ...] = ()

    def same(self, key: str, one: str | None, other: str | None) -> bool:
        """Whether two values of *key* mean the same; None is absent, which is the same as the default."""
        if one == other:
            return True
        spot = self.definitions.get(key)
        one, other = _effective(one, spot), _effective(other, spot)
        if one is None or other is None or "${" in one or "${" in other:
            return one == other
        if key == "connector.class" or (spot is not None and spot.type is Type.CLASS):
            return self._class_name(one) == self._class_name(other)
        return spot is not None and _typed(one, spot.type) == _typed(other, spot.type)

    def recalls(self, key: str, remembered: Remembered | None, value: str | None) -> bool:
        """Whether *value* is what the journal remembers of *key*."""
        if isinstance(remembered, Sealed):
            value = _effective(value, self.definitions.get(key))
            return value is not None and remembered.matches(value)
        return self.same(key, remembered, value)

    def is_secret(self, key: str) -> bool:
        """Whether values of *key* must never be shown: by definition, or by name where there is none."""
        spot = self.definitions.get(key)
        return is_secret_key(key) or (spot is not None and spot.type is Type.PASSWORD)

    def _class_name(self, given: str) -> str:
        given = given.strip()
        return _only(plugin.name for plugin in self.plugins if given in plugin.aliases) or given


def _only(names: Iterable[str]) -> str | None:
    """The one name; None when there is none, or when an alias stands for several."""
    unique = set(names)
    return unique.pop() if len(unique) == 1 else None


def _effective(value: str | None, spot: ConfigField | None) -> str | None:
    return spot.default_value if value is None and spot is not None else value


def _typed(text: str, kind: Type) -> object:
    """*text* as Connect would parse it; text that does not parse stands for itself."""
    text = text.strip()
    try:
        if kind is Type.BOOLEAN:
            return text.lower()
        if kind in _WHOLE:
            return int(text)
        if kind is Type.DOUBLE:
            return float(text)
    except ValueError:
        return text
    if kind is Type.LIST:
        return tuple(part.strip() for part in text.split(",")) if text else ()
    return text

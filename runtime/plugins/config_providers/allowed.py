"""Keeps a config provider inside the folders it was told (``allowed.paths``, contract 10)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runtime.sdk import ConfigDef, ConfigError, Importance, Key, Type

ALLOWED: Final = ConfigDef(
    Key(
        "allowed.paths",
        Type.LIST,
        default=None,
        importance=Importance.LOW,
        doc="Absolute paths, files or folders, that may be read; everything when it is left out.",
    )
)


class AllowedPaths:
    """Which paths may be read; symbolic links and ``..`` are followed before it is decided."""

    def __init__(self, config: Mapping[str, str]) -> None:
        given = ALLOWED.parse(config)["allowed.paths"]
        self._roots: list[Path] | None = None if not given else [_root(text) for text in given]

    def path(self, text: str) -> Path | None:
        """*text* as a real path, or None when it lies outside."""
        real = Path(text).resolve()
        if self._roots is None or any(real.is_relative_to(root) for root in self._roots):
            return real
        return None


def _root(text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise ConfigError("allowed.paths", message=f"Path {text} is not absolute")
    if not path.exists():
        raise ConfigError("allowed.paths", message=f"Path {text} does not exist")
    return path.resolve()

"""The paths by which plans, alerts and ignore rules name the parts of a connector, e.g. ``config.flush.size``."""

import fnmatch
from typing import Final

STATE: Final = "spec.state"
EXISTENCE: Final = "connector"
"""The connector as a whole: it moves when somebody deletes it."""

FIELD_OF_KEY: Final = {
    "connector.class": "spec.class",
    "tasks.max": "spec.tasksMax",
    "connector.plugin.version": "spec.version",
}
"""Configuration keys of Connect that are fields of their own in a manifest."""

KEY_OF_FIELD: Final = {path: key for key, path in FIELD_OF_KEY.items()}

PATHS: Final = (*KEY_OF_FIELD, STATE)
"""Every path that is not below ``config.``."""


def path_of(key: str) -> str:
    """The path of a key of Connect's configuration: ``config.topics``, or ``spec.tasksMax`` for ``tasks.max``."""
    return FIELD_OF_KEY.get(key, f"config.{key}")


def canonical(pattern: str) -> str:
    """An ignore rule as we compare it: ``spec.config.x`` and ``config.tasks.max`` are accepted spellings."""
    short = pattern.removeprefix("spec.") if pattern.startswith("spec.config.") else pattern
    return path_of(short.removeprefix("config.")) if short.startswith("config.") else short


def ignored(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of *patterns* (``config.batch.size``, ``spec.state``, ``config.producer.*``) covers *path*."""
    return any(fnmatch.fnmatchcase(path, canonical(pattern)) for pattern in patterns)

"""
Errors that plugin authors raise, and what the engine does with each.

ConnectError            (runtime.data) the task fails
├── DataError           (runtime.data) this record is bad: errors.tolerance decides
├── RetriableError      the same call may work later: it is made again
├── ConfigError         a configuration value is wrong
└── NotSupported        the plugin has no such ability
"""

from typing import Any

from runtime.data import ConnectError, DataError

__all__ = ["ConfigError", "ConnectError", "DataError", "NotSupported", "RetriableError"]


class RetriableError(ConnectError):
    """The same call may work later: the engine makes it again (contract 5.3, 5.5, 6.1)."""

    java_name = "org.apache.kafka.connect.errors.RetriableException"


class NotSupported(ConnectError):
    """The plugin has no such ability, for instance no offsets that could be altered."""

    java_name = "java.lang.UnsupportedOperationException"


class ConfigError(ConnectError):
    """A configuration value is wrong; printed as Connect prints it (contract 9.1)."""

    java_name = "org.apache.kafka.common.config.ConfigException"

    def __init__(self, name: str, value: Any = None, reason: str | None = None, *, message: str | None = None) -> None:
        tail = f": {reason}" if reason else ""
        super().__init__(message or f"Invalid value {shown(value)} for configuration {name}{tail}")
        self.name = name


def shown(value: Any) -> str:
    """A value as Java's string concatenation shows it in an error text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    return str(value)

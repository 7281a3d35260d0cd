"""What authors of config providers implement (contract 10)."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from runtime.sdk.plugin import Plugin


@dataclass(frozen=True, slots=True)
class ConfigData:
    """What a provider found, and for how long it holds."""

    data: Mapping[str, str] = field(default_factory=dict)
    ttl_ms: int | None = None
    """Milliseconds after which the values should be read again; None for no limit."""


class ConfigProvider(Plugin, ABC):
    """Looks up what ``${name:path:key}`` in a configuration stands for."""

    def configure(self, config: Mapping[str, str]) -> None:
        """Take the settings ``config.providers.<name>.param.*``. Raises ConfigError."""
        return

    @abstractmethod
    def get(self, path: str, keys: Collection[str]) -> ConfigData:
        """
        The values of *keys* at *path*; keys that are not there are left out.

        Raises ConfigError when *path* cannot be read.
        """

    def close(self) -> None:
        """Release what the provider holds."""
        return

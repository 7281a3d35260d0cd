"""
References in configurations (contract 10).

``${provider:path:key}`` or ``${provider:key}``, anywhere in a value, several per value, not recursive. A provider that
nobody knows, or a key that is not there, leaves the text as it stands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runtime.sdk import ConfigProvider

REFERENCE: Final = re.compile(r"\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A configuration with its references replaced."""

    config: dict[str, str]
    from_providers: frozenset[str]
    """The keys whose values hold something that a provider gave: not to be shown."""
    ttl_ms: int | None
    """The shortest time for which what was found holds; None for no limit."""


class Resolver:
    """Replaces references by asking the providers of one worker, by the names it gives them."""

    def __init__(self, providers: Mapping[str, ConfigProvider]) -> None:
        self._providers = dict(providers)

    def resolve(self, config: Mapping[str, str]) -> Resolved:
        """
        *config* with what its references stand for.

        Raises ConfigError when a provider cannot read a path.
        """
        wanted: dict[tuple[str, str], set[str]] = {}
        for value in config.values():
            for match in REFERENCE.finditer(value):
                provider, path, key = match[1], match[3] or "", match[4]
                if provider in self._providers:
                    wanted.setdefault((provider, path), set()).add(key)
        if not wanted:
            return Resolved(dict(config), frozenset(), None)
        found: dict[tuple[str, str, str], str] = {}
        ttls: list[int] = []
        for (provider, path), keys in wanted.items():
            data = self._providers[provider].get(path, keys)
            found |= {(provider, path, key): value for key, value in data.data.items() if key in keys}
            if data.ttl_ms is not None:
                ttls.append(data.ttl_ms)
        touched: set[str] = set()
        made: dict[str, str] = {}
        for name, value in config.items():

            def put(match: re.Match[str], name: str = name) -> str:
                secret = found.get((match[1], match[3] or "", match[4]))
                if secret is None:
                    return match[0]
                touched.add(name)
                return secret

            made[name] = REFERENCE.sub(put, value)
        return Resolved(made, frozenset(touched), min(ttls, default=None))

"""What a cluster's plugins say about themselves, asked once and remembered for a while."""

from collections.abc import Mapping
from typing import Final

from reconciler.model import Definitions, Plugin
from reconciler.model.errors import ClusterFault
from reconciler.ports import Cluster
from runtime.contract import ConfigField
from runtime.foundation.clock import Clock

FRESH: Final = 600.0
"""Seconds. Plugins change when workers are replaced; a stale definition costs a needless difference at worst."""

_ALIASED: Final = (("transforms", "type"), ("predicates", "type"))
_CONVERTERS: Final = ("key.converter", "value.converter", "header.converter")


class PluginBook:
    """The plugins of one cluster."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock
        self._since = clock.monotonic()
        self._list: tuple[Plugin, ...] | None = None
        self._fields: dict[str, tuple[ConfigField, ...] | None] = {}

    async def installed(self) -> tuple[Plugin, ...]:
        """All plugins. Raises ClusterFault."""
        self._forget_when_old()
        if self._list is None:
            self._list = await self._cluster.plugins()
        return self._list

    async def knows(self, plugin: str) -> bool:
        """Whether a connector class of this name, alias or path can be used. Raises ClusterFault."""
        if any(plugin in known.aliases for known in await self.installed()):
            return True
        return await self._of(plugin) is not None

    async def definitions(self, config: Mapping[str, str | None]) -> Definitions:
        """
        The fields of a connector with *config*, those of its transforms, predicates and converters included.

        Raises ClusterFault when the connector's own cannot be read; those of its parts are then left out.
        """
        self._forget_when_old()
        found = {field.name: field for field in await self._of(config.get("connector.class") or "") or ()}
        for prefix, plugin in _parts(config):
            try:
                fields = await self._of(plugin)
            except ClusterFault:
                continue
            found |= {f"{prefix}.{field.name}": field for field in fields or ()}
        return found

    async def _of(self, plugin: str) -> tuple[ConfigField, ...] | None:
        if plugin not in self._fields:
            self._fields[plugin] = await self._cluster.definitions(plugin)
        return self._fields[plugin]

    def _forget_when_old(self) -> None:
        if self._clock.monotonic() - self._since > FRESH:
            self._since = self._clock.monotonic()
            self._list = None
            self._fields.clear()


def _parts(config: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Prefix and class of each transform, predicate and converter that *config* names."""
    parts = []
    for family, type_key in _ALIASED:
        for alias in (config.get(family) or "").split(","):
            plugin = config.get(f"{family}.{alias.strip()}.{type_key}")
            if alias.strip() and plugin:
                parts.append((f"{family}.{alias.strip()}", plugin))
    return parts + [(key, plugin) for key in _CONVERTERS if (plugin := config.get(key))]

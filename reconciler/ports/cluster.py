"""A Connect cluster, as much of it as we need; Connect's REST API happens to fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from reconciler.model import ObservedConnector, Plugin
from runtime.contract import ConfigField, ConnectorName, TargetState


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers."""

    version: str
    kafka_cluster_id: str | None


class Cluster(Protocol):
    """Every method raises :class:`reconciler.model.errors.ClusterFault` when it cannot do what it says."""

    async def identity(self) -> Identity:
        """Version of the worker and id of its Kafka cluster."""
        ...

    async def connectors(self) -> Mapping[ConnectorName, ObservedConnector]:
        """
        All connectors that have a status, in one read.

        Connect leaves out connectors without a status, so a name that is missing here may still exist:
        ask :meth:`names` before believing that it is absent.
        """
        ...

    async def names(self) -> frozenset[ConnectorName]:
        """The names of all connectors."""
        ...

    async def connector(self, name: ConnectorName) -> ObservedConnector | None:
        """One connector, or None when the cluster says that it does not exist."""
        ...

    async def plugins(self) -> tuple[Plugin, ...]:
        """All installed plugins."""
        ...

    async def definitions(self, plugin: str) -> tuple[ConfigField, ...] | None:
        """The configuration fields of a plugin, or None when the cluster does not know it."""
        ...

    async def create(self, name: ConnectorName, config: Mapping[str, str], state: TargetState) -> None:
        """Create a connector directly in *state*. Raises ConnectorExists when the name is taken."""
        ...

    async def put_config(self, name: ConnectorName, config: Mapping[str, str]) -> None:
        """Replace the whole configuration; the target state stays."""
        ...

    async def set_state(self, name: ConnectorName, state: TargetState) -> None:
        """Start (resume), pause or stop."""
        ...

    async def delete(self, name: ConnectorName) -> None:
        """Remove the connector; one that is already gone is fine."""
        ...

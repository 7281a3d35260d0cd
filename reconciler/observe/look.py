"""One look at a cluster: one read for everything, and further questions only where it leaves doubt."""

from dataclasses import dataclass, field

from reconciler.diff import Comparer, recorded
from reconciler.model import (
    ClusterSpec,
    ConnectorSpec,
    Definitions,
    Entries,
    Entry,
    ObservedConnector,
    ObservedState,
    Plugin,
    Unknown,
)
from reconciler.model.errors import ClusterFault, WrongCluster
from reconciler.observe.plugins import PluginBook
from reconciler.ports import Cluster
from runtime.contract import ConnectorName


@dataclass(frozen=True, slots=True, kw_only=True)
class Curiosity:
    """What a look has to be sure of."""

    wanted: dict[ConnectorName, ConnectorSpec] = field(default_factory=dict)
    entries: Entries = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look gives."""

    state: ObservedState
    unknown_plugins: frozenset[ConnectorName] = frozenset()
    """Wanted connectors whose class the cluster does not have."""


async def look(spec: ClusterSpec, cluster: Cluster, book: PluginBook, curiosity: Curiosity) -> Sight:
    """
    What is live on the cluster now.

    The cluster's identity is checked before anything else is believed. A connector whose read failed is
    Unknown. Raises ClusterFault when the cluster as a whole cannot be read, WrongCluster when it is another.
    """
    identity = await cluster.identity()
    if spec.kafka_cluster_id is not None and identity.kafka_cluster_id != spec.kafka_cluster_id:
        raise WrongCluster(
            f"{spec.name}: the Kafka cluster is {identity.kafka_cluster_id}, "
            f"but {spec.origin} expects {spec.kafka_cluster_id}; nothing is touched"
        )
    seen: dict[ConnectorName, ObservedConnector | Unknown] = dict(await cluster.connectors())
    doubtful = (curiosity.wanted.keys() | curiosity.entries.keys()) - seen.keys()
    if doubtful:
        # a connector without a status yet is missing from the expanded list; only its absence from names counts
        for name in sorted(await cluster.names() - seen.keys()):
            one = await _one(cluster, name)
            if one is not None:
                seen[name] = one
    plugins: tuple[Plugin, ...] = ()
    definitions: dict[ConnectorName, Definitions] = {}
    strangers: set[ConnectorName] = set()
    questionable = [wish for name, wish in sorted(curiosity.wanted.items()) if _questionable(wish, seen, curiosity)]
    if questionable:
        plugins = await book.installed()
    for wish in questionable:
        live = seen.get(wish.name)
        if isinstance(live, Unknown):
            continue
        try:
            if not await book.knows(wish.plugin):
                strangers.add(wish.name)
                continue
            both = {**(live.config if live else {}), **wish.config}
            definitions[wish.name] = await book.definitions(both)
        except ClusterFault as fault:
            seen[wish.name] = Unknown(str(fault))
    return Sight(
        ObservedState(
            cluster=spec.name,
            kafka_cluster_id=identity.kafka_cluster_id,
            version=identity.version,
            connectors=seen,
            plugins=plugins,
            definitions=definitions,
        ),
        frozenset(strangers),
    )


async def _one(cluster: Cluster, name: ConnectorName) -> ObservedConnector | Unknown | None:
    try:
        return await cluster.connector(name)
    except ClusterFault as fault:
        return Unknown(str(fault))


def _questionable(
    wish: ConnectorSpec, seen: dict[ConnectorName, ObservedConnector | Unknown], curiosity: Curiosity
) -> bool:
    """Whether plain texts leave it open that *wish* is live and recorded as such."""
    live = seen.get(wish.name)
    applied = curiosity.entries.get(wish.name, Entry()).applied
    if not isinstance(live, ObservedConnector) or applied is None:
        return True
    if {**live.config, "name": wish.name} != wish.config:
        return True
    return not recorded(wish, applied, comparer=Comparer())

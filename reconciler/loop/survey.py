"""Reads all three worlds of one cluster and makes the plan; `plan`, `apply` and the daemon all begin here."""

from dataclasses import dataclass

from reconciler import manifests
from reconciler.loop.access import Access
from reconciler.model import DesiredState, Entries
from reconciler.observe import Curiosity, look
from reconciler.plan import ClusterPlan, Permissions, build


@dataclass(frozen=True, slots=True)
class Scene:
    """One cluster at one moment."""

    desired: DesiredState
    """With a complaint for each class that this cluster does not have."""

    entries: Entries
    plan: ClusterPlan


async def survey(desired: DesiredState, access: Access, *, permissions: Permissions) -> Scene:
    """
    The plan for one cluster, made from a fresh look.

    Raises ClusterFault or JournalFault when one of the worlds cannot be read.
    """
    cluster = access.spec.name
    entries = await access.journal.read(cluster)
    sight = await look(
        access.spec, access.cluster, access.book, Curiosity(wanted=desired.of_cluster(cluster), entries=entries)
    )
    if sight.unknown_plugins:
        installed = sight.state.plugins
        known = frozenset().union(*(plugin.aliases for plugin in installed if plugin.kind in ("source", "sink")))
        desired = manifests.without_unknown_plugins(desired, cluster, unknown=sight.unknown_plugins, known=known)
    plan = build(desired, sight.state, entries, permissions=permissions, now_ms=access.clock.now_ms())
    return Scene(desired, entries, plan)

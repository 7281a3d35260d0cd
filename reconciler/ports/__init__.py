"""What planning and applying need of the world, said as protocols, and how long they keep asking."""

from reconciler.ports.cluster import Cluster, Identity
from reconciler.ports.journal import Journal
from reconciler.ports.notifier import Notifier
from reconciler.ports.patience import persist
from reconciler.ports.source import Snapshot, Source, SourceFile

__all__ = ["Cluster", "Identity", "Journal", "Notifier", "Snapshot", "Source", "SourceFile", "persist"]

"""What a lane needs to work on its cluster."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from reconciler.model import ClusterSpec
from reconciler.observe import PluginBook
from reconciler.ports import Cluster, Journal
from runtime.foundation.clock import Clock


@dataclass(frozen=True, slots=True)
class Access:
    """One cluster, the memory of what we did there, and the time."""

    spec: ClusterSpec
    cluster: Cluster
    journal: Journal
    book: PluginBook
    clock: Clock


class OpenAccess(Protocol):
    """How to connect to a cluster and its journal."""

    def __call__(self, spec: ClusterSpec, *, only: bool) -> AbstractAsyncContextManager[Access]:
        """
        Connected while entered. *only*: no other cluster is named, so a URL from outside is meant for it.

        Raises SettingsRefused when nobody says where it is, or when another cluster is there already.
        """
        ...

"""The daemon's outer loop: reads the manifests when they change or the period is over, and wakes the lanes."""

import asyncio
import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from reconciler import manifests
from reconciler.diff.documents import moved
from reconciler.loop.access import OpenAccess
from reconciler.loop.lane import Lane
from reconciler.loop.saying import Once, Seen
from reconciler.model import ClusterSpec, DesiredState
from reconciler.model.errors import SourceUnreadable
from reconciler.plan import Permissions
from reconciler.ports import Notifier, Source
from runtime.contract import Problem
from runtime.foundation import logs
from runtime.foundation.stopping import Stopping

log = logs.get(__name__)


_SHOWN: Final = 20
"""Paths in one log line at most; who changes more at once has a commit to look at."""


@dataclass(slots=True)
class _Running:
    lane: Lane
    stopping: Stopping
    task: "asyncio.Task[None]"


_Lanes = dict[tuple[ClusterSpec, bool], _Running]
"""By what the manifests say of the cluster, and whether it is the only one."""


class Watch:
    """Everything that `tidegate watch` does, between its connections being named and its being stopped."""

    def __init__(
        self,
        source: Source,
        open_access: OpenAccess,
        *,
        notifier: Notifier,
        permissions: Permissions,
        period: float,
        plugins: Collection[str] | None = None,
    ) -> None:
        self._source = source
        self._open_access = open_access
        self._notifier = notifier
        self._permissions = permissions
        self._period = period
        self._plugins = plugins
        self._problems = Seen[Problem]()
        self._warnings = Seen[Problem]()
        self._unreadable = Once()
        self._good: DesiredState | None = None

    async def run(self, stopping: Stopping) -> None:
        """Until asked to stop; returns when every lane has ended."""
        lanes: _Lanes = {}
        async with asyncio.TaskGroup() as group:
            try:
                while not stopping:
                    desired = await self._read()
                    if desired is not None:
                        await self._arrange(desired, lanes, group)
                        for running in lanes.values():
                            running.lane.wake(desired)
                    await self._source.changed(stopping, within=self._period)
            finally:
                for running in lanes.values():
                    running.stopping.set()

    async def _read(self) -> DesiredState | None:
        """What the manifests say; the last that could be read, unsound, while they cannot be read at all."""
        try:
            snapshot = await self._source.read()
        except SourceUnreadable as fault:
            problem = Problem("manifests", str(fault), "the last good state stands; nothing is deleted")
            if self._unreadable.is_news("source", str(fault)):
                log.warning("source.unreadable", problem=str(fault))
            if self._good is None:
                return None
            return dataclasses.replace(self._good, problems=(problem,))
        if self._unreadable.clear():
            log.info("source.back")
        before, self._good = self._good, manifests.read(snapshot, plugins=self._plugins)
        desired = self._good
        if before is not None and (paths := moved(before, desired)):
            log.info("manifests.changed", revision=desired.revision, paths=list(paths[:_SHOWN]), count=len(paths))
        for problem in self._problems.changed({problem: problem for problem in desired.problems}):
            log.warning("manifest.problem", where=problem.where, problem=problem.what, hint=problem.hint)
        for warning in self._warnings.changed({warning: warning for warning in desired.warnings}):
            log.info("manifest.warning", where=warning.where, what=warning.what)
        return desired

    async def _arrange(self, desired: DesiredState, lanes: _Lanes, group: asyncio.TaskGroup) -> None:
        """One lane for each cluster that the manifests name, reached as they say now."""
        names = set(desired.clusters)
        if not desired.sound:
            names |= {spec.name for spec, _ in lanes}
        only = len(names) == 1
        wanted = {(dataclasses.replace(spec, origin=None), only): spec for spec in desired.clusters.values()}
        for key in list(lanes.keys() - wanted.keys()):
            # while a manifest is broken, a cluster that is missing may only be hidden by it
            if desired.sound or key[0].name in desired.clusters:
                running = lanes.pop(key)
                running.stopping.set()
                await asyncio.wait([running.task])  # two lanes on one cluster would trip over one another
        for key in wanted.keys() - lanes.keys():
            lane = Lane(
                wanted[key],
                self._open_access,
                only=only,
                permissions=self._permissions,
                notifier=self._notifier,
            )
            stopping = Stopping()
            lanes[key] = _Running(lane, stopping, group.create_task(lane.run(stopping), name=f"lane of {key[0].name}"))

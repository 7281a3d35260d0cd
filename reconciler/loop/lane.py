"""The lane of one cluster: look, plan, tell, apply, tell; again when woken. It never holds up another lane."""

import asyncio
import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler import drift
from reconciler.apply import Done, carry_out
from reconciler.diff.worlds import SETTLE_MS
from reconciler.loop.access import Access, OpenAccess
from reconciler.loop.saying import Once, Seen
from reconciler.loop.survey import Scene, survey
from reconciler.model import ClusterSpec, DesiredState, Entry, News, Resolved
from reconciler.model.errors import ReconcilerFault, Stopped
from reconciler.plan import Create, Note, Permissions, SetState
from reconciler.ports import Journal, Notifier
from runtime.contract import ConnectorName, Problem
from runtime.foundation import logs
from runtime.foundation.backoff import Backoff
from runtime.foundation.stopping import Stopping

log = logs.get(__name__)

RETRY: Final = Backoff(first=1.0, most=60.0)
"""A cluster that is down is asked again soon at first, and once a minute in the end."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The pass did what there was to do."""

    recheck: float | None = None
    """Seconds after which to look again even when nobody wakes us."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """The pass could not go on; trying again may help."""

    problem: str


class Lane:
    """Keeps one cluster as the manifests want it."""

    def __init__(
        self,
        spec: ClusterSpec,
        open_access: OpenAccess,
        *,
        only: bool,
        permissions: Permissions,
        notifier: Notifier,
        backoff: Backoff = RETRY,
    ) -> None:
        self._spec = spec
        self._open_access = open_access
        self._only = only
        self._permissions = permissions
        self._notifier = notifier
        self._backoff = backoff
        self._desired: DesiredState | None = None
        self._woken = asyncio.Event()
        self._told_before = 0
        """Problems of the manifests that whoever woke us has already told."""

        self._stalls = Once()
        self._troubles = Once()
        self._notes = Seen[Note]()
        self._complaints = Seen[Problem]()

    def wake(self, desired: DesiredState) -> None:
        """There is reason to look; the newest *desired* counts."""
        self._desired = desired
        self._told_before = len(desired.problems)
        self._woken.set()

    async def run(self, stopping: Stopping) -> None:
        """Converge whenever woken, until asked to stop."""
        try:
            async with self._open_access(self._spec, only=self._only) as access:
                await self._converge(access, stopping)
        except ReconcilerFault as fault:  # passes supervise themselves, so this is about opening
            log.error("cluster.unusable", cluster=self._spec.name, problem=str(fault))
            await stopping.wait()

    async def _converge(self, access: Access, stopping: Stopping) -> None:
        delays = self._backoff.delays()
        patience: float | None = None
        while not stopping:
            await _woken(self._woken, stopping, patience)
            if stopping or self._desired is None:
                continue
            self._woken.clear()
            match await self._supervised(access, self._desired, stopping):
                case Settled(recheck):
                    if self._stalls.clear():
                        log.info("cluster.back", cluster=self._spec.name)
                    delays = self._backoff.delays()
                    patience = recheck
                case Stalled(problem):
                    if self._stalls.is_news(self._spec.name, problem):
                        log.warning("cluster.stalled", cluster=self._spec.name, problem=problem)
                    patience = next(delays)

    async def _supervised(self, access: Access, desired: DesiredState, stopping: Stopping) -> Settled | Stalled:
        """One pass; whatever goes wrong in it ends here, because other clusters must not suffer from it."""
        try:
            return await self.once(access, desired, stopping)
        except Stopped:
            return Settled()
        except ReconcilerFault as fault:
            return Stalled(str(fault))
        except Exception as err:
            log.error("pass.crashed", cluster=self._spec.name, exc_info=True)
            return Stalled(type(err).__name__)

    async def once(self, access: Access, desired: DesiredState, stopping: Stopping) -> Settled:
        """One pass. Raises ReconcilerFault when a world cannot be read or the journal not written."""
        scene = await survey(desired, access, permissions=self._permissions)
        self._say(scene)
        news = drift.notice(scene.plan, scene.desired, scene.entries, now_ms=access.clock.now_ms())
        entries = await self._tell(access.journal, news, dict(scene.entries))
        done = await carry_out(
            scene.plan,
            cluster=access.cluster,
            journal=access.journal,
            entries=entries,
            clock=access.clock,
            stopping=stopping,
            report=self._report,
        )
        failed = {outcome.step.ref for outcome in done if not outcome.ok}
        succeeded = {outcome.step.ref for outcome in done} - failed
        if succeeded:
            entries = dict(await access.journal.read(access.spec.name))
            incidents = [entry.incident for entry in entries.values() if entry.incident is not None]
            ended = drift.healed(scene.plan, succeeded, incidents, now_ms=access.clock.now_ms())
            await self._tell(access.journal, ended, entries)
        asked = any(outcome.ok and isinstance(outcome.step, Create | SetState) for outcome in done)
        return Settled(recheck=SETTLE_MS / 1000 + 1 if asked else None)

    async def _tell(
        self, journal: Journal, news: Iterable[News], entries: dict[ConnectorName, Entry]
    ) -> dict[ConnectorName, Entry]:
        """Tell people, then remember that they were told: better told twice than never."""
        for item in news:
            self._notifier.tell(item)
            ref = item.incident.ref
            incident = None if isinstance(item, Resolved) else item.incident
            entry = dataclasses.replace(entries.get(ref.name, Entry()), incident=incident)
            await journal.write(ref, entry)
            entries[ref.name] = entry
        return entries

    def _report(self, done: Done) -> None:
        if done.ok:
            self._troubles.forget(str(done.step.ref))
            log.info("step.done", step=str(done.step))
        elif done.problem and self._troubles.is_news(str(done.step.ref), done.problem):
            log.warning("step.failed", step=str(done.step), problem=done.problem)

    def _say(self, scene: Scene) -> None:
        """Log what this pass noticed and the last one did not."""
        for note in self._notes.changed({(note.kind, note.ref, note.text): note for note in scene.plan.notes}):
            log.warning("connector.noticed", connector=str(note.ref), kind=note.kind.value, text=note.text)
        unknown_classes = scene.desired.problems[self._told_before :]
        for problem in self._complaints.changed({problem: problem for problem in unknown_classes}):
            log.warning("manifest.problem", where=problem.where, problem=problem.what, hint=problem.hint)


async def _woken(event: asyncio.Event, stopping: Stopping, patience: float | None) -> None:
    """Wait for a wake, a stop or *patience* seconds; None means as long as it takes."""
    waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(stopping.wait())]
    try:
        await asyncio.wait(waits, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

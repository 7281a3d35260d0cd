"""
The only place that changes anything on a cluster.

For each step: the intent goes to the journal, the step is done, its outcome goes to the journal. A process
killed anywhere in between finds the intent, looks at the cluster and carries on:

    killed before the step      the next plan contains it again
    killed after the step       the next look shows it done; the record is made up for

Steps of one connector follow one another and end at the first failure; connectors do not wait for one
another, except that deletions come last.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from reconciler.model import ConnectorSpec, Entries, Entry, LastApplied, Ref, Stage, StepRecord, Title, remember
from reconciler.model.errors import ClusterFault, ConnectorExists, Stopped
from reconciler.plan import Adopt, ClusterPlan, Create, Delete, Forget, Record, SetState, Step, Update, Upkeep
from reconciler.ports import Cluster, Journal, persist
from runtime.contract import ConnectorName
from runtime.foundation.clock import Clock
from runtime.foundation.stopping import Stopping

PATIENCE: Final = 60.0
"""Seconds to keep trying one step over rebalances and restarts of workers."""

AT_ONCE: Final = 4
"""Connectors changed at the same time. Each change makes a Java cluster rebalance; more would only queue there."""


@dataclass(frozen=True, slots=True)
class Done:
    """How one step ended."""

    step: Step
    problem: str = ""
    """Why it failed; empty when it was done."""

    skipped: bool = False
    """Not tried, because an earlier step of the same connector failed or a stop was asked for."""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return not self.problem and not self.skipped


async def carry_out(
    plan: ClusterPlan,
    *,
    cluster: Cluster,
    journal: Journal,
    entries: Entries,
    clock: Clock,
    stopping: Stopping,
    report: Callable[[Done], None] = lambda _: None,
    patience: float = PATIENCE,
) -> tuple[Done, ...]:
    """
    Do what *plan* says, in its order, and tell how each step ended.

    *entries* are the journal's, as the plan was made from them; *report* hears of each step as it ends.
    Raises JournalFault when the journal cannot be written: without it nothing is done.
    """
    work = _Work(plan, cluster, journal, dict(entries), clock, stopping, report, patience)
    for upkeep in plan.upkeep:
        await work.keep_books(upkeep)
    groups = [tuple(group) for _, group in groupby(plan.steps, key=lambda step: step.ref)]
    changes = [group for group in groups if not isinstance(group[0], Delete)]
    deletions = [group for group in groups if isinstance(group[0], Delete)]
    done: list[Done] = []
    for some in (changes, deletions):
        for outcome in await _bounded(work, some):
            done += outcome
    return tuple(done)


async def _bounded(work: "_Work", groups: Sequence[tuple[Step, ...]]) -> list[list[Done]]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def through(steps: tuple[Step, ...]) -> list[Done]:
        async with gate:
            return await work.walk(steps)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(through(steps), name=f"apply {steps[0].ref}") for steps in groups]
    except ExceptionGroup as several:
        raise several.exceptions[0] from several  # only a journal fault gets here; one of them says it all
    return [task.result() for task in tasks]


@dataclass(slots=True)
class _Work:
    plan: ClusterPlan
    cluster: Cluster
    journal: Journal
    entries: dict[ConnectorName, Entry]
    clock: Clock
    stopping: Stopping
    report: Callable[[Done], None]
    patience: float

    async def walk(self, steps: tuple[Step, ...]) -> list[Done]:
        """The steps of one connector."""
        done: list[Done] = []
        for step in steps:
            if self.stopping or (done and not done[-1].ok):
                outcome = Done(step, skipped=True)
            else:
                outcome = await self._one(step)
            done.append(outcome)
            self.report(outcome)
        return done

    async def keep_books(self, upkeep: Upkeep) -> None:
        """Bring the journal up to date with what is true anyway."""
        match upkeep:
            case Forget(ref):
                await self._write(ref, None)
            case Record(spec, title, secrets):
                before = self._entry(spec.ref)
                state_at = before.applied.state_at_ms if before.applied else self.clock.now_ms()
                applied = self._remember(spec, secrets, title, state_at=state_at)
                step = before.step
                if step is not None and before.unfinished:  # whoever meant it was killed; what it was for is true now
                    step = dataclasses.replace(step, stage=Stage.DONE)
                await self._write(spec.ref, dataclasses.replace(before, applied=applied, step=step))

    async def _one(self, step: Step) -> Done:
        action = _ACTIONS[type(step)]
        await self._write(step.ref, dataclasses.replace(self._entry(step.ref), step=self._stage(action, Stage.INTENT)))
        try:
            await persist(lambda: self._act(step), stopping=self.stopping, patience=self.patience)
        except Stopped:
            return Done(step, skipped=True)  # the intent stays; whoever looks next finds out how it ended
        except ClusterFault as fault:
            failed = self._stage(action, Stage.FAILED, str(fault))
            await self._write(step.ref, dataclasses.replace(self._entry(step.ref), step=failed))
            return Done(step, problem=str(fault))
        await self._write(step.ref, self._after(step, self._stage(action, Stage.DONE)))
        return Done(step)

    async def _act(self, step: Step) -> None:
        match step:
            case Create(spec=spec):
                try:
                    await self.cluster.create(spec.name, spec.config, spec.state)
                except ConnectorExists:
                    live = await self.cluster.connector(spec.name)
                    if live is None or any(live.config.get(key) != value for key, value in spec.config.items()):
                        raise
                    # an earlier try got through although its answer did not
            case Update(spec=spec, config=config):
                await self.cluster.put_config(spec.name, config)
            case SetState(spec=spec):
                await self.cluster.set_state(spec.name, spec.state)
            case Delete(ref=ref):
                await self.cluster.delete(ref.name)
            case Adopt():
                pass  # only the journal learns of it

    def _after(self, step: Step, stage: StepRecord) -> Entry | None:
        """The journal's entry once *step* is done."""
        before = self._entry(step.ref)
        now = self.clock.now_ms()
        applied = before.applied
        match step:
            case Delete():
                return None
            case Adopt(spec=spec, live=live, secrets=secrets):
                config = {key: value for key, value in live.config.items() if value is not None}
                as_found = dataclasses.replace(spec, config=config, state=live.target or spec.state)
                applied = self._remember(as_found, secrets, Title.ADOPTED, state_at=0)
            case Create(spec=spec, secrets=secrets):
                applied = self._remember(spec, secrets, Title.CREATED, state_at=now)
            case Update(spec=spec, secrets=secrets):
                title = applied.title if applied else Title.CREATED
                fresh = self._remember(spec, secrets, title, state_at=applied.state_at_ms if applied else now)
                # while the state is still to be set, what was last asked for stays on record
                to_come = applied is not None and any(
                    isinstance(other, SetState) and other.ref == step.ref for other in self.plan.steps
                )
                applied = dataclasses.replace(fresh, state=applied.state) if applied and to_come else fresh
            case SetState(spec=spec, secrets=secrets):
                if applied is None:
                    applied = self._remember(spec, secrets, Title.CREATED, state_at=now)
                applied = dataclasses.replace(applied, state=spec.state, at_ms=now, state_at_ms=now)
        return dataclasses.replace(before, applied=applied, step=stage)

    def _remember(self, spec: ConnectorSpec, secrets: frozenset[str], title: Title, *, state_at: int) -> LastApplied:
        return remember(
            spec,
            secret=secrets,
            title=title,
            revision=self.plan.revision,
            at_ms=self.clock.now_ms(),
            state_at_ms=state_at,
        )

    def _entry(self, ref: Ref) -> Entry:
        return self.entries.get(ref.name, Entry())

    async def _write(self, ref: Ref, entry: Entry | None) -> None:
        await self.journal.write(ref, entry)
        if entry is None:
            self.entries.pop(ref.name, None)
        else:
            self.entries[ref.name] = entry

    def _stage(self, action: str, stage: Stage, problem: str = "") -> StepRecord:
        return StepRecord(action, stage, self.clock.now_ms(), self.plan.fingerprint, problem)


_ACTIONS: Final = {Adopt: "adopt", Create: "create", Update: "update", SetState: "state", Delete: "delete"}

"""
The commands as plain functions from settings to exit codes; data goes to stdout, talk to stderr.

    0  nothing to do, or done
    1  error: a manifest is broken, something could not be read or done
    2  plan only: there are changes
    64 usage error
"""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, Literal

from rich.console import Console

from reconciler import app, manifests
from reconciler.adapters.directory import Directory
from reconciler.apply import Done, carry_out
from reconciler.loop import Access, Scene, survey
from reconciler.model import DesiredState
from reconciler.model.errors import PlanIsStale, ReconcilerFault, SettingsRefused, Stopped
from reconciler.plan import Heal, Permissions, Plan, document, render
from reconciler.ports import persist
from reconciler.settings import Settings, Up
from runtime.contract import Problem
from runtime.foundation import logs
from runtime.foundation.stopping import Stopping

OK: Final = 0
ERROR: Final = 1
CHANGES: Final = 2
USAGE: Final = 64

Output = Literal["text", "json"]

_PATIENCE: Final = 5.0
"""Seconds a person waits for a cluster that is busy before being told."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How to speak."""

    output: Output = "text"
    color: bool | None = None
    """None: colour on a terminal, unless NO_COLOR is set."""

    def data(self) -> Console:
        """Standard output."""
        return self._console(stderr=False)

    def talk(self) -> Console:
        """Standard error."""
        return self._console(stderr=True)

    def _console(self, *, stderr: bool) -> Console:
        return Console(
            stderr=stderr,
            soft_wrap=True,
            highlight=False,
            markup=False,
            emoji=False,
            force_terminal=True if self.color else None,
            no_color=None if self.color is None else not self.color,
        )


def plan(settings: Settings, voice: Voice = Voice()) -> int:
    """Show what `apply` would do. Exit codes: 0 nothing to do, 2 changes, 1 error."""
    return _run(lambda stopping: _plan(settings, voice, stopping), voice)


def apply(
    settings: Settings,
    voice: Voice = Voice(),
    *,
    approved: str | None = None,
    confirm: Callable[[], bool] | None = None,
) -> int:
    """
    Make it so. *approved* is the fingerprint of a plan that somebody has read: another plan is refused.

    *confirm* is asked once the plan has been shown; None applies without asking. Nothing at all is applied
    while a manifest is broken or a cluster cannot be read.
    """
    if confirm is None:
        return _run(lambda stopping: _apply(settings, voice, stopping, approved), voice)
    shown: list[Plan] = []
    code = _run(lambda stopping: _preview(settings, voice, stopping, shown), voice)
    if not shown or not shown[0].steps:
        return code
    if not confirm():
        voice.talk().print("Nothing was applied.")
        return ERROR
    fingerprint = shown[0].fingerprint
    return _run(lambda stopping: _apply(settings, voice, stopping, fingerprint, again=True), voice)


def validate(settings: Settings, voice: Voice = Voice()) -> int:
    """Check the manifests without touching anything; classes too, where a cluster can be asked. Exit codes 0, 1."""
    return _run(lambda stopping: _validate(settings, voice, stopping), voice)


def watch(settings: Settings, voice: Voice = Voice()) -> int:
    """Keep the clusters as the manifests want them, until interrupted."""
    return _run(lambda stopping: _watch(settings, stopping), voice)


async def _plan(settings: Settings, voice: Voice, stopping: Stopping) -> int:
    async with AsyncExitStack() as stack:
        world = await _world(settings, stack, stopping)
        whole = world.plan
    _complain(voice, whole.problems, world.desired.warnings)
    _show(voice, whole)
    if not whole.complete:
        return ERROR
    return CHANGES if whole.steps else OK


async def _preview(settings: Settings, voice: Voice, stopping: Stopping, shown: list[Plan]) -> int:
    """What `plan` does; the plan goes to *shown* when it may be applied."""
    async with AsyncExitStack() as stack:
        world = await _world(settings, stack, stopping)
        _complain(voice, world.plan.problems, world.desired.warnings)
        _show(voice, world.plan)
        if world.plan.problems:
            voice.talk().print("Nothing was applied.", style="bold red")
            return ERROR
        if not world.plan.steps:
            await _carry_out(world, voice, stopping)  # the journal may have something to catch up with
    shown.append(world.plan)
    return OK if world.plan.complete else ERROR


async def _apply(
    settings: Settings, voice: Voice, stopping: Stopping, approved: str | None, *, again: bool = False
) -> int:
    """Plan and carry out; *again* when the plan has been shown before."""
    async with AsyncExitStack() as stack:
        world = await _world(settings, stack, stopping)
        whole = world.plan
        _complain(voice, whole.problems, () if again else world.desired.warnings)
        if voice.output == "text" and not again:
            _show(voice, whole)
        if whole.problems:
            voice.talk().print("Nothing was applied.", style="bold red")
            return _results(voice, whole, [], ERROR)
        if approved is not None and approved != whole.fingerprint:
            raise PlanIsStale(f"{approved} was approved, but the plan is now {whole.fingerprint}; nothing was applied")
        done = await _carry_out(world, voice, stopping)
    ok = whole.complete and all(outcome.ok for outcome in done)
    return _results(voice, whole, done, OK if ok else ERROR)


async def _carry_out(world: "_World", voice: Voice, stopping: Stopping) -> list[Done]:
    done: list[Done] = []
    for scene, access in world.scenes:
        done += await carry_out(
            scene.plan,
            cluster=access.cluster,
            journal=access.journal,
            entries=scene.entries,
            clock=access.clock,
            stopping=stopping,
            report=lambda outcome: _report(voice, outcome),
        )
    return done


async def _validate(settings: Settings, voice: Voice, stopping: Stopping) -> int:
    desired = await _desired(settings)
    problems = list(desired.problems)
    asks = settings.connect_url is not None or Up.find(settings.folder) is not None
    if asks and settings.known_plugins is None:
        async with AsyncExitStack() as stack:
            problems = list((await _world(settings, stack, stopping)).plan.problems)
    _complain(voice, problems, desired.warnings)
    if voice.output == "json":
        _json(
            {
                "format_version": "1.0",
                "valid": not problems,
                "connectors": len(desired.connectors),
                "clusters": len(desired.clusters),
                "problems": [_problem(problem) for problem in problems],
                "warnings": [_problem(warning) for warning in desired.warnings],
            }
        )
    else:
        count = len(desired.connectors)
        verdict = f"{len(problems)} to fix" if problems else "no mistakes"
        sys.stdout.write(f"{count} connector{'' if count == 1 else 's'}, {verdict}\n")
    return ERROR if problems else OK


async def _watch(settings: Settings, stopping: Stopping) -> int:
    logs.configure()
    await app.run(settings, stopping)
    return OK


@dataclass(frozen=True, slots=True)
class _World:
    desired: DesiredState
    scenes: tuple[tuple[Scene, Access], ...]
    plan: Plan


async def _world(settings: Settings, stack: AsyncExitStack, stopping: Stopping) -> _World:
    """Connect to every cluster and make the plan. A cluster that cannot be read is a problem of the plan."""
    desired = await _desired(settings)
    open_access = app.opener(settings)
    only = len(desired.clusters) == 1
    accesses = tuple(
        [await stack.enter_async_context(open_access(spec, only=only)) for spec in desired.clusters.values()]
    )
    return await _survey(settings, desired, accesses, stopping)


async def _survey(
    settings: Settings, desired: DesiredState, accesses: tuple[Access, ...], stopping: Stopping
) -> _World:
    permissions = app.permissions(settings, Heal.ON_REQUEST)
    answers = await asyncio.gather(*(_one(desired, access, permissions, stopping) for access in accesses))
    scenes = []
    problems = list(desired.problems)
    for answer, access in zip(answers, accesses, strict=True):
        if isinstance(answer, Problem):
            problems.append(answer)
            continue
        scenes.append((answer, access))
        problems += answer.desired.problems[len(desired.problems) :]
    plan = Plan(tuple(scene.plan for scene, _ in scenes), tuple(problems))
    return _World(desired, tuple(scenes), plan)


async def _one(desired: DesiredState, access: Access, permissions: Permissions, stopping: Stopping) -> Scene | Problem:
    try:
        return await persist(
            lambda: survey(desired, access, permissions=permissions), stopping=stopping, patience=_PATIENCE
        )
    except Stopped:
        raise
    except ReconcilerFault as fault:
        hint = "is it running? `tidegate up` starts one, --connect-url names another" if fault.retriable else ""
        return Problem(access.spec.name, str(fault), hint)


async def _desired(settings: Settings) -> DesiredState:
    app.refuse_bad(settings)
    return manifests.read(await Directory(settings.folder).read(), plugins=settings.known_plugins)


def _run(work: Callable[[Stopping], Coroutine[Any, Any, int]], voice: Voice) -> int:
    """Run *work*; the first signal asks it to stop, the second insists."""

    async def main() -> int:
        stopping = Stopping()
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work(stopping))

        def interrupted() -> None:
            if stopping:
                task.cancel()
            stopping.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupted)
        try:
            return await task
        except asyncio.CancelledError:
            return ERROR
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    try:
        return asyncio.run(main())
    except SettingsRefused as fault:
        voice.talk().print(f"error: {fault}", style="red")
        return USAGE
    except ReconcilerFault as fault:
        voice.talk().print(f"error: {fault}", style="red")
        return ERROR


def _complain(voice: Voice, problems: "list[Problem] | tuple[Problem, ...]", warnings: tuple[Problem, ...]) -> None:
    talk = voice.talk()
    for warning in warnings:
        talk.print(f"warning: {warning}", style="yellow")
    for problem in problems:
        talk.print(f"error: {problem}", style="red")


def _show(voice: Voice, whole: Plan) -> None:
    if voice.output == "json":
        _json(document(whole))
    else:
        voice.data().print(render(whole), end="")


def _report(voice: Voice, outcome: Done) -> None:
    if voice.output == "json":
        return
    data = voice.data()
    if outcome.ok:
        data.print(f"  done     {outcome.step}", style="green")
    elif outcome.skipped:
        data.print(f"  skipped  {outcome.step}", style="yellow")
    else:
        data.print(f"  failed   {outcome.step}", style="red")
        voice.talk().print(f"error: {outcome.step}: {outcome.problem}", style="red")


def _results(voice: Voice, whole: Plan, done: list[Done], code: int) -> int:
    """The end of an apply, as data."""
    if voice.output == "json":
        _json(
            {
                **document(whole),
                "applied": [
                    {
                        "step": str(outcome.step),
                        "connector": str(outcome.step.ref),
                        "outcome": "done" if outcome.ok else "skipped" if outcome.skipped else "failed",
                        "problem": outcome.problem or None,
                    }
                    for outcome in done
                ],
            }
        )
    elif done:
        ok = sum(1 for outcome in done if outcome.ok)
        sys.stdout.write(f"\n{ok} of {len(done)} steps done.\n")
    return code


def _problem(problem: Problem) -> dict[str, str]:
    return {"where": problem.where, "what": problem.what, "hint": problem.hint}


def _json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

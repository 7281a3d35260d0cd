"""
From three worlds to one plan: which steps, in which order, and what we are not allowed to do.

Nothing here reads or writes. Nothing is planned for a connector that is unknown, held or withheld, and
nothing is deleted that the journal does not call ours.
"""

from dataclasses import dataclass
from enum import Enum

from reconciler.diff import Change, Comparer, Standing, compare, is_masked, recorded
from reconciler.model import (
    ConnectorSpec,
    DesiredState,
    Entries,
    Entry,
    ObservedConnector,
    ObservedState,
    Policy,
    Ref,
    Title,
    Unknown,
    keys,
)
from reconciler.plan.plan import ClusterPlan, Moved, Note, Noticed
from reconciler.plan.steps import Adopt, Create, Delete, Forget, Record, SetState, Step, Update, Upkeep, is_about_state
from runtime.contract import TargetState


class Heal(Enum):
    """Whose word decides about drift."""

    BY_POLICY = "by policy"
    """The daemon's way: each connector's ``drift.policy``."""

    ON_REQUEST = "on request"
    """A person's way: somebody who asks for a plan wants git to be true; only ``ignore`` is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What a plan may do beyond creating and updating."""

    heal: Heal = Heal.ON_REQUEST
    prune: bool = False
    """Delete what is ours and no longer in git."""

    mass_delete: bool = False
    """Let a plan pass that the breaker would stop."""

    most_deleted: int = 3
    """So many deletions on a cluster never trip the breaker, as long as something of ours is left."""

    most_deleted_share: float = 0.5
    """More than *most_deleted* and more than this share of what is ours trips it. 0 to 1."""


def build(
    desired: DesiredState, observed: ObservedState, entries: Entries, *, permissions: Permissions, now_ms: int
) -> ClusterPlan:
    """The plan for the cluster that was *observed*."""
    cluster = observed.cluster
    wanted = desired.of_cluster(cluster)
    outcomes = [
        _one(spec, observed, entries.get(name, Entry()), permissions, now_ms) for name, spec in sorted(wanted.items())
    ]
    gone = _gone(desired, observed, entries, permissions)
    health = [
        Note(Noticed.HEALTH, Ref(cluster, name), line)
        for name, live in sorted(observed.connectors.items())
        if isinstance(live, ObservedConnector) and (name in wanted or name in entries)
        for line in live.health.complaints()
    ]
    return ClusterPlan(
        cluster=cluster,
        kafka_cluster_id=observed.kafka_cluster_id,
        revision=desired.revision,
        connectors=len(observed.connectors),
        unchanged=sum(1 for outcome in outcomes if not outcome.steps and not outcome.unknown),
        steps=(*(step for outcome in outcomes for step in outcome.steps), *gone.steps),
        upkeep=(*(record for outcome in outcomes for record in outcome.upkeep), *gone.upkeep),
        notes=(*(note for outcome in outcomes for note in outcome.notes), *gone.notes, *health),
        moved=tuple(outcome.moved for outcome in outcomes if outcome.moved is not None),
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    steps: tuple[Step, ...] = ()
    upkeep: tuple[Upkeep, ...] = ()
    notes: tuple[Note, ...] = ()
    moved: Moved | None = None
    unknown: bool = False


def _one(spec: ConnectorSpec, observed: ObservedState, entry: Entry, permissions: Permissions, now_ms: int) -> _Outcome:
    live = observed.connectors.get(spec.name)
    comparer = Comparer(observed.definitions.get(spec.name, {}), observed.plugins)
    if spec.held:
        return _Outcome(notes=(Note(Noticed.HELD, spec.ref, "left alone, as its manifest asks"),))
    match live:
        case Unknown(reason):
            return _Outcome(notes=(Note(Noticed.UNKNOWN, spec.ref, reason),), unknown=True)
        case None:
            return _absent(spec, entry, comparer, permissions)
        case ObservedConnector():
            return _present(spec, live, entry, comparer, permissions, now_ms)


def _absent(spec: ConnectorSpec, entry: Entry, comparer: Comparer, permissions: Permissions) -> _Outcome:
    secrets = _secrets(spec, comparer)
    if entry.applied is None:
        return _Outcome(steps=(Create(spec, Standing.PENDING, secrets),))
    policy = spec.drift.for_path(keys.EXISTENCE)
    if policy is Policy.IGNORE:
        return _Outcome()
    heals = policy is Policy.HEAL or permissions.heal is Heal.ON_REQUEST
    deleted = Change(
        keys.EXISTENCE,
        Standing.DRIFTED,
        live=None,
        wanted="present",
        applied="present",
        secret=False,
        origin=spec.origin,
    )
    return _Outcome(
        steps=(Create(spec, Standing.DRIFTED, secrets),) if heals else (),
        moved=Moved(spec.ref, policy, (deleted,), frozenset() if heals else frozenset({keys.EXISTENCE})),
    )


def _present(
    spec: ConnectorSpec,
    live: ObservedConnector,
    entry: Entry,
    comparer: Comparer,
    permissions: Permissions,
    now_ms: int,
) -> _Outcome:
    changes = [
        change
        for change in compare(spec, entry.applied, live, comparer=comparer, now_ms=now_ms)
        if spec.drift.for_path(change.path) is not Policy.IGNORE or _git_moved(change, spec)
    ]
    moved = tuple(
        change
        for change in changes
        if change.standing is not Standing.PENDING and spec.drift.for_path(change.path) is not Policy.IGNORE
    )
    acted = [change for change in changes if _acts(change, spec, permissions)]
    left = frozenset(change.path for change in changes) - {change.path for change in acted}
    secrets = _secrets(spec, comparer)
    steps: list[Step] = []
    upkeep: tuple[Upkeep, ...] = ()
    if entry.applied is None and not entry.created_perhaps:
        steps.append(Adopt(spec, live, frozenset(key for key in live.config if comparer.is_secret(key))))
    if config := tuple(change for change in acted if not is_about_state(change)):
        touched = {change.key for change in config}
        steps.append(Update(spec, config, _to_send(spec, live, touched, comparer), len(live.health.tasks), secrets))
    for change in acted:
        if is_about_state(change):
            step = SetState(spec, change, secrets)
            # what stops or pauses first is not restarted by the update; what starts last starts with the new values
            steps.insert(len(steps) if spec.state is TargetState.STARTED else _after_adoption(steps), step)
    if not steps and (
        entry.applied is None or entry.unfinished or not recorded(spec, entry.applied, comparer=comparer)
    ):
        title = entry.applied.title if entry.applied else Title.CREATED
        upkeep = (Record(spec, title, secrets),)
    return _Outcome(
        steps=tuple(steps),
        upkeep=upkeep,
        moved=Moved(spec.ref, spec.drift.policy, moved, left) if moved else None,
    )


def _acts(change: Change, spec: ConnectorSpec, permissions: Permissions) -> bool:
    """Git's own moves are always carried out; what only live moved, as policy or a person's request says."""
    if change.standing is not Standing.DRIFTED or permissions.heal is Heal.ON_REQUEST:
        return True
    return spec.drift.for_path(change.path) is Policy.HEAL


def _git_moved(change: Change, spec: ConnectorSpec) -> bool:
    """``policy: ignore`` is about drift: what git itself moved is applied. An ignore *rule* covers both."""
    return change.standing is not Standing.DRIFTED and not keys.ignored(change.path, spec.drift.ignore)


def _to_send(spec: ConnectorSpec, live: ObservedConnector, touched: set[str], comparer: Comparer) -> dict[str, str]:
    """The whole configuration to put: git's values for *touched* keys, live's for all others that differ."""
    config = dict(spec.config)
    for key in spec.config.keys() | live.config.keys():
        if key in touched or key == "name" or comparer.same(key, spec.config.get(key), live.config.get(key)):
            continue
        fact = live.config.get(key)
        if fact is None:
            config.pop(key, None)
        elif not is_masked(fact):
            config[key] = fact
    return config


def _after_adoption(steps: list[Step]) -> int:
    return 1 if steps and isinstance(steps[0], Adopt) else 0


def _secrets(spec: ConnectorSpec, comparer: Comparer) -> frozenset[str]:
    return frozenset(key for key in spec.config if comparer.is_secret(key))


def _gone(desired: DesiredState, observed: ObservedState, entries: Entries, permissions: Permissions) -> _Outcome:
    """What the journal calls ours and git no longer names."""
    cluster = observed.cluster
    wanted = desired.of_cluster(cluster)
    doomed: list[Step] = []
    upkeep: list[Upkeep] = []
    notes: list[Note] = []
    ours = {name for name, entry in entries.items() if entry.applied is not None or entry.created_perhaps}
    for name in sorted(ours - wanted.keys()):
        ref = Ref(cluster, name)
        live = observed.connectors.get(name)
        if name in desired.withheld:
            notes.append(Note(Noticed.HELD, ref, "left alone: its manifest is broken"))
        elif isinstance(live, Unknown):
            notes.append(Note(Noticed.UNKNOWN, ref, live.reason))
        elif live is None:
            upkeep.append(Forget(ref))
        elif not permissions.prune:
            notes.append(Note(Noticed.ORPHAN, ref, "no longer in git, kept: prune is off"))
        elif not desired.sound:
            notes.append(
                Note(Noticed.ORPHAN, ref, "no longer in git, kept: nothing is deleted while a manifest is broken")
            )
        else:
            applied = entries[name].applied
            title = applied.title if applied else Title.CREATED
            doomed.append(Delete(ref, title, len(live.health.tasks)))
    if reason := _breaker(len(doomed), len(ours), bool(wanted), permissions):
        notes += [Note(Noticed.WITHHELD, step.ref, reason) for step in doomed]
        doomed = []
    return _Outcome(tuple(doomed), tuple(upkeep), tuple(notes))


def _breaker(doomed: int, ours: int, anything_wanted: bool, permissions: Permissions) -> str:
    """Why so many deletions at once are refused; empty when they may pass."""
    if permissions.mass_delete or not doomed:
        return ""
    how = "if that is meant, say --allow-mass-delete"
    if not anything_wanted:
        return f"not deleted: git names no connector of this cluster at all; {how}"
    if doomed > permissions.most_deleted and doomed > permissions.most_deleted_share * ours:
        return f"not deleted: {doomed} of {ours} connectors would go at once; {how}"
    return ""

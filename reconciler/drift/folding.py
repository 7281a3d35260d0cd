"""
News is what differs from what was already told; no difference, no news.

Twice in each pass: :func:`notice` once the plan is made, :func:`healed` once it is carried out.
"""

from collections.abc import Iterable, Iterator

from reconciler.diff.worlds import STATE_WORDS
from reconciler.model import (
    Changed,
    ConnectorSpec,
    DesiredState,
    Ending,
    Entries,
    Incident,
    MovedKey,
    News,
    Opened,
    Policy,
    Ref,
    Resolved,
    keys,
)
from reconciler.plan import ClusterPlan, Moved, Noticed, moved_key
from reconciler.plan.wording import ABSENT, visible


def notice(plan: ClusterPlan, desired: DesiredState, entries: Entries, *, now_ms: int) -> tuple[News, ...]:
    """What to tell before *plan* is carried out; *entries* hold the incidents that were told before."""
    return tuple(_notice(plan, desired, entries, now_ms))


def healed(
    plan: ClusterPlan, done: Iterable[Ref], open_incidents: Iterable[Incident], *, now_ms: int
) -> tuple[News, ...]:
    """What to tell after *plan*: incidents of connectors in *done* of which nothing was left as it is."""
    left = {moved.ref for moved in plan.moved if moved.left}
    succeeded = set(done)
    return tuple(
        Resolved(incident, Ending.HEALED, now_ms)
        for incident in open_incidents
        if incident.ref in succeeded and incident.ref not in left
    )


def _notice(plan: ClusterPlan, desired: DesiredState, entries: Entries, now_ms: int) -> Iterator[News]:
    moved = {found.ref: found for found in plan.moved if found.policy is not Policy.IGNORE}
    unclear = {note.ref for note in plan.notes if note.kind in (Noticed.UNKNOWN, Noticed.HELD)}
    for ref, found in moved.items():
        entry = entries.get(ref.name)
        known = entry.incident if entry is not None else None
        if known is None:
            yield Opened(Incident(ref, _keys(found), found.policy, now_ms))
        elif known.keys != _keys(found) or known.policy is not found.policy:
            yield Changed(Incident(ref, _keys(found), found.policy, known.opened_ms))
    for name, entry in entries.items():
        ref = Ref(plan.cluster, name)
        if entry.incident is not None and ref not in moved and ref not in unclear:
            yield Resolved(entry.incident, _ending(entry.incident, desired), now_ms)


def _keys(found: Moved) -> tuple[MovedKey, ...]:
    return tuple(moved_key(change) for change in found.changes)


def _ending(incident: Incident, desired: DesiredState) -> Ending:
    spec = desired.connectors.get(incident.ref)
    if spec is None:
        return Ending.FOLLOWED
    if all(spec.drift.for_path(key.path) is Policy.IGNORE for key in incident.keys):
        return Ending.SILENCED
    if any(not key.secret and _wish(spec, key.path) not in (key.wanted, None) for key in incident.keys):
        return Ending.FOLLOWED
    return Ending.REVERTED


def _wish(spec: ConnectorSpec, path: str) -> str | None:
    """What git asks for at *path* now, as an alert would say it; None for the connector as a whole."""
    if path == keys.EXISTENCE:
        return None
    if path == keys.STATE:
        return STATE_WORDS[spec.state]
    return visible(spec.config.get(keys.KEY_OF_FIELD.get(path, path.removeprefix("config."))), secret=False) or ABSENT

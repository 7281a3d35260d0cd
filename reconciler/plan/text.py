"""A plan for people: plain text, with colour where there is a terminal."""

from itertools import groupby
from typing import Final

from rich.text import Text

from reconciler.diff import Change, Standing
from reconciler.model import Policy
from reconciler.plan import wording
from reconciler.plan.plan import ClusterPlan, Moved, Note, Noticed, Plan, drifted_keys
from reconciler.plan.steps import Adopt, Create, Delete, SetState, Step, Update, changes_of

_NAME_COLUMN: Final = 30
_STANDING_COLUMN: Final = 62
_COLOURS: Final = {"+": "green", "~": "yellow", "-": "red", "=": "cyan", "!": "magenta", "?": "bright_black"}
_STANDING_COLOURS: Final = {
    Standing.PENDING: "yellow",
    Standing.DRIFTED: "magenta",
    Standing.CONFLICT: "red",
}
_NOTE_SYMBOLS: Final = {
    Noticed.UNKNOWN: "?",
    Noticed.HEALTH: "!",
    Noticed.ORPHAN: "!",
    Noticed.HELD: "!",
    Noticed.WITHHELD: "!",
}


def render(plan: Plan) -> Text:
    """The whole plan; ``.plain`` of the result has no colour."""
    text = Text()
    for part in plan.clusters:
        text.append_text(_cluster(part))
        text.append("\n")
    text.append(summary(plan))
    text.append("\n")
    return text


def summary(plan: Plan) -> str:
    """The last line: counts, drift and the fingerprint."""
    steps = plan.steps
    creates = sum(1 for step in steps if isinstance(step, Create))
    updates = len({step.ref for step in steps if isinstance(step, Update | SetState)})
    deletes = sum(1 for step in steps if isinstance(step, Delete))
    adopts = sum(1 for step in steps if isinstance(step, Adopt))
    unchanged = sum(part.unchanged for part in plan.clusters)
    unknown = sum(1 for part in plan.clusters for note in part.notes if note.kind is Noticed.UNKNOWN)
    counts = [f"{creates} to create", f"{updates} to update", f"{deletes} to delete"]
    if adopts:
        counts.append(f"{adopts} to adopt")
    counts.append(f"{unchanged} unchanged")
    if unknown:
        counts.append(f"{unknown} unknown")
    drifted = sum(drifted_keys(part) for part in plan.clusters)
    drift = f"; {drifted} {'key' if drifted == 1 else 'keys'} drifted" if drifted else ""
    return f"{', '.join(counts)}{drift}. Fingerprint {plan.fingerprint}"


def _cluster(part: ClusterPlan) -> Text:
    text = Text()
    text.append(part.cluster, style="bold")
    identity = f"kafka cluster {part.kafka_cluster_id}, " if part.kafka_cluster_id else ""
    count = f"{part.connectors} connector{'' if part.connectors == 1 else 's'}"
    revision = f", revision {part.revision}" if part.revision else ""
    text.append(f"  {identity}{count}{revision}\n\n")
    before = len(text)
    for _, group in groupby(part.steps, key=lambda step: step.ref):
        text.append_text(_block(tuple(group)))
    for moved in part.moved:
        if moved.left:
            text.append_text(_left(moved, alone=not any(step.ref == moved.ref for step in part.steps)))
    for note in part.notes:
        text.append_text(_note(note))
    if len(text) == before:
        text.append("  nothing to do\n")
    return text


def _block(steps: tuple[Step, ...]) -> Text:
    """All steps of one connector under one line."""
    symbol = min((wording.SYMBOLS[type(step)] for step in steps), key="+-~=".index)
    text = _line(symbol, steps[0].ref.name, "; ".join(wording.headline(step) for step in steps))
    for step in steps:
        for change in changes_of(step):
            text.append_text(_key(change))
    return text


def _line(symbol: str, name: str, rest: str) -> Text:
    text = Text("  ")
    text.append(symbol, style=_COLOURS[symbol])
    text.append(" ")
    text.append(name, style="bold")
    text.append(" " * max(2, _NAME_COLUMN - 4 - len(name)))
    text.append(f"{rest}\n")
    return text


def _key(change: Change) -> Text:
    text = Text(f"      {change.path}")
    text.append(" " * max(2, _NAME_COLUMN - len(text)))
    text.append(wording.arrow(change))
    text.append(" " * max(2, _STANDING_COLUMN - len(text)))
    text.append(change.standing.value, style=_STANDING_COLOURS[change.standing])
    place = f"{change.origin.file}:{change.origin.line}" if change.origin else "not in git"
    text.append(" " * (10 - len(change.standing.value)))
    text.append(f"{place}\n", style="bright_black")
    return text


def _left(moved: Moved, *, alone: bool) -> Text:
    text = Text()
    if alone:
        why = {Policy.ALERT: "drift.policy: alert", Policy.IGNORE: "drift.policy: ignore"}.get(moved.policy, "")
        text.append_text(_line("!", moved.ref.name, f"left as it is: {why}" if why else "left as it is"))
    for change in moved.changes:
        if change.path in moved.left:
            text.append_text(_key(change))
    return text


def _note(note: Note) -> Text:
    tail = {Noticed.HEALTH: " (health, not a change)", Noticed.UNKNOWN: " (unknown, nothing planned)"}
    return _line(_NOTE_SYMBOLS[note.kind], note.ref.name, f"{note.text}{tail.get(note.kind, '')}")

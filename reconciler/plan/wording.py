"""How values and steps read; the one place that decides what of a value may be seen."""

from typing import Final

from reconciler.diff import Change, Standing
from reconciler.diff.worlds import STATE_WORDS
from reconciler.model import ConnectorSpec, MovedKey, Remembered, Sealed
from reconciler.plan.steps import Adopt, Create, Delete, SetState, Step, Update
from runtime.foundation.secret import MASK, is_reference, scrub

ABSENT: Final = "(absent)"
NOT_KNOWN: Final = "(not known)"
SYMBOLS: Final = {Adopt: "=", Create: "+", Update: "~", SetState: "~", Delete: "-"}
LONGEST: Final = 48
"""Characters of one value in a text plan; JSON has all of them."""

_BARE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/:${}@+*")


def visible(value: Remembered | None, *, secret: bool) -> str | None:
    """*value* as anybody may see it: secrets masked, references as they are, passwords inside of URLs masked."""
    if value is None:
        return None
    if isinstance(value, Sealed) or (secret and not is_reference(value)):
        return MASK
    return scrub(value)


def quoted(value: str | None, *, absent: str = ABSENT) -> str:
    """*value* as a text plan shows it: bare where it reads as one word, quoted and shortened otherwise."""
    if value is None:
        return absent
    if len(value) > LONGEST:
        value = value[: LONGEST - 1] + "…"
    if value and set(value) <= _BARE:
        return value
    inner = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{inner}"'


def arrow(change: Change) -> str:
    """``500 -> 2000``; for secrets only that they change."""
    absent = NOT_KNOWN if change.path == "spec.state" else ABSENT
    live, wanted = (visible(value, secret=change.secret) for value in (change.live, change.wanted))
    if change.secret and live == wanted:
        return "(secret changed)"
    return f"{quoted(live, absent=absent)} -> {quoted(wanted)}"


def moved_key(change: Change) -> MovedKey:
    """*change* as an alert tells it."""
    was, live, wanted = (visible(value, secret=change.secret) for value in (change.applied, change.live, change.wanted))
    return MovedKey(
        path=change.path,
        was=ABSENT if was is None else was,
        live=ABSENT if live is None else live,
        wanted=ABSENT if wanted is None else wanted,
        origin=str(change.origin) if change.origin else "",
        secret=change.secret,
    )


def headline(step: Step) -> str:
    """What a step means for the connector, in a few words."""
    match step:
        case Create(spec=spec, because=because):
            again = ", deleted behind git's back" if because is Standing.DRIFTED else ""
            return f"{short_class(spec)}, {tasks(spec.tasks_max)}, starts {STATE_WORDS[spec.state]}{again}"
        case Update(tasks=running):
            return f"{tasks(running)} restart{'s' if running == 1 else ''}, offsets kept" if running else "no task runs"
        case SetState(spec=spec):
            return {"running": "starts", "paused": "pauses", "stopped": "stops, offsets kept"}[STATE_WORDS[spec.state]]
        case Adopt():
            return "exists already and becomes ours"
        case Delete(tasks=running):
            return f"no longer in git; {tasks(running)} end{'s' if running == 1 else ''}, offsets are not deleted"


def tasks(count: int) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{count} task" if count == 1 else f"{count} tasks"


def short_class(spec: ConnectorSpec) -> str:
    """The class as people say it."""
    return spec.plugin.rsplit(".", 1)[-1].removesuffix("Connector")

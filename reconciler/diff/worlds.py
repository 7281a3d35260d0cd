"""
Three worlds, not two: what git asks for, what we last applied, what is live.

    git = live                     converged, whatever was applied
    git = applied, live differs    drifted: live moved behind git's back
    live = applied, git differs    pending: git moved and is not applied yet
    all three differ               conflict: both moved
    never applied, git != live     pending
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from reconciler.diff.values import Comparer, is_masked
from reconciler.model import ConnectorSpec, LastApplied, ObservedConnector, Origin, Remembered, keys
from runtime.contract import TargetState

SETTLE_MS: Final = 10_000
"""Pausing, resuming and stopping are asynchronous: for so long after we asked, another state is only late."""


class Standing(Enum):
    """Who moved."""

    PENDING = "pending"
    DRIFTED = "drifted"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Change:
    """One path on which git and live differ. None stands for absent, or for a state that is not known."""

    path: str
    standing: Standing
    live: str | None = field(repr=False)
    wanted: str | None = field(repr=False)
    applied: Remembered | None = field(repr=False)
    secret: bool
    origin: Origin | None
    """Where the manifest says it; None when git does not name it."""

    @property
    def key(self) -> str:
        """The key in Connect's configuration."""
        return keys.KEY_OF_FIELD.get(self.path, self.path.removeprefix("config."))


STATE_WORDS: Final = {
    TargetState.STARTED: "running",
    TargetState.PAUSED: "paused",
    TargetState.STOPPED: "stopped",
}


def compare(
    wanted: ConnectorSpec,
    applied: LastApplied | None,
    live: ObservedConnector,
    *,
    comparer: Comparer,
    now_ms: int,
) -> tuple[Change, ...]:
    """Every path on which *wanted* and *live* differ, in alphabetical order, state first. Knows no policy."""
    state = _state_change(wanted, applied, live, now_ms)
    remembered = applied.config if applied is not None else {}
    names = (wanted.config.keys() | live.config.keys()) - {"name"}
    changes = []
    for key in sorted(names):
        wish, fact, record = wanted.config.get(key), live.config.get(key), remembered.get(key)
        if comparer.same(key, wish, fact):
            continue
        git_stood = applied is not None and comparer.recalls(key, record, wish)
        if is_masked(fact):
            if git_stood:
                continue  # cannot tell; nothing says that it moved
            standing = Standing.PENDING
        elif applied is None:
            standing = Standing.PENDING
        elif git_stood:
            standing = Standing.DRIFTED
        else:
            standing = Standing.PENDING if comparer.recalls(key, record, fact) else Standing.CONFLICT
        path = keys.path_of(key)
        changes.append(
            Change(
                path,
                standing,
                live=fact,
                wanted=wish,
                applied=record,
                secret=comparer.is_secret(key),
                origin=wanted.origins.get(path) if wish is not None else None,
            )
        )
    return (*state, *changes)


def recorded(wanted: ConnectorSpec, applied: LastApplied, *, comparer: Comparer) -> bool:
    """Whether the journal's record of the connector is what *wanted* says."""
    return applied.state is wanted.state and all(
        comparer.recalls(key, applied.config.get(key), wanted.config.get(key))
        for key in wanted.config.keys() | applied.config.keys()
    )


def _state_change(
    wanted: ConnectorSpec, applied: LastApplied | None, live: ObservedConnector, now_ms: int
) -> tuple[Change, ...]:
    fact = live.target
    if fact is wanted.state:
        return ()
    git_stood = applied is not None and applied.state is wanted.state
    if applied is not None and git_stood:
        if fact is None or now_ms - applied.state_at_ms < SETTLE_MS:
            return ()
        standing = Standing.DRIFTED
    elif applied is None or fact is None or fact is applied.state:
        if fact is None and applied is None and wanted.state is TargetState.STARTED:
            return ()  # not ours yet and failed or starting: nothing says that it is not asked to run
        standing = Standing.PENDING
    else:
        standing = Standing.CONFLICT
    return (
        Change(
            keys.STATE,
            standing,
            live=None if fact is None else STATE_WORDS[fact],
            wanted=STATE_WORDS[wanted.state],
            applied=None if applied is None else STATE_WORDS[applied.state],
            secret=False,
            origin=wanted.place(keys.STATE),
        ),
    )

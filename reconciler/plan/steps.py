"""The steps of a plan: small and frozen, and each can say itself in one line without a secret in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.diff import Change, Standing
from reconciler.diff.worlds import STATE_WORDS
from reconciler.model import ConnectorSpec, ObservedConnector, Ref, Title, keys
from runtime.contract import TargetState


@dataclass(frozen=True, slots=True)
class Adopt:
    """Take over a connector that exists and that a manifest names; touches nothing but the journal."""

    spec: ConnectorSpec
    live: ObservedConnector
    secrets: frozenset[str] = frozenset()

    @property
    def ref(self) -> Ref:
        """Which connector."""
        return self.spec.ref

    def __str__(self) -> str:
        return f"adopt connector {self.ref}"


@dataclass(frozen=True, slots=True)
class Create:
    """Create a connector, directly in its state."""

    spec: ConnectorSpec
    because: Standing
    """DRIFTED when somebody deleted it behind git's back."""

    secrets: frozenset[str] = frozenset()
    """Keys whose values must not be shown or remembered."""

    @property
    def ref(self) -> Ref:
        """Which connector."""
        return self.spec.ref

    def __str__(self) -> str:
        return f"create connector {self.ref}, {STATE_WORDS[self.spec.state]}"


@dataclass(frozen=True, slots=True)
class Update:
    """Replace a connector's configuration."""

    spec: ConnectorSpec
    changes: tuple[Change, ...]
    config: Mapping[str, str] = field(repr=False)
    """What is sent: git's wishes, and live values where they are to be left alone."""

    tasks: int
    """Tasks that restart."""

    secrets: frozenset[str] = frozenset()

    @property
    def ref(self) -> Ref:
        """Which connector."""
        return self.spec.ref

    def __str__(self) -> str:
        return f"update connector {self.ref}: " + ", ".join(change.path for change in self.changes)


@dataclass(frozen=True, slots=True)
class SetState:
    """Start, pause or stop a connector."""

    spec: ConnectorSpec
    change: Change
    secrets: frozenset[str] = frozenset()

    @property
    def ref(self) -> Ref:
        """Which connector."""
        return self.spec.ref

    @property
    def state(self) -> TargetState:
        """What it is asked to be."""
        return self.spec.state

    def __str__(self) -> str:
        return f"set connector {self.ref} {STATE_WORDS[self.spec.state]}"


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a connector that we created or adopted and that git no longer names."""

    ref: Ref
    title: Title
    tasks: int

    def __str__(self) -> str:
        return f"delete connector {self.ref}"


Step = Adopt | Create | Update | SetState | Delete


@dataclass(frozen=True, slots=True)
class Record:
    """Remember that git's wish is already true; touches nothing but the journal and is no change."""

    spec: ConnectorSpec
    title: Title
    secrets: frozenset[str] = frozenset()

    @property
    def ref(self) -> Ref:
        """Which connector."""
        return self.spec.ref


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop the journal's entry of a connector that is neither wanted nor there."""

    ref: Ref


Upkeep = Record | Forget
"""Keeps the journal's books; not shown, and not part of the fingerprint."""


def changes_of(step: Step) -> tuple[Change, ...]:
    """The keys that *step* moves; empty where the step is about the whole connector."""
    match step:
        case Update(changes=changes):
            return changes
        case SetState(change=change):
            return (change,)
        case _:
            return ()


def is_about_state(change: Change) -> bool:
    """Whether *change* is the target state and not a key of the configuration."""
    return change.path == keys.STATE

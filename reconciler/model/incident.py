"""Drift as an incident: somebody moved live keys behind git's back; it begins, may change, and ends once."""

from dataclasses import dataclass
from enum import Enum

from reconciler.model.desired import Policy, Ref


@dataclass(frozen=True, slots=True, order=True)
class MovedKey:
    """One key that moved; texts are as a person may see them, secrets already masked."""

    path: str
    was: str
    """What we last applied."""

    live: str
    """What is live instead."""

    wanted: str
    """What git asks for now; differs from *was* in a conflict."""

    origin: str = ""
    """``file:line:column`` of the key in its manifest; empty when git does not name it."""

    secret: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """What moved on one connector, and since when we know."""

    ref: Ref
    keys: tuple[MovedKey, ...]
    policy: Policy
    opened_ms: int

    @property
    def id(self) -> str:
        """The same for every message about this incident."""
        return f"{self.ref}@{self.opened_ms}"


class Ending(Enum):
    """How an incident ended."""

    HEALED = "healed"
    """We put git's value back."""

    REVERTED = "reverted"
    """Somebody put it back live."""

    FOLLOWED = "git followed"
    """A commit asks for what is live, or no longer asks for it."""

    SILENCED = "ignored"
    """The manifest now says to ignore it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Drift began."""

    incident: Incident


@dataclass(frozen=True, slots=True)
class Changed:
    """Other keys, or other values, than were told before."""

    incident: Incident


@dataclass(frozen=True, slots=True)
class Resolved:
    """Drift ended."""

    incident: Incident
    ending: Ending
    at_ms: int


News = Opened | Changed | Resolved

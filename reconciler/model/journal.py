"""What we remember of each connector: what we last applied, the step in progress, the incident that is open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from reconciler.model.desired import ConnectorSpec
from reconciler.model.incident import Incident
from reconciler.model.sealed import Sealed
from runtime.contract import ConnectorName, TargetState
from runtime.foundation.secret import is_reference, is_secret_key

Remembered = str | Sealed
"""A configuration value in the journal: clear text, or recognisable only."""


class Title(Enum):
    """Why a connector is ours."""

    CREATED = "created"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastApplied:
    """The manifest as we last made it true."""

    config: Mapping[str, Remembered] = field(repr=False)
    state: TargetState
    title: Title
    revision: str = ""
    at_ms: int = 0
    """When, in milliseconds since the epoch."""

    state_at_ms: int = 0
    """When we last asked for *state*; a status that still shows another one shortly after is only late."""


class Stage(Enum):
    """How far a step has come."""

    INTENT = "intent"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step as the journal knows it."""

    action: str
    """``create``, ``update``, ``state``, ``adopt`` or ``delete``."""

    stage: Stage
    at_ms: int
    plan: str = ""
    """Fingerprint of the plan that it belongs to."""

    problem: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """All that the journal holds of one connector."""

    applied: LastApplied | None = None
    step: StepRecord | None = None
    incident: Incident | None = None

    @property
    def unfinished(self) -> bool:
        """We meant to do something and never learnt how that ended."""
        return self.step is not None and self.step.stage is Stage.INTENT

    @property
    def created_perhaps(self) -> bool:
        """We meant to create it and never learnt how that ended, so what is there now is ours."""
        return self.applied is None and self.step is not None and self.step.action == "create" and self.unfinished


Entries = Mapping[ConnectorName, Entry]
"""The journal of one cluster."""


def remember(
    spec: ConnectorSpec,
    *,
    secret: frozenset[str] = frozenset(),
    title: Title,
    revision: str,
    at_ms: int,
    state_at_ms: int,
) -> LastApplied:
    """*spec* as the journal may hold it: values of keys in *secret*, or named like one, are sealed."""
    return LastApplied(
        config={
            key: Sealed.of(value) if (key in secret or is_secret_key(key)) and not is_reference(value) else value
            for key, value in spec.config.items()
        },
        state=spec.state,
        title=title,
        revision=revision,
        at_ms=at_ms,
        state_at_ms=state_at_ms,
    )

"""A plan: what will be done, what was noticed, and a fingerprint of exactly what will be done."""

import hashlib
import json
from dataclasses import dataclass, field
from enum import Enum

from reconciler.diff import Change
from reconciler.model import Policy, Ref
from reconciler.model.sealed import fingerprint
from reconciler.plan.steps import Create, Step, Update, Upkeep, changes_of
from runtime.contract import Problem


class Noticed(Enum):
    """What a note is about."""

    UNKNOWN = "unknown"
    """It could not be read, so nothing is planned for it."""

    HEALTH = "health"
    """It FAILED, which is no change."""

    ORPHAN = "orphan"
    """Ours, no longer in git, and kept."""

    HELD = "held"
    """Its manifest asks to be left alone."""

    WITHHELD = "withheld"
    """Something stops us, and that is a problem."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know that is not a step."""

    kind: Noticed
    ref: Ref
    text: str

    @property
    def is_problem(self) -> bool:
        """Whether the plan cannot be called complete because of it."""
        return self.kind in (Noticed.UNKNOWN, Noticed.WITHHELD)


@dataclass(frozen=True, slots=True)
class Moved:
    """Keys of one connector that moved live behind git's back."""

    ref: Ref
    policy: Policy
    changes: tuple[Change, ...]
    left: frozenset[str]
    """Paths that this plan leaves as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    """What will happen on one cluster, in this order."""

    cluster: str
    kafka_cluster_id: str | None = None
    revision: str = ""
    connectors: int = 0
    """How many there are live, ours or not."""

    unchanged: int = 0
    """Connectors that manifests name and that no step touches."""

    steps: tuple[Step, ...] = ()
    upkeep: tuple[Upkeep, ...] = ()
    notes: tuple[Note, ...] = ()
    moved: tuple[Moved, ...] = ()

    @property
    def fingerprint(self) -> str:
        """12 hexadecimal digits, the same in every process for the same steps; no value can be read from it."""
        canonical = json.dumps([_canonical(step) for step in self.steps], sort_keys=True)
        return hashlib.sha256(f"{self.cluster}{canonical}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Plan:
    """What will happen on all clusters."""

    clusters: tuple[ClusterPlan, ...] = ()
    problems: tuple[Problem, ...] = field(default=())
    """What kept parts of the world out of this plan."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        return tuple(step for part in self.clusters for step in part.steps)

    @property
    def fingerprint(self) -> str:
        """12 hexadecimal digits that stand for exactly these steps."""
        if len(self.clusters) == 1:
            return self.clusters[0].fingerprint
        return hashlib.sha256("".join(part.fingerprint for part in self.clusters).encode()).hexdigest()[:12]

    @property
    def complete(self) -> bool:
        """Whether everything could be read and nothing is withheld."""
        return not self.problems and not any(note.is_problem for part in self.clusters for note in part.notes)


def _canonical(step: Step) -> list[object]:
    parts: list[object] = [type(step).__name__, str(step.ref)]
    match step:
        case Create(spec=spec, secrets=secrets):
            parts.append(spec.state.value)
            parts.append({key: _opaque(step.ref, key, value, key in secrets) for key, value in spec.config.items()})
        case Update(config=config, secrets=secrets):
            parts.append({key: _opaque(step.ref, key, value, key in secrets) for key, value in config.items()})
        case _:
            pass
    parts.append(
        [
            [
                change.path,
                _opaque(step.ref, change.path, change.live, change.secret),
                _opaque(step.ref, change.path, change.wanted, change.secret),
            ]
            for change in changes_of(step)
        ]
    )
    return parts


def _opaque(ref: Ref, key: str, value: str | None, secret: bool) -> str | None:
    return fingerprint(value, domain=f"{ref}:{key}") if secret and value is not None else value


def drifted_keys(part: ClusterPlan) -> int:
    """How many keys moved behind git's back."""
    return sum(len(moved.changes) for moved in part.moved)

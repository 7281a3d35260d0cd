"""What the manifests ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from reconciler.model import keys
from runtime.contract import ConnectorName, Problem, TargetState


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A place in a manifest; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One connector of one cluster, printed ``cluster/connector``."""

    cluster: str
    name: ConnectorName

    def __str__(self) -> str:
        return f"{self.cluster}/{self.name}"


class Policy(Enum):
    """What the daemon does when a live key moves behind git's back."""

    HEAL = "heal"
    """Tell, and put git's value back."""

    ALERT = "alert"
    """Tell, and leave it; a person's ``apply`` puts it back."""

    IGNORE = "ignore"
    """Neither tell nor touch."""


@dataclass(frozen=True, slots=True)
class DriftRule:
    """How drift of one connector is met."""

    policy: Policy = Policy.HEAL
    ignore: tuple[str, ...] = ()
    """Paths, wildcards allowed, for which the policy is IGNORE."""

    def for_path(self, path: str) -> Policy:
        """The policy for one path, e.g. ``config.batch.size``."""
        return Policy.IGNORE if keys.ignored(path, self.ignore) else self.policy


@dataclass(frozen=True, slots=True)
class AutoRestart:
    """When to restart what FAILED; carried for the health part of the daemon."""

    enabled: bool = False
    max_restarts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSpec:
    """One connector as its manifest wants it."""

    name: ConnectorName
    cluster: str
    plugin: str
    """Connect class name, alias or Python path, as written."""

    config: Mapping[str, str] = field(repr=False)
    """All that Connect's REST API would hold, ``name``, ``connector.class`` and ``tasks.max`` included."""

    state: TargetState = TargetState.STARTED
    drift: DriftRule = DriftRule()
    auto_restart: AutoRestart = AutoRestart()
    labels: Mapping[str, str] = field(default_factory=dict)
    held: bool = False
    """Its manifest asks to be left alone for now (Strimzi's ``strimzi.io/pause-reconciliation``)."""

    origin: Origin
    """Where the manifest begins."""

    origins: Mapping[str, Origin] = field(default_factory=dict, repr=False)
    """Where each path is said, e.g. ``config.topics``."""

    @property
    def ref(self) -> Ref:
        """Its identity."""
        return Ref(self.cluster, self.name)

    @property
    def tasks_max(self) -> int:
        """How many tasks it may have; Connect's default is 1."""
        return int(self.config.get("tasks.max", "1"))

    def place(self, path: str) -> Origin:
        """Where *path* is said, or where the manifest begins."""
        return self.origins.get(path, self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """One Connect cluster."""

    name: str
    urls: tuple[str, ...] = ()
    """REST URLs, tried in this order; empty means "the one that settings name"."""

    kafka_cluster_id: str | None = None
    """Expected Kafka cluster id; anything else and the cluster is left alone."""

    journal_bootstrap_servers: str | None = None
    journal_topic: str | None = None
    origin: Origin | None = None
    """None when no manifest declares it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredState:
    """What a folder of manifests says as a whole, mistakes included."""

    connectors: Mapping[Ref, ConnectorSpec] = field(default_factory=dict)
    clusters: Mapping[str, ClusterSpec] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    """Mistakes, in order of file, line and column. Connectors of a file with a mistake are not in *connectors*."""

    warnings: tuple[Problem, ...] = ()
    """What is accepted but not acted upon."""

    withheld: frozenset[ConnectorName] = frozenset()
    """Names that files with mistakes mention; to be left exactly as they are."""

    revision: str = ""
    """Which version of the manifests this is; short."""

    @property
    def sound(self) -> bool:
        """Whether no manifest is broken. While one is, nothing may be deleted."""
        return not self.problems

    def of_cluster(self, cluster: str) -> dict[ConnectorName, ConnectorSpec]:
        """The connectors of one cluster by name."""
        return {ref.name: spec for ref, spec in self.connectors.items() if ref.cluster == cluster}

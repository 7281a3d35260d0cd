"""What a look at a cluster showed; a read that failed is Unknown and never "absent"."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from runtime.contract import ConfigField, ConnectorName, State, TargetState


@dataclass(frozen=True, slots=True)
class Unknown:
    """We could not find out."""

    reason: str


@dataclass(frozen=True, slots=True)
class TaskHealth:
    """One task's last known state."""

    index: int
    state: State
    worker: str = ""
    reason: str = ""
    """First line of its trace, scrubbed; empty when it has not failed."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a connector is, as opposed to how it should be."""

    connector: State | None = None
    """None when its status is not known yet."""

    reason: str = ""
    tasks: tuple[TaskHealth, ...] = ()

    def complaints(self) -> tuple[str, ...]:
        """What is wrong, one line each; empty when nothing failed."""
        lines = []
        if self.connector is State.FAILED:
            lines.append("connector FAILED" + (f": {self.reason}" if self.reason else ""))
        lines += [
            f"task {task.index} FAILED" + (f": {task.reason}" if task.reason else "")
            for task in self.tasks
            if task.state is State.FAILED
        ]
        return tuple(lines)


_WISH_OF_FACT = {
    State.RUNNING: TargetState.STARTED,
    State.PAUSED: TargetState.PAUSED,
    State.STOPPED: TargetState.STOPPED,
}


@dataclass(frozen=True, slots=True)
class ObservedConnector:
    """One live connector."""

    name: ConnectorName
    config: Mapping[str, str | None] = field(repr=False)
    health: Health = Health()

    @property
    def target(self) -> TargetState | None:
        """What it was last asked to be, as far as its state tells; None for FAILED, UNASSIGNED and the like."""
        return None if self.health.connector is None else _WISH_OF_FACT.get(self.health.connector)


@dataclass(frozen=True, slots=True)
class Plugin:
    """One installed plugin, as ``GET /connector-plugins`` lists it."""

    name: str
    kind: str
    """``source``, ``sink``, ``transformation``…"""

    version: str = ""

    @property
    def aliases(self) -> frozenset[str]:
        """Every name Connect accepts for it: the class name, its last part, and that without its role."""
        simple = self.name.rsplit(".", 1)[-1]
        return frozenset({self.name, simple, simple.removesuffix("Connector")})


Definitions = Mapping[str, ConfigField]
"""Configuration fields by full key, e.g. ``transforms.a.field`` too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedState:
    """One cluster at one look."""

    cluster: str
    kafka_cluster_id: str | None
    version: str = ""
    connectors: Mapping[ConnectorName, ObservedConnector | Unknown] = field(default_factory=dict)
    """Everything that is there or may be there. A name that is missing here is known to be absent."""

    plugins: tuple[Plugin, ...] = ()
    definitions: Mapping[ConnectorName, Definitions] = field(default_factory=dict, repr=False)
    """For those connectors whose texts differ from what is wanted."""

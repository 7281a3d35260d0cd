"""What manifests ask for, what is live, what was last applied: frozen data that every other room reads."""

from reconciler.model.desired import (
    AutoRestart,
    ClusterSpec,
    ConnectorSpec,
    DesiredState,
    DriftRule,
    Origin,
    Policy,
    Ref,
)
from reconciler.model.incident import Changed, Ending, Incident, MovedKey, News, Opened, Resolved
from reconciler.model.journal import Entries, Entry, LastApplied, Remembered, Stage, StepRecord, Title, remember
from reconciler.model.observed import (
    Definitions,
    Health,
    ObservedConnector,
    ObservedState,
    Plugin,
    TaskHealth,
    Unknown,
)
from reconciler.model.sealed import Sealed

__all__ = [
    "AutoRestart",
    "Changed",
    "ClusterSpec",
    "ConnectorSpec",
    "Definitions",
    "DesiredState",
    "DriftRule",
    "Ending",
    "Entries",
    "Entry",
    "Health",
    "Incident",
    "LastApplied",
    "MovedKey",
    "News",
    "ObservedConnector",
    "ObservedState",
    "Opened",
    "Origin",
    "Plugin",
    "Policy",
    "Ref",
    "Remembered",
    "Resolved",
    "Sealed",
    "Stage",
    "StepRecord",
    "TaskHealth",
    "Title",
    "Unknown",
    "remember",
]

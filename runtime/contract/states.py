"""Wishes and facts about connectors and tasks; a task that was asked to pause is not a paused task."""

from enum import Enum


class TargetState(Enum):
    """What someone asked for; the values are those of the config topic (contract 3.1)."""

    STARTED = "STARTED"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class State(Enum):
    """What a worker last saw of a connector or task; the values are those of the status topic (contract 5.6)."""

    UNASSIGNED = "UNASSIGNED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    """Connectors only: a stopped connector has no tasks."""
    FAILED = "FAILED"
    RESTARTING = "RESTARTING"
    DESTROYED = "DESTROYED"
    """A tombstone on its way; never shown."""


class ConnectorType(Enum):
    """Which way a connector moves records, as in ``"type"`` of REST answers."""

    SOURCE = "source"
    SINK = "sink"
    UNKNOWN = "unknown"

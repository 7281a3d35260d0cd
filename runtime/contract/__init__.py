"""What crosses the wire and what both halves may therefore import: identities, states, problems, config fields."""

from runtime.contract.fields import ConfigField, Importance, Type, Width
from runtime.contract.ids import ConnectorName, TaskId, TopicPartition, WorkerId
from runtime.contract.problems import Problem
from runtime.contract.states import ConnectorType, State, TargetState

__all__ = [
    "ConfigField",
    "ConnectorName",
    "ConnectorType",
    "Importance",
    "Problem",
    "State",
    "TargetState",
    "TaskId",
    "TopicPartition",
    "Type",
    "Width",
    "WorkerId",
]

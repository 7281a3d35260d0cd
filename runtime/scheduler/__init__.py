"""What should run, made so: commands are written down first, then each connector's lane brings the worker there."""

from runtime.scheduler.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    NotFound,
    NotReady,
    RequestFault,
)
from runtime.scheduler.scheduler import ConnectorInfo, Scheduler, SchedulerSettings

__all__ = [
    "AlreadyExists",
    "BadRequest",
    "Conflict",
    "ConnectorInfo",
    "NotFound",
    "NotReady",
    "RequestFault",
    "Scheduler",
    "SchedulerSettings",
]

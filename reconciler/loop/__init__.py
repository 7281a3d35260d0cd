"""Handed a name, reads everything again and converges; one lane per cluster."""

from reconciler.loop.access import Access, OpenAccess
from reconciler.loop.lane import Lane
from reconciler.loop.survey import Scene, survey
from reconciler.loop.watch import Watch

__all__ = ["Access", "Lane", "OpenAccess", "Scene", "Watch", "survey"]

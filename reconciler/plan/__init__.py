"""A plan as data: ordered frozen steps with a fingerprint, and the ways to print it."""

from reconciler.plan.building import Heal, Permissions, build
from reconciler.plan.document import FORMAT_VERSION, document
from reconciler.plan.plan import ClusterPlan, Moved, Note, Noticed, Plan
from reconciler.plan.steps import (
    Adopt,
    Create,
    Delete,
    Forget,
    Record,
    SetState,
    Step,
    Update,
    Upkeep,
    changes_of,
)
from reconciler.plan.text import render, summary
from reconciler.plan.wording import moved_key

__all__ = [
    "FORMAT_VERSION",
    "Adopt",
    "ClusterPlan",
    "Create",
    "Delete",
    "Forget",
    "Heal",
    "Moved",
    "Note",
    "Noticed",
    "Permissions",
    "Plan",
    "Record",
    "SetState",
    "Step",
    "Update",
    "Upkeep",
    "build",
    "changes_of",
    "document",
    "moved_key",
    "render",
    "summary",
]

"""A plan for machines: JSON with a ``format_version`` of which minor steps only add."""

from typing import Final

from reconciler.diff import Change
from reconciler.plan import wording
from reconciler.plan.plan import ClusterPlan, Moved, Note, Plan, drifted_keys
from reconciler.plan.steps import Adopt, Create, Delete, SetState, Step, Update, changes_of

FORMAT_VERSION: Final = "1.0"

_ACTIONS: Final = {Adopt: "adopt", Create: "create", Update: "update", SetState: "state", Delete: "delete"}


def document(plan: Plan) -> dict[str, object]:
    """
    The plan as JSON takes it.

    ``clusters[].steps[]`` in order, each with ``actions``, ``connector`` and ``changes[]``; ``drift[]`` and
    ``notes[]`` beside them; ``problems[]`` for what kept parts of the world out. Values that are secret are
    ``null`` and marked ``secret``.
    """
    return {
        "format_version": FORMAT_VERSION,
        "fingerprint": plan.fingerprint,
        "complete": plan.complete,
        "changes": bool(plan.steps),
        "summary": {
            **{action: sum(1 for step in plan.steps if type(step) is kind) for kind, action in _ACTIONS.items()},
            "unchanged": sum(part.unchanged for part in plan.clusters),
            "drifted_keys": sum(drifted_keys(part) for part in plan.clusters),
        },
        "clusters": [_cluster(part) for part in plan.clusters],
        "problems": [{"where": problem.where, "what": problem.what, "hint": problem.hint} for problem in plan.problems],
    }


def _cluster(part: ClusterPlan) -> dict[str, object]:
    return {
        "name": part.cluster,
        "kafka_cluster_id": part.kafka_cluster_id,
        "revision": part.revision,
        "fingerprint": part.fingerprint,
        "connectors": part.connectors,
        "unchanged": part.unchanged,
        "steps": [_step(step) for step in part.steps],
        "drift": [_moved(moved) for moved in part.moved],
        "notes": [_note(note) for note in part.notes],
    }


def _step(step: Step) -> dict[str, object]:
    described: dict[str, object] = {
        "actions": [_ACTIONS[type(step)]],
        "connector": step.ref.name,
        "text": str(step),
        "impact": wording.headline(step),
        "changes": [_change(change) for change in changes_of(step)],
    }
    match step:
        case Create(spec=spec, secrets=secrets):
            described["after"] = {
                key: wording.visible(value, secret=key in secrets) for key, value in sorted(spec.config.items())
            }
            described["because"] = step.because.value
    return described


def _change(change: Change) -> dict[str, object]:
    return {
        "path": change.path,
        "standing": change.standing.value,
        "before": None if change.secret else wording.visible(change.live, secret=False),
        "after": None if change.secret else wording.visible(change.wanted, secret=False),
        "secret": change.secret,
        "origin": str(change.origin) if change.origin else None,
    }


def _moved(moved: Moved) -> dict[str, object]:
    return {
        "connector": moved.ref.name,
        "policy": moved.policy.value,
        "changes": [{**_change(change), "left": change.path in moved.left} for change in moved.changes],
    }


def _note(note: Note) -> dict[str, object]:
    return {
        "kind": note.kind.value,
        "connector": note.ref.name,
        "text": note.text,
        "problem": note.is_problem,
    }

"""
What moved in git between two readings of the manifests: paths, never values, for the log.

Unlike the three-way comparison, which looks at what Connect is told, this sees the whole documents, nested as people
write them: drift rules, labels and restarts as well as configuration.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model import ConnectorSpec, DesiredState, Ref


def moved(before: DesiredState, after: DesiredState) -> tuple[str, ...]:
    """``cluster/connector`` for what came or went, ``cluster/connector: path`` for what changed, sorted."""
    return tuple(sorted(_moved(before.connectors, after.connectors)))


def _moved(before: Mapping[Ref, ConnectorSpec], after: Mapping[Ref, ConnectorSpec]) -> Iterator[str]:
    for ref in before.keys() - after.keys():
        yield f"{ref} removed"
    for ref in after.keys() - before.keys():
        yield f"{ref} added"
    for ref in before.keys() & after.keys():
        old, new = _document(before[ref]), _document(after[ref])
        if old != new:  # nearly always equal, and == is a thousand times cheaper than finding out where
            yield from _paths(ref, old, new)


def _paths(ref: Ref, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    from deepdiff import DeepDiff  # here, because importing it takes longer than most plans

    for changes in DeepDiff(old, new, view="tree", ignore_order=False).values():
        for change in changes:
            yield f"{ref}: {'.'.join(map(str, change.path(output_format='list')))}"


def _document(spec: ConnectorSpec) -> dict[str, Any]:
    return {
        "class": spec.plugin,
        "state": spec.state.value,
        "config": dict(spec.config),
        "drift": {"policy": spec.drift.policy.value, "ignore": list(spec.drift.ignore)},
        "autoRestart": {"enabled": spec.auto_restart.enabled, "maxRestarts": spec.auto_restart.max_restarts},
        "labels": dict(spec.labels),
    }

"""A snapshot of files in, one desired state out, with every complaint of every file."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from reconciler.manifests import kinds
from reconciler.manifests.document import Complaints, documents
from reconciler.manifests.kinds import Draft, Talk
from reconciler.model import ClusterSpec, ConnectorSpec, DesiredState, Origin, Ref
from reconciler.ports import Snapshot, SourceFile
from runtime.contract import ConnectorName, Problem
from runtime.foundation.nearest import did_you_mean

DEFAULT_CLUSTER = "main"
"""What the only cluster is called when no manifest names one."""


@dataclass(slots=True)
class _File:
    """What one file holds."""

    path: str
    talk: Talk = field(default_factory=lambda: Talk(Complaints(), Complaints()))
    drafts: list[Draft] = field(default_factory=list)
    clusters: list[ClusterSpec] = field(default_factory=list)
    mentioned: set[str] = field(default_factory=set)
    """Connector names in documents that could be read, right or wrong."""

    mentioned_clusters: set[str] = field(default_factory=set)


def read(snapshot: Snapshot, *, plugins: Collection[str] | None = None) -> DesiredState:
    """
    What the manifests ask for.

    A file with a mistake is left out whole, and its connectors are in ``withheld``: they are to stay
    exactly as they are. *plugins* are the names and aliases of installed connector classes; None means
    that they are not known here.
    """
    files = [_read_file(file) for file in snapshot.files]
    clusters = _clusters(files)
    _resolve(files, clusters, plugins)
    broken = [file for file in files if file.talk.complaints]
    sound = [file for file in files if not file.talk.complaints]
    doubtful = {cluster.name for file in broken for cluster in file.clusters}
    sure = {name: cluster for name, cluster in clusters.items() if name not in doubtful}
    drafts = [draft for file in sound for draft in file.drafts]
    return DesiredState(
        connectors={draft.spec.ref: draft.spec for draft in drafts if draft.spec.cluster in sure},
        clusters=sure,
        problems=_sorted(file.talk.complaints for file in broken),
        warnings=_sorted(file.talk.warnings for file in files),
        withheld=frozenset(ConnectorName(name) for file in broken for name in file.mentioned)
        | {draft.spec.name for draft in drafts if draft.spec.cluster not in sure},
        revision=snapshot.revision,
    )


def without_unknown_plugins(
    desired: DesiredState, cluster: str, *, unknown: Iterable[ConnectorName], known: Collection[str]
) -> DesiredState:
    """*desired* without those connectors of *cluster* whose class it does not know, and with a complaint for each."""
    lost = [spec for name in sorted(unknown) if (spec := desired.connectors.get(Ref(cluster, name)))]
    if not lost:
        return desired
    return dataclasses.replace(
        desired,
        connectors={ref: spec for ref, spec in desired.connectors.items() if spec not in lost},
        problems=(*desired.problems, *(_unknown_plugin(spec, spec.place("spec.class"), known) for spec in lost)),
        withheld=desired.withheld | {spec.name for spec in lost},
    )


def _unknown_plugin(spec: ConnectorSpec, at: Origin, known: Collection[str]) -> Problem:
    hint = did_you_mean(spec.plugin, known) or "`tidegate plugins` lists what is installed"
    return Problem(str(at), f'unknown connector class "{spec.plugin}"', hint)


def _read_file(file: SourceFile) -> _File:
    result = _File(file.path)
    if isinstance(file.content, Problem):
        result.talk.complaints.add(Origin(file.path, 1, 1), file.content.what, file.content.hint)
        return result
    for tree in documents(file.path, file.content, result.talk.complaints):
        if name := kinds.name_in(tree):
            (result.mentioned_clusters if kinds.is_cluster(tree) else result.mentioned).add(name)
        match kinds.interpret(tree, result.talk):
            case Draft() as draft:
                result.drafts.append(draft)
            case ClusterSpec() as cluster:
                result.clusters.append(cluster)
            case None:
                pass
    return result


def _clusters(files: list[_File]) -> dict[str, ClusterSpec]:
    """Every cluster by name: those declared, or else the one that connectors take for granted."""
    clusters: dict[str, ClusterSpec] = {}
    for file in files:
        for cluster in file.clusters:
            first = clusters.setdefault(cluster.name, cluster)
            if first is not cluster and cluster.origin is not None:
                file.talk.complaints.add(cluster.origin, f'duplicate cluster "{cluster.name}", first at {first.origin}')
    if not clusters and not any(file.mentioned_clusters for file in files):
        named = {draft.spec.cluster for file in files for draft in file.drafts if draft.spec.cluster}
        for name in named or {DEFAULT_CLUSTER}:
            clusters[name] = ClusterSpec(name=name)
    return clusters


def _resolve(files: list[_File], clusters: dict[str, ClusterSpec], plugins: Collection[str] | None) -> None:
    """Give each draft its cluster, and find names that are taken twice."""
    declared = any(cluster.origin for cluster in clusters.values())
    known = set(clusters).union(*(file.mentioned_clusters for file in files))
    taken: dict[Ref, tuple[Draft, _File]] = {}
    for file in files:
        for index, draft in enumerate(file.drafts):
            spec = draft.spec
            complain = file.talk.complaints.add
            if not spec.cluster and len(known) == 1:
                spec = dataclasses.replace(spec, cluster=next(iter(known)))
            elif not spec.cluster:
                complain(draft.cluster_at, "which cluster? there are several: " + ", ".join(sorted(known)))
                continue
            elif spec.cluster not in known:
                hint = did_you_mean(spec.cluster, known) or "known: " + ", ".join(sorted(known))
                complain(draft.cluster_at, f'unknown cluster "{spec.cluster}"', hint)
                continue
            elif not declared and len(known) > 1:
                complain(draft.cluster_at, f'no Cluster manifest says where "{spec.cluster}" is')
                continue
            file.drafts[index] = draft = dataclasses.replace(draft, spec=spec)
            if plugins is not None and spec.plugin not in plugins:
                problem = _unknown_plugin(spec, draft.plugin_at, plugins)
                complain(draft.plugin_at, problem.what, problem.hint)
            first = taken.setdefault(spec.ref, (draft, file))
            if first[0] is not draft:
                complain(draft.name_at, f'duplicate connector "{spec.name}", first at {first[0].name_at}')
                # both claims are in doubt, so the first file stays untouched as well
                first[1].talk.complaints.add(
                    first[0].name_at, f'duplicate connector "{spec.name}", again at {draft.name_at}'
                )


def _sorted(complaints: Iterable[Complaints]) -> tuple[Problem, ...]:
    def in_order() -> Iterator[tuple[Origin, Problem]]:
        for some in complaints:
            yield from some.found

    return tuple(problem for _, problem in sorted(in_order(), key=lambda found: found[0]))

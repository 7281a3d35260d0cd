"""Turns checked documents of each kind into connectors and clusters; other people's formats end here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar, cast

from reconciler.manifests import schema
from reconciler.manifests.check import Findings, check
from reconciler.manifests.document import Complaints, Item, Mapping, Scalar, Tree
from reconciler.model import AutoRestart, ClusterSpec, ConnectorSpec, DriftRule, Origin, Policy, keys
from runtime.contract import ConnectorName, TargetState
from runtime.foundation.nearest import did_you_mean, nearest

T = TypeVar("T")

_TARGETS: Final = {
    "running": TargetState.STARTED,
    "paused": TargetState.PAUSED,
    "stopped": TargetState.STOPPED,
}
_PATH_BREAKERS: Final = frozenset("/\\%")


@dataclass(frozen=True, slots=True)
class Draft:
    """A connector before it is known which cluster "the only one" is."""

    spec: ConnectorSpec
    """Its cluster is empty when the manifest names none."""

    name_at: Origin
    cluster_at: Origin
    plugin_at: Origin


@dataclass(slots=True)
class Talk:
    """What one document gave rise to."""

    complaints: Complaints
    warnings: Complaints


def interpret(tree: Tree, talk: Talk) -> Draft | ClusterSpec | None:
    """The connector or cluster that a document describes; None when it is wrong, and then *talk* says why."""
    if not isinstance(tree, Mapping):
        talk.complaints.add(tree.origin, f"a manifest must be a mapping, is {tree}")
        return None
    if "apiVersion" in tree.items or "kind" in tree.items:
        return _declared(tree, talk)
    if "connector.class" in tree.items:
        return _flat(tree, talk)
    if "config" in tree.items:
        return _create_request(tree, talk)
    meant = next((near for key in tree.items if (near := nearest(key, ("apiVersion", "kind")))), None)
    talk.complaints.add(
        tree.origin,
        "neither a manifest (apiVersion, kind) nor a Connect configuration (name, config)",
        f"did you mean {meant}?" if meant else "",
    )
    return None


def name_in(tree: Tree) -> str | None:
    """The name that a document mentions, however wrong the rest of it may be."""
    if not isinstance(tree, Mapping):
        return None
    outer = tree.items.get("metadata")
    inner = outer.value.items.get("name") if outer and isinstance(outer.value, Mapping) else None
    item = inner or tree.items.get("name")
    return item.value.text if item and isinstance(item.value, Scalar) else None


def is_cluster(tree: Tree) -> bool:
    """Whether a document means to be a Cluster, however wrong the rest of it may be."""
    kind = tree.items.get("kind") if isinstance(tree, Mapping) else None
    return kind is not None and isinstance(kind.value, Scalar) and kind.value.text == schema.CLUSTER.kind


def _declared(tree: Mapping, talk: Talk) -> Draft | ClusterSpec | None:
    said = {key: tree.items[key] for key in ("apiVersion", "kind") if key in tree.items}
    for key in ("apiVersion", "kind"):
        if key not in said:
            talk.complaints.add(tree.origin, f"{key} is missing")
            return None
        value = said[key].value
        if not (isinstance(value, Scalar) and value.kind == "str"):
            talk.complaints.add(value.origin, f"{key} must be text, is {value}")
            return None
    version, kind = (cast(Scalar, said[key].value) for key in ("apiVersion", "kind"))
    for candidate in schema.KINDS:
        if candidate.kind == kind.text and version.text in candidate.api_versions:
            return _of_kind(candidate, tree, talk)
    versions = [version for known in schema.KINDS for version in known.api_versions]
    if version.text not in versions:
        hint = did_you_mean(version.text, versions) or "known: " + ", ".join(dict.fromkeys(versions))
        talk.complaints.add(version.origin, f'unknown apiVersion "{version.text}"', hint)
    kinds = [known.kind for known in schema.KINDS if version.text in known.api_versions]
    kinds = kinds or [known.kind for known in schema.KINDS]
    if kind.text not in kinds:
        hint = did_you_mean(kind.text, kinds) or "known: " + ", ".join(kinds)
        talk.complaints.add(kind.origin, f'unknown kind "{kind.text}" of {version.text}', hint)
    return None


def _of_kind(kind: schema.Kind, tree: Mapping, talk: Talk) -> Draft | ClusterSpec | None:
    builders: dict[str, Callable[[Findings, Origin, Talk], Draft | ClusterSpec]] = {
        schema.CONNECTOR.kind: _connector,
        schema.CLUSTER.kind: _cluster,
        schema.STRIMZI.kind: _strimzi,
    }
    return _built(kind, tree, talk, builders[kind.kind])


def _built(
    kind: schema.Kind, tree: Mapping, talk: Talk, build: Callable[[Findings, Origin, Talk], T], *, loose: bool = False
) -> T | None:
    own = Complaints()
    found = check(tree, kind.fields, own, talk.warnings, at=tree.origin, loose=loose)
    built = build(found, tree.origin, Talk(own, talk.warnings)) if not own else None
    talk.complaints.found += own.found
    return None if own else built


def _connector(found: Findings, at: Origin, talk: Talk) -> Draft:
    return _draft(
        found,
        at,
        talk,
        cluster=_get(found, "spec.cluster", ""),
        cluster_at=found["spec.cluster"].at if "spec.cluster" in found else at,
        state=_TARGETS[_get(found, "spec.state", "running")],
        drift=_drift(found, talk),
    )


def _strimzi(found: Findings, at: Origin, talk: Talk) -> Draft:
    labels = _get(found, "metadata.labels", dict[str, str]())
    annotations = _get(found, "metadata.annotations", dict[str, str]())
    cluster = labels.get(schema.STRIMZI_CLUSTER_LABEL, "")
    paused = _get(found, "spec.pause", False)
    state = _get(found, "spec.state", "paused" if paused else "running")
    if "spec.pause" in found and "spec.state" in found and paused != (state == "paused"):
        talk.complaints.add(
            found["spec.pause"].key_at, f"spec.pause contradicts spec.state: {state}", "remove spec.pause"
        )
    draft = _draft(
        found,
        at,
        talk,
        cluster=cluster,
        cluster_at=found["metadata.labels"].parts[schema.STRIMZI_CLUSTER_LABEL][1] if cluster else at,
        state=_TARGETS[state],
        drift=DriftRule(),
    )
    held = annotations.get(schema.STRIMZI_PAUSE_ANNOTATION, "").lower() == "true"
    return replace(draft, spec=replace(draft.spec, held=held))


def _draft(
    found: Findings,
    at: Origin,
    talk: Talk,
    *,
    cluster: str,
    cluster_at: Origin,
    state: TargetState,
    drift: DriftRule,
) -> Draft:
    name = _get(found, "metadata.name", "")
    _check_name(name, found["metadata.name"].at, talk)
    plugin = _get(found, "spec.class", "")
    config = {"name": name, "connector.class": plugin}
    origins = {"spec.class": found["spec.class"].at}
    if "spec.tasksMax" in found:
        config["tasks.max"] = str(found["spec.tasksMax"].value)
    if "spec.version" in found:
        config["connector.plugin.version"] = _get(found, "spec.version", "")
    origins |= {path: found[path].at for path in keys.PATHS if path in found}
    if "spec.config" in found:
        config |= _get(found, "spec.config", dict[str, str]())
        origins |= {f"config.{key}": places[0] for key, places in found["spec.config"].parts.items()}
    return Draft(
        ConnectorSpec(
            name=ConnectorName(name),
            cluster=cluster,
            plugin=plugin,
            config=config,
            state=state,
            drift=drift,
            auto_restart=AutoRestart(
                enabled=_get(found, "spec.autoRestart.enabled", False),
                max_restarts=cast("int | None", _value(found, "spec.autoRestart.maxRestarts")),
            ),
            labels=_get(found, "metadata.labels", dict[str, str]()),
            origin=at,
            origins=origins,
        ),
        name_at=found["metadata.name"].at,
        cluster_at=cluster_at,
        plugin_at=found["spec.class"].at,
    )


def _drift(found: Findings, talk: Talk) -> DriftRule:
    patterns = _get(found, "spec.drift.ignore", tuple[str, ...]())
    for pattern in patterns:
        plain = keys.canonical(pattern)
        if plain.startswith("config.") or plain in keys.PATHS or "*" in plain:
            continue
        near = nearest(plain, keys.PATHS)
        hint = f"did you mean {near}?" if near else f"config.{pattern}, or one of " + ", ".join(keys.PATHS)
        talk.complaints.add(
            found["spec.drift.ignore"].parts[pattern][0], f'spec.drift.ignore: no such path "{pattern}"', hint
        )
    return DriftRule(Policy(_get(found, "spec.drift.policy", "heal")), patterns)


def _cluster(found: Findings, at: Origin, talk: Talk) -> ClusterSpec:
    urls = _get(found, "spec.urls", tuple[str, ...]())
    if "spec.url" in found:
        if urls:
            talk.complaints.add(found["spec.url"].key_at, "spec.url and spec.urls contradict one another")
        urls = (_get(found, "spec.url", ""),)
    for url in urls:
        if not url.startswith(("http://", "https://")):
            spot = found["spec.url"].at if "spec.url" in found else found["spec.urls"].parts[url][0]
            talk.complaints.add(spot, "the URL of Connect's REST API must begin with http:// or https://")
    return ClusterSpec(
        name=_get(found, "metadata.name", ""),
        urls=urls,
        kafka_cluster_id=cast("str | None", _value(found, "spec.kafkaClusterId")),
        journal_bootstrap_servers=cast("str | None", _value(found, "spec.journal.bootstrapServers")),
        journal_topic=cast("str | None", _value(found, "spec.journal.topic")),
        origin=at,
    )


def _create_request(tree: Mapping, talk: Talk) -> Draft | None:
    def build(found: Findings, at: Origin, talk: Talk) -> Draft | None:
        config = _get(found, "config", dict[str, str]())
        places = found["config"].parts
        name = _get(found, "name", "")
        if config.get("name", name) != name:
            talk.complaints.add(places["name"][1], f'config.name is "{config["name"]}", but name is "{name}"')
        state = _TARGETS[_get(found, "initial_state", "RUNNING").lower()]
        return _plain(name, found["name"].at, config, places, state, at, talk, missing_at=found["config"].key_at)

    return _built(schema.CREATE_REQUEST, tree, talk, build)


def _flat(tree: Mapping, talk: Talk) -> Draft | None:
    def build(found: Findings, at: Origin, talk: Talk) -> Draft | None:
        whole = Mapping(tree.items, tree.origin)
        spot = schema.Field(name="config", shape=schema.Shape.CONFIG, doc="")
        wrapped = Mapping({"config": _item(whole)}, tree.origin)
        inner = check(wrapped, (spot,), talk.complaints, talk.warnings, at=at)["config"]
        config = cast("dict[str, str]", inner.value)
        name = _get(found, "name", "")
        return _plain(name, found["name"].at, config, inner.parts, TargetState.STARTED, at, talk, missing_at=at)

    return _built(schema.FLAT_CONFIG, tree, talk, build, loose=True)


def _plain(
    name: str,
    name_at: Origin,
    config: dict[str, str],
    places: "dict[str, tuple[Origin, Origin]] | object",
    state: TargetState,
    at: Origin,
    talk: Talk,
    *,
    missing_at: Origin,
) -> Draft | None:
    spots = cast("dict[str, tuple[Origin, Origin]]", places)
    _check_name(name, name_at, talk)
    plugin = config.get("connector.class", "").strip()
    if not plugin:
        talk.complaints.add(missing_at, "connector.class is missing")
        return None
    tasks = config.get("tasks.max", "1").strip()
    if not (tasks.isascii() and tasks.isdigit() and int(tasks) >= 1):
        talk.complaints.add(spots["tasks.max"][1], f'tasks.max must be a whole number of at least 1, is "{tasks}"')
        return None
    return Draft(
        ConnectorSpec(
            name=ConnectorName(name),
            cluster="",
            plugin=plugin,
            config={**config, "name": name},
            state=state,
            origin=at,
            origins={keys.path_of(key): key_at for key, (key_at, _) in spots.items()},
        ),
        name_at=name_at,
        cluster_at=at,
        plugin_at=spots["connector.class"][1],
    )


def _check_name(name: str, at: Origin, talk: Talk) -> None:
    if name != name.strip():
        talk.complaints.add(at, f'the name "{name}" begins or ends with a blank', "Connect would cut it off")
    if bad := sorted({char for char in name if ord(char) < 0x20 or ord(char) == 0x7F}):
        codes = ", ".join(f"U+{ord(char):04X}" for char in bad)
        talk.complaints.add(at, f"the name holds control characters ({codes}), which Connect forbids")
    if bad := sorted(_PATH_BREAKERS & set(name)):
        talk.complaints.add(
            at, f'the name "{name}" holds {" ".join(bad)}', "Connect's REST API could create it, but never reach it"
        )


def _item(tree: Mapping) -> Item:
    return Item("config", tree.origin, tree)


def _value(found: Findings, path: str) -> object | None:
    spot = found.get(path)
    return None if spot is None else spot.value


def _get(found: Findings, path: str, default: T) -> T:
    """The value at *path*; the table of fields has made sure that it is of the default's type."""
    value = _value(found, path)
    return default if value is None else cast("T", value)

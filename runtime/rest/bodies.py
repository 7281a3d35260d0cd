"""Request bodies in and answers out, in Connect's shapes (contract 1.0, 1.2)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from runtime.contract import TargetState
from runtime.scheduler import ConnectorInfo
from runtime.stores.status import Status

Config = dict[str, str | None]


class Malformed(Exception):
    """The body is not what the resource takes. Connect answers 500 here, and its tests insist on it."""


def parsed(body: bytes) -> Any:
    """The body's JSON. Raises Malformed."""
    if not body.strip():
        raise Malformed("The request has no body; send a JSON object")
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as err:
        raise Malformed(f"The request body is not JSON: {err}") from None


def config_of(value: Any) -> Config:
    """A configuration: an object whose values are text, numbers, true, false or null. Raises Malformed."""
    if not isinstance(value, dict):
        raise Malformed(f"Cannot deserialize value of type `Map<String,String>` from {_kind(value)}")
    made: Config = {}
    for key, item in value.items():
        if item is None or isinstance(item, str):
            made[key] = item
        elif isinstance(item, bool):
            made[key] = "true" if item else "false"
        elif isinstance(item, int | float):
            made[key] = msgspec.json.encode(item).decode()
        else:
            raise Malformed(f"Cannot deserialize value of type `String` from {_kind(item)}: the value of key {key!r}")
    return made


def creation_of(value: Any) -> tuple[str, Config, TargetState | None]:
    """Name, configuration and initial state of a request to create a connector. Raises Malformed."""
    if not isinstance(value, dict):
        raise Malformed(f"Cannot construct instance of a create request from {_kind(value)}")
    unknown = value.keys() - {"name", "config", "initial_state"}
    if unknown:
        raise Malformed(
            f'Unrecognized field "{min(unknown)}", not marked as ignorable '
            '(3 known properties: "name", "config", "initial_state")'
        )
    name, config, initial = value.get("name"), value.get("config"), value.get("initial_state")
    if isinstance(name, bool | int | float):
        name = config_of({"name": name})["name"]
    if name is not None and not isinstance(name, str):
        raise Malformed(f"Cannot deserialize value of type `String` from {_kind(name)}: the connector's name")
    if config is None:
        raise Malformed('The request has no "config" object')
    return (name or "").strip(), config_of(config), _initial(initial)


def _initial(value: Any) -> TargetState | None:
    if value is None:
        return None
    states = {"RUNNING": TargetState.STARTED, "PAUSED": TargetState.PAUSED, "STOPPED": TargetState.STOPPED}
    found = states.get(value.upper()) if isinstance(value, str) else None
    if found is None:
        raise Malformed(f"Cannot construct instance of `InitialState`: {value!r} is none of {', '.join(states)}")
    return found


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "Boolean value"
        case int() | float():
            return "Number value"
        case str():
            return "String value"
        case list():
            return "Array value (token `JsonToken.START_ARRAY`)"
        case _:
            return "Object value (token `JsonToken.START_OBJECT`)"


def info(found: ConnectorInfo) -> dict[str, Any]:
    """The info object."""
    return {
        "name": found.name,
        "config": dict(found.config),
        "tasks": [{"connector": task.connector, "task": task.index} for task in found.tasks],
        "type": found.type,
    }


def status(
    name: str,
    connector: Status,
    tasks: Mapping[int, Status],
    kind: str,
    restarting: frozenset[int | None] | set[int | None] = frozenset(),
) -> dict[str, Any]:
    """The status object; parts in *restarting* (None: the connector) are shown as such."""
    return {
        "name": name,
        "connector": _part(connector, None in restarting),
        "tasks": [{"id": index, **_part(task, index in restarting)} for index, task in sorted(tasks.items())],
        "type": kind,
    }


def task_status(index: int, found: Status) -> dict[str, Any]:
    """One task of the status object."""
    return {"id": index, **_part(found, False)}


def _part(found: Status, restarting: bool) -> dict[str, Any]:
    part: dict[str, Any] = {
        "state": "RESTARTING" if restarting else found.state.value,
        "worker_id": found.worker_id,
    }
    if found.trace and not restarting:
        part["trace"] = found.trace
    if found.version != "undefined":
        part["version"] = found.version
    return part

"""
How the journal is written down, in the topic and in the file alike.

Key: the JSON array ``["CLUSTER","CONNECTOR"]``. Value: a JSON object; secrets appear only sealed:

    {"format": 1,
     "applied": {"config": {KEY: TEXT | {"salt": HEX, "digest": HEX}}, "state": "STARTED", "title": "created",
                 "revision": TEXT, "at": MS, "stateAt": MS} | null,
     "step": {"action": TEXT, "stage": "intent" | "done" | "failed", "at": MS, "plan": HEX, "problem": TEXT} | null,
     "incident": {"keys": [{"path", "was", "live", "wanted", "origin", "secret"}…],
                  "policy": TEXT, "opened": MS} | null}
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from reconciler.model import (
    Entry,
    Incident,
    LastApplied,
    MovedKey,
    Policy,
    Ref,
    Remembered,
    Sealed,
    Stage,
    StepRecord,
    Title,
)
from reconciler.model.errors import JournalGarbled
from runtime.contract import ConnectorName, TargetState

FORMAT: Final = 1


def key_of(ref: Ref) -> str:
    """The record key of one connector."""
    return json.dumps([ref.cluster, ref.name], separators=(",", ":"))


def ref_of(key: str) -> Ref:
    """The connector of one record key. Raises JournalGarbled."""
    try:
        cluster, name = json.loads(key)
    except (ValueError, TypeError) as err:
        raise JournalGarbled(f"a journal key that is not ours: {key[:80]!r}") from err
    return Ref(str(cluster), ConnectorName(str(name)))


def encode(entry: Entry) -> dict[str, object]:
    """*entry* as JSON takes it."""
    applied, step, incident = entry.applied, entry.step, entry.incident
    return {
        "format": FORMAT,
        "applied": None
        if applied is None
        else {
            "config": {key: _sealed(value) for key, value in applied.config.items()},
            "state": applied.state.value,
            "title": applied.title.value,
            "revision": applied.revision,
            "at": applied.at_ms,
            "stateAt": applied.state_at_ms,
        },
        "step": None
        if step is None
        else {
            "action": step.action,
            "stage": step.stage.value,
            "at": step.at_ms,
            "plan": step.plan,
            "problem": step.problem,
        },
        "incident": None
        if incident is None
        else {
            "keys": [
                {
                    "path": key.path,
                    "was": key.was,
                    "live": key.live,
                    "wanted": key.wanted,
                    "origin": key.origin,
                    "secret": key.secret,
                }
                for key in incident.keys
            ],
            "policy": incident.policy.value,
            "opened": incident.opened_ms,
        },
    }


def decode(ref: Ref, value: Mapping[str, Any]) -> Entry:
    """The entry that *value* describes. Raises JournalGarbled."""
    try:
        if value["format"] != FORMAT:
            raise JournalGarbled(f"the journal's entry of {ref} is of format {value['format']}, we know {FORMAT}")
        return Entry(
            applied=None if value["applied"] is None else _applied(value["applied"]),
            step=None if value["step"] is None else _step(value["step"]),
            incident=None if value["incident"] is None else _incident(ref, value["incident"]),
        )
    except (KeyError, TypeError, ValueError) as err:
        raise JournalGarbled(f"the journal's entry of {ref} cannot be read: {err!r}") from err


def _sealed(value: Remembered) -> object:
    return {"salt": value.salt, "digest": value.digest} if isinstance(value, Sealed) else value


def _remembered(value: Any) -> Remembered:
    return Sealed(str(value["salt"]), str(value["digest"])) if isinstance(value, dict) else str(value)


def _applied(value: Mapping[str, Any]) -> LastApplied:
    return LastApplied(
        config={str(key): _remembered(text) for key, text in value["config"].items()},
        state=TargetState(value["state"]),
        title=Title(value["title"]),
        revision=str(value["revision"]),
        at_ms=int(value["at"]),
        state_at_ms=int(value["stateAt"]),
    )


def _step(value: Mapping[str, Any]) -> StepRecord:
    return StepRecord(
        str(value["action"]), Stage(value["stage"]), int(value["at"]), str(value["plan"]), str(value["problem"])
    )


def _incident(ref: Ref, value: Mapping[str, Any]) -> Incident:
    keys = tuple(
        MovedKey(
            str(key["path"]),
            str(key["was"]),
            str(key["live"]),
            str(key["wanted"]),
            str(key["origin"]),
            bool(key["secret"]),
        )
        for key in value["keys"]
    )
    return Incident(ref, keys, Policy(value["policy"]), int(value["opened"]))

"""Connect's REST API as a :class:`reconciler.ports.Cluster`; Apache Kafka Connect and Tidegate alike."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, urlsplit

import httpx

from reconciler.model import Health, ObservedConnector, Plugin, TaskHealth
from reconciler.model.errors import (
    AccessDenied,
    AnswerGarbled,
    ClusterBusy,
    ClusterFault,
    ClusterSilent,
    ClusterUnreachable,
    ConfigRejected,
    ConnectorExists,
    ConnectorMissing,
)
from reconciler.ports import Identity
from runtime.contract import ConfigField, ConnectorName, Importance, State, TargetState, Type, Width
from runtime.foundation.secret import MASK, is_reference, is_secret_key, scrub

PATIENCE: Final = httpx.Timeout(95.0, connect=5.0)
"""Seconds. Connect itself gives up after 90; hanging up earlier would leave us not knowing what happened."""

_BUSY: Final = frozenset({408, 409, 429, 500, 502, 503, 504})
_VERBS: Final = {TargetState.STARTED: "resume", TargetState.PAUSED: "pause", TargetState.STOPPED: "stop"}
_INITIAL: Final = {TargetState.PAUSED: "PAUSED", TargetState.STOPPED: "STOPPED"}
_LONGEST_REASON: Final = 160


class ConnectRest:
    """
    A cluster behind one or several URLs, tried in order when one does not answer.

    *transport* is for tests: httpx's designed place for a double.
    """

    def __init__(self, urls: Sequence[str], *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._urls = [url.rstrip("/") for url in urls]
        self._client = httpx.AsyncClient(
            timeout=PATIENCE,
            transport=transport,
            headers={"Accept": "application/json", "User-Agent": "tidegate-reconciler"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def identity(self) -> Identity:
        """``GET /``."""
        answer = _mapping(await self._ask("GET", "/"))
        cluster_id = answer.get("kafka_cluster_id")
        return Identity(str(answer.get("version", "")), None if cluster_id is None else str(cluster_id))

    async def connectors(self) -> Mapping[ConnectorName, ObservedConnector]:
        """``GET /connectors?expand=info&expand=status``."""
        answer = _mapping(await self._ask("GET", "/connectors?expand=info&expand=status"))
        found = {}
        for name, both in answer.items():
            parts = _mapping(both)
            if "info" in parts and "status" in parts:  # one that is going away may have only half
                found[ConnectorName(name)] = _observed(name, parts["info"], parts["status"])
        return found

    async def names(self) -> frozenset[ConnectorName]:
        """``GET /connectors``."""
        answer = await self._ask("GET", "/connectors")
        if not isinstance(answer, list):
            raise AnswerGarbled("GET /connectors did not answer with a list")
        return frozenset(ConnectorName(str(name)) for name in answer)

    async def connector(self, name: ConnectorName) -> ObservedConnector | None:
        """``GET /connectors/NAME`` and its status, which may not exist yet."""
        try:
            info = await self._ask("GET", f"/connectors/{_segment(name)}")
        except ConnectorMissing:
            return None
        try:
            status = await self._ask("GET", f"/connectors/{_segment(name)}/status")
        except ConnectorMissing:
            status = None
        return _observed(name, info, status)

    async def plugins(self) -> tuple[Plugin, ...]:
        """``GET /connector-plugins?connectorsOnly=false``."""
        answer = await self._ask("GET", "/connector-plugins?connectorsOnly=false")
        if not isinstance(answer, list):
            raise AnswerGarbled("GET /connector-plugins did not answer with a list")
        rows = [_mapping(row) for row in answer]
        return tuple(
            Plugin(str(row.get("class", "")), str(row.get("type", "")), str(row.get("version", ""))) for row in rows
        )

    async def definitions(self, plugin: str) -> tuple[ConfigField, ...] | None:
        """``GET /connector-plugins/PLUGIN/config``; 400 and 404 mean that the cluster does not know it."""
        try:
            answer = await self._ask("GET", f"/connector-plugins/{_segment(plugin)}/config")
        except (ConnectorMissing, ConfigRejected):
            return None
        if not isinstance(answer, list):
            raise AnswerGarbled(f"GET /connector-plugins/{plugin}/config did not answer with a list")
        return tuple(_field(_mapping(row)) for row in answer)

    async def create(self, name: ConnectorName, config: Mapping[str, str], state: TargetState) -> None:
        """``POST /connectors``, with ``initial_state`` where it is not to run."""
        body: dict[str, object] = {"name": name, "config": dict(config)}
        if state in _INITIAL:
            body["initial_state"] = _INITIAL[state]
        try:
            await self._ask("POST", "/connectors", body)
        except ConfigRejected as fault:
            raise _without_secrets(fault, config) from None
        except ClusterBusy:
            # 409 says either "exists" or "rebalance"; only looking tells which
            if await self.connector(name) is not None:
                raise ConnectorExists(f"connector {name} exists already") from None
            raise

    async def put_config(self, name: ConnectorName, config: Mapping[str, str]) -> None:
        """``PUT /connectors/NAME/config``."""
        try:
            await self._ask("PUT", f"/connectors/{_segment(name)}/config", dict(config))
        except ConfigRejected as fault:
            raise _without_secrets(fault, config) from None

    async def set_state(self, name: ConnectorName, state: TargetState) -> None:
        """``PUT /connectors/NAME/resume``, ``pause`` or ``stop``."""
        await self._ask("PUT", f"/connectors/{_segment(name)}/{_VERBS[state]}")

    async def delete(self, name: ConnectorName) -> None:
        """``DELETE /connectors/NAME``."""
        try:
            await self._ask("DELETE", f"/connectors/{_segment(name)}")
        except ConnectorMissing:
            return  # an earlier try got through

    async def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> object:
        """One request, at the first URL that answers. Returns the decoded JSON, or None for an empty body."""
        last: ClusterFault = ClusterUnreachable("no URL is known")
        for url in self._urls:
            try:
                return await self._ask_one(url, method, path, body)
            except ClusterUnreachable as fault:
                last = fault
        raise last

    async def _ask_one(self, url: str, method: str, path: str, body: Mapping[str, object] | None) -> object:
        what = f"{method} {path.partition('?')[0]} at {_shown(url)}"
        try:
            answer = await self._client.request(method, url + path, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as err:
            raise ClusterUnreachable(f"{_shown(url)} does not answer: {_words(err)}") from err
        except httpx.TransportError as err:
            raise ClusterSilent(f"no answer to {what}: {_words(err)}") from err
        except (httpx.InvalidURL, ValueError) as err:
            raise AnswerGarbled(f"{what}: {err}") from err
        if answer.status_code >= 300:
            raise _fault(answer, what)
        if not answer.content:
            return None
        try:
            decoded: object = answer.json()
        except ValueError as err:
            raise AnswerGarbled(f"{what} answered something that is not JSON; is it Kafka Connect?") from err
        return decoded


def _fault(answer: httpx.Response, what: str) -> ClusterFault:
    text = f"{what}: {answer.status_code} {_message(answer)}".rstrip()
    match answer.status_code:
        case 400 | 422:
            return ConfigRejected(text)
        case 401 | 403:
            return AccessDenied(text)
        case 404:
            return ConnectorMissing(text)
        case status if status in _BUSY:
            return ClusterBusy(text)
        case _:
            return AnswerGarbled(text)


def _without_secrets(fault: ConfigRejected, config: Mapping[str, str]) -> ConfigRejected:
    """*fault* without those values that it may quote: a validator repeats what it refuses."""
    text = str(fault)
    for key, value in config.items():
        if is_secret_key(key) and value.strip() and not is_reference(value):
            text = text.replace(value.strip(), MASK)
    return ConfigRejected(text)


def _message(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    message = body.get("message") if isinstance(body, dict) else None
    return " ".join(str(message or "").split())


def _observed(name: str, info: object, status: object) -> ObservedConnector:
    config = _mapping(_mapping(info).get("config"))
    return ObservedConnector(
        ConnectorName(name),
        {str(key): None if value is None else str(value) for key, value in config.items()},
        Health() if status is None else _health(_mapping(status)),
    )


def _health(status: Mapping[str, object]) -> Health:
    connector = _mapping(status.get("connector"))
    tasks = status.get("tasks") or []
    if not isinstance(tasks, list):
        raise AnswerGarbled("a status whose tasks are not a list")
    return Health(
        _state(connector.get("state")),
        _reason(connector.get("trace")),
        tuple(
            TaskHealth(
                int(str(task.get("id", 0))),
                _state(task.get("state")),
                str(task.get("worker_id", "")),
                _reason(task.get("trace")),
            )
            for task in map(_mapping, tasks)
        ),
    )


def _state(word: object) -> State:
    try:
        return State(str(word))
    except ValueError as err:
        raise AnswerGarbled(f"a status with the unknown state {word!r}") from err


def _reason(trace: object) -> str:
    """The innermost cause of a stack trace, or its first line; scrubbed, and short enough for one line."""
    lines = [line.strip() for line in str(trace or "").splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    python = [lines[-1]] if lines and lines[0].startswith("Traceback") else []
    chosen = (causes[-1:] or python or lines[:1] or [""])[0]
    return scrub(chosen)[:_LONGEST_REASON]


def _field(row: Mapping[str, object]) -> ConfigField:
    default = row.get("default_value")
    group = row.get("group")
    try:
        return ConfigField(
            name=str(row["name"]),
            type=Type(str(row["type"])),
            required=bool(row.get("required")),
            default_value=None if default is None else str(default),
            importance=Importance(str(row.get("importance", "LOW"))),
            documentation=str(row.get("documentation") or ""),
            group=None if group is None else str(group),
            order_in_group=int(str(row.get("order_in_group", -1))),
            width=Width(str(row.get("width", "NONE"))),
            display_name=str(row.get("display_name") or ""),
        )
    except (KeyError, ValueError) as err:
        raise AnswerGarbled(f"a configuration definition that we cannot read: {err}") from err


def _words(err: Exception) -> str:
    return str(err) or type(err).__name__


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise AnswerGarbled(f"expected a JSON object, got {type(value).__name__}; is it Kafka Connect?")
    return value


def _segment(name: str) -> str:
    return quote(name, safe="")


def _shown(url: str) -> str:
    """*url* without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"

"""
A small Connect cluster in memory, behind the REST API that the contract describes.

A real Starlette app, so what is tested is the HTTP that goes over the wire. Faults are knobs on
:class:`FakeConnect`: rebalances, outages, statuses that come late, answers that are garbage.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"
SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
HOIST = "org.apache.kafka.connect.transforms.HoistField$Value"

Row = tuple[str, str, bool, str | None]
"""Name, type, required, default."""

_COMMON: list[Row] = [
    ("name", "STRING", True, None),
    ("connector.class", "STRING", True, None),
    ("tasks.max", "INT", False, "1"),
    ("key.converter", "CLASS", False, None),
    ("transforms", "LIST", False, ""),
    ("errors.log.enable", "BOOLEAN", False, "false"),
    ("errors.retry.timeout", "LONG", False, "0"),
]
DEFINITIONS: dict[str, list[Row]] = {
    SINK: [("file", "STRING", False, None), ("topics", "LIST", False, ""), ("login.pass", "PASSWORD", False, None)],
    SOURCE: [
        ("file", "STRING", False, None),
        ("topic", "STRING", True, None),
        ("batch.size", "INT", False, "2000"),
    ],
    HOIST: [("field", "STRING", True, None)],
}
PLUGINS = [(SINK, "sink"), (SOURCE, "source"), (HOIST, "transformation")]


@dataclass
class Connector:
    """One connector as the cluster holds it."""

    config: dict[str, str]
    target: str = "RUNNING"
    failed: str = ""
    """A stack trace; not empty means that the connector and its tasks FAILED."""


@dataclass
class FakeConnect:
    """The cluster, its knobs, and what was asked of it."""

    cluster_id: str = "MkU3OEVBNTcwNTJENDM2Qk"
    connectors: dict[str, Connector] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """Requests by ``METHOD path``, without query."""

    bodies: list[object] = field(default_factory=list)
    """Bodies of POST and PUT, in order."""

    rebalancing: int = 0
    """So many of the next writes answer 409."""

    no_status: set[str] = field(default_factory=set)
    """Connectors whose status has not arrived; the expanded list leaves them out."""

    unreadable: set[str] = field(default_factory=set)
    """Connectors that a GET of their own answers with 500, and that the expanded list leaves out."""

    rejects: dict[str, str] = field(default_factory=dict)
    """Names that are refused with 400 and this message."""

    loses_answers: int = 0
    """So many of the next creates are carried out, but answered with 500."""

    down: bool = False
    garbage: bool = False
    before_write: Callable[[str], None] = lambda _: None
    """Called with ``METHOD path`` before each write is carried out."""

    def app(self) -> Starlette:
        """The REST API."""
        return Starlette(
            routes=[
                Route("/", self._root),
                Route("/connectors", self._list, methods=["GET"]),
                Route("/connectors", self._create, methods=["POST"]),
                Route("/connectors/{name}", self._info, methods=["GET"]),
                Route("/connectors/{name}", self._delete, methods=["DELETE"]),
                Route("/connectors/{name}/config", self._config, methods=["PUT"]),
                Route("/connectors/{name}/status", self._status, methods=["GET"]),
                Route("/connectors/{name}/{verb:str}", self._target, methods=["PUT"]),
                Route("/connector-plugins", self._plugins),
                Route("/connector-plugins/{plugin:path}/config", self._definitions),
            ]
        )

    def transport(self) -> httpx.AsyncBaseTransport:
        """For httpx: requests reach the app without a socket, or nothing at all while it is down."""
        return _Line(self, httpx.ASGITransport(self.app()))

    def writes(self) -> int:
        """How many requests could have changed something."""
        return sum(count for what, count in self.asked.items() if not what.startswith("GET"))

    async def _root(self, request: Request) -> Response:
        return JSONResponse({"version": "4.3.1", "commit": "fake", "kafka_cluster_id": self.cluster_id})

    async def _list(self, request: Request) -> Response:
        expand = request.query_params.getlist("expand")
        if not expand:
            return JSONResponse(list(self.connectors))
        return JSONResponse(
            {
                name: {"info": self._info_of(name), "status": self._status_of(name)}
                for name in self.connectors
                if name not in self.no_status | self.unreadable
            }
        )

    async def _create(self, request: Request) -> Response:
        body = await request.json()
        name = body["name"]
        if name in self.connectors:
            return _error(409, f"Connector {name} already exists")
        if name in self.rejects:
            return _error(400, self.rejects[name])
        if body["config"].get("connector.class") is None:
            return _error(400, "Connector config contains no connector type")
        self.connectors[name] = Connector(dict(body["config"]) | {"name": name}, body.get("initial_state", "RUNNING"))
        if self.loses_answers:
            self.loses_answers -= 1
            return _error(500, "Request timed out.")
        return JSONResponse(self._info_of(name), 201)

    async def _info(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name in self.unreadable:
            return _error(500, "Request cannot be completed because a rebalance is expected")
        return JSONResponse(self._info_of(name)) if name in self.connectors else _missing(name)

    async def _config(self, request: Request) -> Response:
        name, config = request.path_params["name"], await request.json()
        if name in self.rejects:
            return _error(400, self.rejects[name])
        created = name not in self.connectors
        self.connectors.setdefault(name, Connector({})).config = dict(config) | {"name": name}
        return JSONResponse(self._info_of(name), 201 if created else 200)

    async def _delete(self, request: Request) -> Response:
        found = self.connectors.pop(request.path_params["name"], None)
        return Response(status_code=204) if found else _missing(request.path_params["name"])

    async def _status(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self.connectors or name in self.no_status:
            return _error(404, f"No status found for connector {name}")
        return JSONResponse(self._status_of(name))

    async def _target(self, request: Request) -> Response:
        name, verb = request.path_params["name"], request.path_params["verb"]
        if name not in self.connectors:
            return _missing(name)
        self.connectors[name].target = {"pause": "PAUSED", "resume": "RUNNING", "stop": "STOPPED"}[verb]
        return Response(status_code=204 if verb == "stop" else 202)

    async def _plugins(self, request: Request) -> Response:
        return JSONResponse([{"class": name, "type": kind, "version": "4.3.1"} for name, kind in PLUGINS])

    async def _definitions(self, request: Request) -> Response:
        asked = request.path_params["plugin"]
        for name, rows in DEFINITIONS.items():
            if asked in (name, name.rsplit(".", 1)[-1], name.rsplit(".", 1)[-1].removesuffix("Connector")):
                common: list[Row] = [] if name == HOIST else _COMMON
                return JSONResponse([_definition(*row) for row in [*rows, *common]])
        return _error(404, f"Unknown plugin {asked}.")

    def _info_of(self, name: str) -> dict[str, object]:
        connector = self.connectors[name]
        kind = "source" if "Source" in connector.config.get("connector.class", "") else "sink"
        tasks = [{"connector": name, "task": index} for index in range(self._tasks(connector))]
        return {"name": name, "config": connector.config, "tasks": tasks, "type": kind}

    def _status_of(self, name: str) -> dict[str, object]:
        connector = self.connectors[name]
        state = "FAILED" if connector.failed else connector.target
        trace = {"trace": connector.failed} if connector.failed else {}
        return {
            "name": name,
            "connector": {"state": state, "worker_id": "10.0.0.1:8083", **trace},
            "tasks": [
                {"id": index, "state": state, "worker_id": "10.0.0.1:8083", **trace}
                for index in range(self._tasks(connector))
            ],
            "type": "sink",
        }

    def _tasks(self, connector: Connector) -> int:
        return 0 if connector.target == "STOPPED" else int(connector.config.get("tasks.max", "1"))


@dataclass
class _Line(httpx.AsyncBaseTransport):
    """The way to the cluster; where outages happen."""

    cluster: FakeConnect
    inner: httpx.ASGITransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        what = f"{request.method} {request.url.path}"
        self.cluster.asked[what] += 1
        if self.cluster.down:
            raise httpx.ConnectError("Connection refused", request=request)
        if self.cluster.garbage:
            return httpx.Response(200, text="<html>proxy</html>", request=request)
        if request.method != "GET":
            if request.content:
                self.cluster.bodies.append(json.loads(request.content))
            if self.cluster.rebalancing:
                self.cluster.rebalancing -= 1
                return httpx.Response(409, json={"error_code": 409, "message": "rebalance"}, request=request)
            self.cluster.before_write(what)
        return await self.inner.handle_async_request(request)


def _definition(name: str, kind: str, required: bool, default: str | None) -> dict[str, object]:
    return {
        "name": name,
        "type": kind,
        "required": required,
        "default_value": default,
        "importance": "HIGH",
        "documentation": "",
        "group": None,
        "order_in_group": -1,
        "width": "NONE",
        "display_name": name,
        "dependents": [],
    }


def _missing(name: str) -> Response:
    return _error(404, f"Connector {name} not found")


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error_code": status, "message": message}, status)

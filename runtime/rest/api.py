"""The resources: each translates a request into a command of the scheduler and its answer back (contract 1.1-1.4)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.contract import ConnectorName, TargetState, TaskId
from runtime.foundation import logs
from runtime.foundation.secret import scrub
from runtime.kafka.errors import KafkaFault
from runtime.rest import bodies
from runtime.scheduler import AlreadyExists, BadRequest, Conflict, NotFound, RequestFault, Scheduler
from runtime.stores.config import RestartRequest

log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What ``GET /`` says."""

    version: str
    commit: str
    kafka_cluster_id: Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class Health:
    """What ``GET /health`` says."""

    status: str
    """``healthy``, ``starting`` or ``unhealthy``."""
    message: str


_HEALTH = {
    "healthy": HTTPStatus.OK,
    "starting": HTTPStatus.SERVICE_UNAVAILABLE,
    "unhealthy": HTTPStatus.INTERNAL_SERVER_ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings:
    """What the resources need to know of the worker's configuration."""

    advertised_url: str
    """As other workers reach this one; the base of ``Location``."""
    topic_tracking: bool = True
    topic_tracking_reset: bool = True


def answer(value: Any, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def error(status: int, message: str | None) -> Response:
    """The body of every error."""
    return answer({"error_code": int(status), "message": message}, status)


class Api:
    """The resources over one scheduler."""

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        about: About,
        health: Callable[[], Awaitable[Health]],
        settings: RestSettings,
    ) -> None:
        self._scheduler = scheduler
        self._about = about
        self._health = health
        self._settings = settings

    def app(self) -> Starlette:
        """The application to serve."""
        one = "/connectors/{name}"
        plugin = "/connector-plugins/{plugin}"
        routes = [
            Route("/", self.root, methods=["GET"]),
            Route("/health", self.health, methods=["GET"]),
            Route("/connectors", self.list_or_create, methods=["GET", "POST"]),
            Route(one, self.read_or_delete, methods=["GET", "DELETE"]),
            Route(one + "/config", self.config, methods=["GET", "PUT", "PATCH"]),
            Route(one + "/status", self.status, methods=["GET"]),
            Route(one + "/restart", self.restart, methods=["POST"]),
            Route(one + "/pause", self.pause, methods=["PUT"]),
            Route(one + "/resume", self.resume, methods=["PUT"]),
            Route(one + "/stop", self.stop, methods=["PUT"]),
            Route(one + "/tasks", self.tasks, methods=["GET"]),
            Route(one + "/tasks/{index:int}/status", self.task_status, methods=["GET"]),
            Route(one + "/tasks/{index:int}/restart", self.restart_task, methods=["POST"]),
            Route(one + "/topics", self.topics, methods=["GET"]),
            Route(one + "/topics/reset", self.reset_topics, methods=["PUT"]),
            Route("/connector-plugins", self.plugins, methods=["GET"]),
            Route(plugin + "/config", self.plugin_config, methods=["GET"]),
            Route(plugin + "/config/validate", self.validate, methods=["PUT"]),
        ]
        made = Starlette(
            routes=routes,
            middleware=[Middleware(_Conventions)],
            exception_handlers={
                RequestFault: self._refused,
                KafkaFault: self._kafka,
                bodies.Malformed: self._malformed,
                HTTPException: self._framework,
                Exception: self._unforeseen,
            },
        )
        made.router.redirect_slashes = False
        return made

    # 1.1

    async def root(self, _request: Request) -> Response:
        """GET /"""
        about = self._about
        return answer({"version": about.version, "commit": about.commit, "kafka_cluster_id": about.kafka_cluster_id()})

    async def health(self, _request: Request) -> Response:
        """GET /health"""
        found = await self._health()
        return answer({"status": found.status, "message": found.message}, _HEALTH[found.status])

    # 1.2

    async def list_or_create(self, request: Request) -> Response:
        """GET, POST /connectors"""
        if request.method == "POST":
            return await self._create(request)
        expand = request.query_params.getlist("expand")
        if not expand:
            return answer(self._scheduler.names())
        return answer(
            {name: shown for name in self._scheduler.names() if (shown := self._expanded(name, expand)) is not None}
        )

    def _expanded(self, name: ConnectorName, expand: list[str]) -> dict[str, Any] | None:
        shown: dict[str, Any] = {}
        try:
            for what in expand:
                if what == "status":
                    shown["status"] = bodies.status(name, *self._scheduler.status(name))
                elif what == "info":
                    shown["info"] = bodies.info(self._scheduler.info(name))
                else:
                    log.info("rest.expand.unknown", expand=what)
        except NotFound:
            return None  # it disappeared, or has no status yet
        return shown

    async def _create(self, request: Request) -> Response:
        name, config, initial = bodies.creation_of(bodies.parsed(await request.body()))
        _check_name(name, config, "request")
        made = await self._scheduler.create(ConnectorName(name), {**config, "name": name}, initial)
        return answer(bodies.info(made), HTTPStatus.CREATED, self._location(name))

    async def read_or_delete(self, request: Request) -> Response:
        """GET, DELETE /connectors/{name}"""
        if request.method == "DELETE":
            await self._scheduler.delete(_name(request))
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return answer(bodies.info(self._scheduler.info(_name(request))))

    async def config(self, request: Request) -> Response:
        """GET, PUT, PATCH /connectors/{name}/config"""
        name = _name(request)
        if request.method in ("GET", "HEAD"):
            return answer(dict(self._scheduler.info(name).config))
        given = bodies.config_of(bodies.parsed(await request.body()))
        if request.method == "PATCH":
            return answer(bodies.info(await self._scheduler.patch(name, given)))
        _check_name(name, given, "URL")
        created, info = await self._scheduler.put(name, {**given, "name": name})
        if created:
            return answer(bodies.info(info), HTTPStatus.CREATED, self._location(name))
        return answer(bodies.info(info))

    async def status(self, request: Request) -> Response:
        """GET /connectors/{name}/status"""
        name = _name(request)
        return answer(bodies.status(name, *self._scheduler.status(name)))

    async def restart(self, request: Request) -> Response:
        """POST /connectors/{name}/restart"""
        name = _name(request)
        asked = RestartRequest(name, _flag(request, "includeTasks"), _flag(request, "onlyFailed"))
        if not asked.include_tasks and not asked.only_failed:
            await self._scheduler.restart_connector(name)
            return Response(status_code=HTTPStatus.NO_CONTENT)
        connector, tasks, kind, restarting = await self._scheduler.restart(asked)
        return answer(bodies.status(name, connector, tasks, kind, restarting), HTTPStatus.ACCEPTED)

    async def pause(self, request: Request) -> Response:
        """PUT /connectors/{name}/pause"""
        await self._scheduler.set_target(_name(request), TargetState.PAUSED)
        return Response(status_code=HTTPStatus.ACCEPTED)

    async def resume(self, request: Request) -> Response:
        """PUT /connectors/{name}/resume"""
        await self._scheduler.set_target(_name(request), TargetState.STARTED)
        return Response(status_code=HTTPStatus.ACCEPTED)

    async def stop(self, request: Request) -> Response:
        """PUT /connectors/{name}/stop"""
        await self._scheduler.set_target(_name(request), TargetState.STOPPED)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def tasks(self, request: Request) -> Response:
        """GET /connectors/{name}/tasks"""
        found = self._scheduler.task_configs(_name(request))
        return answer(
            [{"id": {"connector": task.connector, "task": task.index}, "config": it} for task, it in found.items()]
        )

    async def task_status(self, request: Request) -> Response:
        """GET /connectors/{name}/tasks/{index}/status"""
        task = TaskId(_name(request), request.path_params["index"])
        return answer(bodies.task_status(task.index, self._scheduler.task_status(task)))

    async def restart_task(self, request: Request) -> Response:
        """POST /connectors/{name}/tasks/{index}/restart"""
        await self._scheduler.restart_task(TaskId(_name(request), request.path_params["index"]))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def topics(self, request: Request) -> Response:
        """GET /connectors/{name}/topics"""
        if not self._settings.topic_tracking:
            return error(HTTPStatus.FORBIDDEN, "Topic tracking is disabled.")
        name = _name(request)
        return answer({name: {"topics": self._scheduler.topics(name)}})

    async def reset_topics(self, request: Request) -> Response:
        """PUT /connectors/{name}/topics/reset"""
        if not self._settings.topic_tracking:
            return error(HTTPStatus.FORBIDDEN, "Topic tracking is disabled.")
        if not self._settings.topic_tracking_reset:
            return error(HTTPStatus.FORBIDDEN, "Topic tracking reset is disabled.")
        await self._scheduler.reset_topics(_name(request))
        return Response(status_code=HTTPStatus.ACCEPTED)

    # 1.4

    async def plugins(self, request: Request) -> Response:
        """GET /connector-plugins"""
        found = await self._scheduler.plugins()
        if request.query_params.get("connectorsOnly", "true").lower() != "false":
            found = [plugin for plugin in found if plugin["type"] in ("source", "sink")]
        return answer([{key: value for key, value in plugin.items() if value != "undefined"} for plugin in found])

    async def plugin_config(self, request: Request) -> Response:
        """GET /connector-plugins/{plugin}/config"""
        version = request.query_params.get("version")
        return answer(await self._scheduler.describe(request.path_params["plugin"], version))

    async def validate(self, request: Request) -> Response:
        """PUT /connector-plugins/{plugin}/config/validate"""
        given = bodies.config_of(bodies.parsed(await request.body()))
        included = given.get("connector.class")
        if not included:
            raise BadRequest(f"Connector config contains no connector type: {sorted(given)}")
        named = request.path_params["plugin"].removesuffix("Connector")
        if not included.removesuffix("Connector").endswith(named):
            raise BadRequest(
                f"Included connector type {included} does not match request type {request.path_params['plugin']}"
            )
        return answer(await self._scheduler.validate(given))

    # ----

    def _location(self, name: str) -> dict[str, str]:
        return {"Location": f"{self._settings.advertised_url}/connectors/{quote(name, safe='/')}"}

    async def _refused(self, _request: Request, err: Exception) -> Response:
        match err:
            case BadRequest():
                status = HTTPStatus.BAD_REQUEST
            case NotFound():
                status = HTTPStatus.NOT_FOUND
            case AlreadyExists() | Conflict():
                status = HTTPStatus.CONFLICT
            case _:
                status = HTTPStatus.INTERNAL_SERVER_ERROR
        return error(status, scrub(str(err)))

    async def _kafka(self, _request: Request, err: Exception) -> Response:
        return error(HTTPStatus.INTERNAL_SERVER_ERROR, f"Request timed out. The worker is currently {err}")

    async def _malformed(self, _request: Request, err: Exception) -> Response:
        return error(HTTPStatus.INTERNAL_SERVER_ERROR, str(err))

    async def _framework(self, request: Request, err: Exception) -> Response:
        assert isinstance(err, HTTPException)
        allowed = (err.headers or {}).get("Allow", "")
        if request.method == "OPTIONS" and allowed:
            return Response(allowed, headers={"Allow": allowed}, media_type="text/plain")
        reason = f"HTTP {err.status_code} {HTTPStatus(err.status_code).phrase}"
        return error(err.status_code, reason)

    async def _unforeseen(self, request: Request, err: Exception) -> Response:
        log.error("rest.failed", method=request.method, path=request.url.path, exc_info=err)
        return error(HTTPStatus.INTERNAL_SERVER_ERROR, scrub(str(err)) or type(err).__name__)


def _name(request: Request) -> ConnectorName:
    return ConnectorName(request.path_params["name"])


def _flag(request: Request, key: str) -> bool:
    return request.query_params.get(key, "false").lower() == "true"


def _check_name(name: str, config: bodies.Config, where: str) -> None:
    given = config.get("name")
    if given is not None and given != name:
        raise BadRequest(f"Connector name configuration ({given}) doesn't match connector name in the {where} ({name})")


class _Conventions:
    """What holds for all resources: media types, trailing slashes, names that a path cannot carry."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not _takes_json(headers, scope["method"]):
            await self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, scope, receive, send)
            return
        if not _accepts_json(headers):
            await self._refuse(HTTPStatus.NOT_ACCEPTABLE, scope, receive, send)
            return
        raw = scope.get("raw_path", b"").upper()
        if any(code in raw for code in (b"%2F", b"%5C", b"%25", b"%7F")):
            await error(HTTPStatus.BAD_REQUEST, "Ambiguous URI path")(scope, receive, send)
            return
        path = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            scope = {**scope, "path": path.rstrip("/") or "/"}
        await self._app(scope, receive, send)

    async def _refuse(self, status: HTTPStatus, scope: Scope, receive: Receive, send: Send) -> None:
        await error(status, f"HTTP {status.value} {status.phrase}")(scope, receive, send)


def _takes_json(headers: dict[bytes, bytes], method: str) -> bool:
    """Whether the body is JSON, or there is none; what is sent without a type is refused, as in Connect."""
    media = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media:
        return media in (b"application/json", b"application/*", b"*/*")
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    return method not in ("POST", "PUT", "PATCH") or not has_body


def _accepts_json(headers: dict[bytes, bytes]) -> bool:
    """Whether the asker takes JSON."""
    wanted = headers.get(b"accept", b"").lower()
    kinds = {kind.partition(b";")[0].strip() for kind in wanted.split(b",")}
    return not wanted or bool(kinds & {b"application/json", b"application/*", b"*/*"})

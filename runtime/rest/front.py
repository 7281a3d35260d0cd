"""What REST answers while the worker starts: almost nothing, but ``/health`` says what it is waiting for."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.rest.api import About, answer, error


@dataclass(slots=True)
class Stage:
    """What the worker is doing; health and time-outs name it."""

    doing: str = "starting up"
    since: float = field(default_factory=time.time)

    def now(self, doing: str) -> None:
        """It does this from now on."""
        self.doing, self.since = doing, time.time()

    def __str__(self) -> str:
        began = datetime.fromtimestamp(self.since, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"The worker is currently {self.doing}, which began at {began}."


class Front:
    """What REST serves: almost nothing until the worker is ready, then everything."""

    def __init__(self, about: About) -> None:
        self.inner: ASGIApp | None = None
        self.stage = Stage()
        self._about = about

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.inner is not None:
            await self.inner(scope, receive, send)
        elif scope["type"] == "http":
            if scope["path"] == "/health":
                said = answer(
                    {"status": "starting", "message": f"Worker is still starting up. {self.stage}"},
                    HTTPStatus.SERVICE_UNAVAILABLE,
                )
            elif scope["path"] == "/":
                about = self._about
                said = answer(
                    {"version": about.version, "commit": about.commit, "kafka_cluster_id": about.kafka_cluster_id()}
                )
            else:
                said = error(HTTPStatus.SERVICE_UNAVAILABLE, f"Worker is still starting up. {self.stage}")
            await said(scope, receive, send)

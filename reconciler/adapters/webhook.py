"""Where news of drift goes: the log, and any HTTP endpoint that takes JSON."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import httpx

from reconciler.model import Changed, News, Opened, Resolved
from reconciler.ports import Notifier
from runtime.foundation import logs
from runtime.foundation.backoff import Backoff
from runtime.foundation.stopping import Stopping

log = logs.get(__name__)

FORMAT_VERSION: Final = "1.0"
PATIENCE: Final = 10.0
"""Seconds for one delivery. A chat gateway that takes longer is treated as down and asked again."""

_LAST_WORDS: Final = 3.0
"""Seconds spent, when stopping, on news that nobody has taken yet."""


def payload(news: News) -> dict[str, object]:
    """*news* as JSON: ``event`` is ``drift.opened``, ``drift.changed`` or ``drift.resolved``; secrets are masked."""
    incident = news.incident
    body: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "event": _event(news),
        "incident": incident.id,
        "cluster": incident.ref.cluster,
        "connector": incident.ref.name,
        "policy": incident.policy.value,
        "opened_at": _iso(incident.opened_ms),
        "text": sentence(news),
        "keys": [
            {
                "path": key.path,
                "was": key.was,
                "live": key.live,
                "wanted": key.wanted,
                "origin": key.origin or None,
                "secret": key.secret,
            }
            for key in incident.keys
        ],
    }
    if isinstance(news, Resolved):
        body["resolved"] = {
            "how": news.ending.value,
            "at": _iso(news.at_ms),
            "after_seconds": max(0, news.at_ms - incident.opened_ms) / 1000,
        }
    return body


def sentence(news: News) -> str:
    """*news* in one line, for chat windows that show nothing else."""
    incident = news.incident
    match news:
        case Resolved(ending=ending):
            return f"{incident.ref}: drift resolved ({ending.value})"
        case Opened() | Changed():
            keys = ", ".join(f"{key.path} {key.was} -> {key.live}" for key in incident.keys)
            return f"{incident.ref} was changed behind git's back: {keys}"


class LogNotifier:
    """Tells the log."""

    def tell(self, news: News) -> None:
        """One line per piece of news."""
        incident = news.incident
        fields: dict[str, object] = {
            "connector": str(incident.ref),
            "keys": [f"{key.path}: {key.was} -> {key.live}" for key in incident.keys],
        }
        if isinstance(news, Resolved):
            after = max(0, news.at_ms - incident.opened_ms) / 1000
            log.info(_event(news), how=news.ending.value, after_seconds=after, **fields)
        else:
            log.warning(_event(news), policy=incident.policy.value, **fields)


class Webhook:
    """Posts news in order, each until somebody takes it; :meth:`run` does the work."""

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._shown = urlsplit(url).hostname or "webhook"  # the path of a chat webhook is a secret
        self._transport = transport
        self._waiting: deque[News] = deque()
        self._stirred = asyncio.Event()

    def tell(self, news: News) -> None:
        """Queue one piece of news."""
        self._waiting.append(news)
        self._stirred.set()

    async def run(self, stopping: Stopping, *, backoff: Backoff | None = None) -> None:
        """Deliver until asked to stop, and then what is left as far as it goes quickly."""
        backoff = backoff or Backoff(first=0.5, most=60.0)
        async with httpx.AsyncClient(timeout=PATIENCE, transport=self._transport) as client:
            while not stopping:
                await self._drain(client, stopping, backoff)
                await self._idle(stopping)
            try:
                async with asyncio.timeout(_LAST_WORDS):
                    while self._waiting and await self._deliver(client, self._waiting[0]) is None:
                        self._waiting.popleft()
            except TimeoutError:
                pass
        if self._waiting:
            log.warning("webhook.undelivered", host=self._shown, count=len(self._waiting))

    async def _idle(self, stopping: Stopping) -> None:
        waits = [asyncio.ensure_future(self._stirred.wait()), asyncio.ensure_future(stopping.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _drain(self, client: httpx.AsyncClient, stopping: Stopping, backoff: Backoff) -> None:
        self._stirred.clear()
        delays = backoff.delays()
        said = False
        while self._waiting and not stopping:
            trouble = await self._deliver(client, self._waiting[0])
            if trouble is None:
                self._waiting.popleft()
                delays = backoff.delays()
                if said:
                    log.info("webhook.back", host=self._shown)
                    said = False
                continue
            if not said:
                log.warning("webhook.failing", host=self._shown, problem=trouble)
                said = True
            if await stopping.nap(next(delays)):
                return

    async def _deliver(self, client: httpx.AsyncClient, news: News) -> str | None:
        """Why it was not taken; None when it was."""
        try:
            answer = await client.post(self._url, json=payload(news))
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            return type(err).__name__
        return None if answer.status_code < 300 else f"HTTP {answer.status_code}"


class Everybody:
    """Several notifiers as one."""

    def __init__(self, notifiers: Sequence[Notifier]) -> None:
        self._notifiers = tuple(notifiers)

    def tell(self, news: News) -> None:
        """Tell each."""
        for notifier in self._notifiers:
            notifier.tell(news)


def _event(news: News) -> str:
    match news:
        case Opened():
            return "drift.opened"
        case Changed():
            return "drift.changed"
        case Resolved():
            return "drift.resolved"


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""What every Connect worker of a test can do, ours and Java's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

from tests.worlds.servers import Server


class ConnectWorker:
    """One worker process, started, stopped and killed under the same name; *budget* is how long a start may take."""

    def __init__(self, name: str, port: int, log: Path, command: Sequence[str], *, budget: float) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.server = Server(f"{name} at {self.url}", log)
        self._command = list(command)
        self._budget = budget

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def client(self) -> httpx.Client:
        """An HTTP client of its REST API; close it."""
        return httpx.Client(base_url=self.url, timeout=95)

    def start(self) -> None:
        """Start it and return when its REST API lists connectors."""
        self.spawn()
        self.server.until(self.answers, self._budget, "never answered over REST")

    def spawn(self) -> None:
        """Start it without waiting."""
        self.server.spawn(self._command)

    def answers(self) -> bool:
        """Whether it serves requests: before that it refuses connections or says 5xx."""
        try:
            return httpx.get(f"{self.url}/connectors", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Shut it down in good order."""
        self.server.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.server.kill()

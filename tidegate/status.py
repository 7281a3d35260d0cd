"""``tidegate status``: connectors, tasks, and why those that failed did."""

import json
import sys
from typing import Any, Literal
from urllib.parse import quote

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tidegate.found import connect_url

_COLOURS = {"RUNNING": "green", "FAILED": "red", "PAUSED": "yellow", "STOPPED": "yellow", "UNASSIGNED": "yellow"}


def main(name: str | None, url: str | None, output: Literal["text", "json"]) -> int:
    """Print what the worker at *url* says: 0 when nothing has failed, 2 when something has, 1 when nobody answers."""
    base = connect_url(url)
    try:
        shown = _ask(base, name)
    except (httpx.HTTPError, ValueError) as err:
        print(f"tidegate: no answer from {base}: {err}", file=sys.stderr)  # noqa: T201  talk
        print("  is a worker running? try: tidegate up, or --connect-url URL", file=sys.stderr)  # noqa: T201
        return 1
    if shown is None:
        print(f"tidegate: there is no connector {name} at {base}", file=sys.stderr)  # noqa: T201
        return 1
    if output == "json":
        sys.stdout.write(json.dumps(shown, indent=1) + "\n")
    else:
        _print(shown, full=name is not None)
    return 2 if any(part["state"] == "FAILED" for it in shown.values() for part in _parts(it)) else 0


def _ask(base: str, name: str | None) -> dict[str, Any] | None:
    with httpx.Client(base_url=base, timeout=15.0) as client:
        if name is None:
            answer = client.get("/connectors?expand=status")
            answer.raise_for_status()
            return {key: value["status"] for key, value in sorted(answer.json().items())}
        answer = client.get(f"/connectors/{quote(name, safe='')}/status")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        answer.raise_for_status()
        return {name: answer.json()}


def _parts(status: dict[str, Any]) -> list[dict[str, Any]]:
    return [status["connector"], *status["tasks"]]


def _print(shown: dict[str, Any], *, full: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if not shown:
        console.print("no connectors")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("connector", "type", "state", "tasks", "worker"):
        table.add_column(title)
    for name, status in shown.items():
        table.add_row(
            Text(name),
            status["type"],
            _state(status["connector"]),
            Text(", ").join(_state(task, f"{task['id']}:") for task in status["tasks"]) or Text("-"),
            status["connector"]["worker_id"],
        )
    console.print(table)
    for name, status in shown.items():
        for part in _parts(status):
            if trace := part.get("trace"):
                what = f"{name} task {part['id']}" if "id" in part else name
                reason = trace if full else trace.strip().splitlines()[-1]
                console.print(Text(f"\n{what} failed: "), Text(reason), sep="", style="red")
    if not full and any(part.get("trace") for status in shown.values() for part in _parts(status)):
        console.print("\nThe whole trace: tidegate status NAME", style="dim")


def _state(part: dict[str, Any], label: str = "") -> Text:
    return Text(f"{label}{part['state']}", style=_COLOURS.get(part["state"], ""))

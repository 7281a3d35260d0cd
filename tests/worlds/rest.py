"""What tests say to a Connect worker, ours or Java's, over REST."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from tests.worlds.waiting import wait_until


def create(rest: httpx.Client, name: str, config: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Create a connector; the info object."""
    answer = rest.post("/connectors", json={"name": name, "config": dict(config), **more})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return dict(answer.json())


def status(rest: httpx.Client, name: str) -> dict[str, Any] | None:
    """The status object, None when there is none."""
    answer = rest.get(f"/connectors/{name}/status")
    return dict(answer.json()) if answer.status_code == httpx.codes.OK else None


def states(rest: httpx.Client, name: str) -> tuple[str | None, list[str]]:
    """The connector's state, and those of its tasks in order."""
    found = status(rest, name)
    if found is None:
        return None, []
    return found["connector"]["state"], [task["state"] for task in found["tasks"]]


def until(rest: httpx.Client, name: str, connector: str, tasks: list[str] | None = None, timeout: float = 60.0) -> None:
    """Wait until connector and tasks are in these states."""

    def look() -> bool:
        now = states(rest, name)
        return now[0] == connector and (tasks is None or now[1] == tasks)

    try:
        wait_until(look, timeout)
    except AssertionError as late:
        raise AssertionError(f"{name} never became {connector} {tasks}; it is {status(rest, name)}") from late


@contextmanager
def deleted_after(rest: httpx.Client, *names: str) -> Iterator[None]:
    """Delete connectors at the end, whether they still exist or not."""
    try:
        yield
    finally:
        for name in names:
            rest.delete(f"/connectors/{name}")

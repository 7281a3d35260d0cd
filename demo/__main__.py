"""
Tells the story of ``make demo``, one chapter a step, with the same commands that a user would type.

Everything happens in a copy of ``desired-state/`` in a temporary folder. Each chapter checks what it shows and ends the
demo with an error when it did not happen, so the journey test runs this very program.
"""

import argparse
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.text import Text

from demo.alerts import Alerts
from runtime.foundation import children
from runtime.foundation.ports import free_ports

SOURCE = Path(__file__).resolve().parent.parent / "desired-state"
PATIENCE = 40.0
"""Seconds for any one thing to happen; each takes about two."""

console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())


class Failed(Exception):
    """Something that the demo promises did not happen."""


class Story:
    """The chapters, in order, over one running Tidegate."""

    def __init__(self, home: Path, rest: httpx.Client, alerts: Alerts, logs: Path) -> None:
        self.home = home
        self.url = str(rest.base_url).rstrip("/")
        self.alerts = alerts
        self.logs = logs
        self.shown: list[str] = []
        self.rest = rest

    def chapter(self, title: str) -> None:
        """Say what comes."""
        self.shown.append(title)
        console.print()
        console.rule(Text(f"{len(self.shown)}. {title}"), align="left", style="cyan")

    def run(self, *words: str, expect: tuple[int, ...] = (0,)) -> None:
        """Run a command of ours as a user would, and show it."""
        console.print(Text(f"$ tidegate {' '.join(words)}", style="bold"))
        done = subprocess.run(
            [sys.executable, "-m", "tidegate", *words],
            cwd=self.home,
            env={**os.environ, **({"FORCE_COLOR": "1"} if console.is_terminal and not console.no_color else {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        console.print(Text.from_ansi(done.stdout.rstrip()))
        if done.returncode not in expect:
            raise Failed(f"tidegate {' '.join(words)} ended with {done.returncode}")
        console.print(Text(f"(exit code {done.returncode})", style="dim"))

    def wait(self, what: str, condition: Callable[[], Any]) -> Any:
        """The first true value of *condition*."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.05)
        raise Failed(f"{what}: not within {PATIENCE:g} s; the log is {self.logs}")

    def file(self, name: str) -> str:
        """What stands in a file of the demo's folder."""
        path = self.home / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def config(self) -> dict[str, str]:
        """The live configuration of the source connector."""
        answer = self.rest.get("/connectors/lines-in/config")
        return answer.json() if answer.status_code == httpx.codes.OK else {}

    def alert(self, event: str) -> dict[str, Any]:
        """The next alert of this kind."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                came = self.alerts.came.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise Failed(f"no alert {event}; the log is {self.logs}") from None
            if came.get("event") == event:
                return came


def plan_and_apply(story: Story) -> None:
    """What would change, then the change."""
    story.chapter("The plan: what the manifests ask for, beside what is live")
    story.run("plan", expect=(2,))
    story.chapter("Apply it")
    story.run("apply", "--yes")
    story.wait("all connectors running", lambda: _states(story.rest).count("RUNNING") >= 3)
    story.run("status")


def move_lines(story: Story) -> None:
    """From a file through a topic, with transforms, into another file."""
    story.chapter("Records move: a file, two transforms, a topic, another file")
    with (story.home / "demo-data/in.txt").open("a", encoding="utf-8") as out:
        out.write("hello from the demo\n")
    story.wait("the line in the other file", lambda: "hello from the demo" in story.file("demo-data/out.txt"))
    _show_file(story, "demo-data/in.txt")
    _show_file(story, "demo-data/out.txt")


def edit_manifest(story: Story) -> None:
    """Git moves, the live side follows."""
    story.chapter("Edit a manifest: the change arrives by itself")
    manifest = story.home / "connectors/lines-in.yaml"
    text = manifest.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "static.value" in line)
    changed = line.replace("tidegate", "git")
    console.print(Syntax(f"-{line}\n+{changed}", "diff", background_color="default"))
    began = time.monotonic()
    manifest.write_text(text.replace(line, changed), encoding="utf-8")
    story.wait("the new value live", lambda: story.config().get("transforms.stamp.static.value") == "git")
    console.print(f"live {time.monotonic() - began:.1f} s after the file was saved")
    with (story.home / "demo-data/in.txt").open("a", encoding="utf-8") as out:
        out.write("after the edit\n")
    story.wait("a line with the new value", lambda: '"via":"git"' in story.file("demo-data/out.txt"))
    console.print(Text(story.file("demo-data/out.txt").splitlines()[-1]))


def drift(story: Story) -> None:
    """Somebody changes the live side behind git's back."""
    story.chapter("Change a connector over REST, behind git's back")
    console.print(Text(f'$ curl -X PATCH {story.url}/connectors/lines-in/config -d \'{{"batch.size": "7"}}\''))
    story.rest.patch("/connectors/lines-in/config", json={"batch.size": "7"}).raise_for_status()
    _show_alert(story.alert("drift.opened"), "red")
    _show_alert(story.alert("drift.resolved"), "green")
    story.wait("git's value live again", lambda: story.config().get("batch.size") == "500")
    console.print("live again as git says: batch.size = 500")
    story.run("plan", expect=(0,))


def _show_file(story: Story, name: str) -> None:
    console.print(Panel(Text(story.file(name).rstrip()), title=name, title_align="left", expand=False))


def _show_alert(alert: dict[str, Any], style: str) -> None:
    lines = [str(alert["text"])]
    if alert["event"] == "drift.opened":
        lines += [f"  {key['path']} is wanted as {key['wanted']} by {key['origin']}" for key in alert["keys"]]
        lines.append(f"  policy: {alert['policy']}")
    else:
        lines.append(f"  after {alert['resolved']['after_seconds']:.1f} s")
    title = f"webhook: {alert['event']}"
    console.print(Panel(Text("\n".join(lines)), title=title, title_align="left", border_style=style, expand=False))


def _states(rest: httpx.Client) -> list[str]:
    answer = rest.get("/connectors?expand=status").json()
    return [it["status"]["connector"]["state"] for it in answer.values() if it["status"]["tasks"]]


@contextmanager
def tidegate(log: Path, home: Path, *words: str) -> Iterator[None]:
    """A command of ours in the background, asked to stop at the end."""
    with log.open("ab") as out:
        process = children.spawn(
            [sys.executable, "-m", "tidegate", *words], cwd=home, stdout=out, stderr=out, death=signal.SIGTERM
        )
    try:
        yield
    finally:
        children.end(process, patience=20.0)


def main() -> int:
    """Tell it; 0 when everything happened."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="stay up at the end and print the addresses")
    keep = parser.parse_args().keep
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="tidegate-demo-"))
    try:
        _tell(folder, keep=keep, began=began)
    except Failed as err:
        console.print(Text(f"\nThe demo failed: {err}", style="bold red"))
        console.print(Text((folder / "tidegate.log").read_text(errors="replace")[-3000:]), style="dim")
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped")
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def _tell(folder: Path, *, keep: bool, began: float) -> None:
    home, log = folder / "desired-state", folder / "tidegate.log"
    shutil.copytree(SOURCE, home, ignore=shutil.ignore_patterns(".tidegate"))
    (port,) = free_ports()
    url = f"http://127.0.0.1:{port}"
    console.print(Panel.fit("[bold]Tidegate[/bold]: Kafka Connect for people who live in git and Python"))
    console.print(f"A copy of desired-state/ is in {home}. Starting a broker and a worker on this machine …")
    with ExitStack() as stack:
        alerts = stack.enter_context(Alerts())
        story = Story(home, stack.enter_context(httpx.Client(base_url=url)), alerts, log)
        stack.enter_context(tidegate(log, home, "up", "--port", str(port), "--log-level", "WARNING"))
        story.wait("a healthy worker", lambda: _healthy(story.rest))
        console.print(f"up after {time.monotonic() - began:.1f} s: {url}")
        plan_and_apply(story)
        stack.enter_context(tidegate(log, home, "watch", "--period", "1", "--webhook", alerts.url))
        move_lines(story)
        edit_manifest(story)
        drift(story)
        story.chapter("That was it")
        for title in story.shown[:-1]:
            console.print(Text(f"  ✓ {title}", style="green"))
        console.print(f"\n{time.monotonic() - began:.0f} s in all. Where to go next:")
        console.print("  docs/quick-start.md                 the same by hand")
        console.print("  docs/how-to/write-a-connector.md    a connector of your own in 20 lines")
        console.print("  docs/how-to/plan-and-drift.md       plan, apply and drift in full")
        if keep:
            console.print(Panel.fit(f"REST API   {url}\nmanifests  {home}\nlog        {log}\n\nCtrl-C ends it all."))
            signal.pause()


def _healthy(rest: httpx.Client) -> bool:
    try:
        return rest.get("/health").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    sys.exit(main())

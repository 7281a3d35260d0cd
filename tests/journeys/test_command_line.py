"""The front door's manners: help, colours, and standard output that a program can read."""

import json
from pathlib import Path

import pytest

from tests.journeys.commands import tidegate
from tests.worlds.broker import fresh
from tests.worlds.tidegate_worker import TidegateWorker

COMMANDS = ("up", "worker", "plan", "apply", "watch", "validate", "status", "plugins", "version")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """--help says what a command does, without starting anything; -h is the same."""
    said = tidegate(command, "--help", env={"NO_COLOR": "1", "COLUMNS": "100"})
    assert (0, "") == (said.returncode, said.stderr)
    assert f"tidegate {command}" in said.stdout
    if command != "version":
        assert "Example" in said.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One connector, stopped, so that it costs nothing."""
    (tmp_path / "c.yaml").write_text(
        f"apiVersion: tidegate.dev/v1\nkind: Connector\nmetadata: {{name: {fresh('c')}}}\n"
        f"spec: {{class: FileStreamSource, state: stopped, config: {{topic: t, file: {tmp_path}/in.txt}}}}\n"
    )
    return tmp_path


def test_json_is_all_there_is_on_standard_output(folder: Path, tidegate_worker: TidegateWorker) -> None:
    """-o json: one document and nothing else, whatever the exit code."""
    where = ("--connect-url", tidegate_worker.url)
    for code, *words in (
        (0, "version"),
        (0, "plugins"),
        (0, "validate", str(folder), *where),
        (2, "plan", str(folder), *where),
        (0, "apply", str(folder), "--yes", *where),
        (0, "plan", str(folder), *where),
    ):
        said = tidegate(*words, "-o", "json")
        assert (code, "") == (said.returncode, said.stderr), words
        json.loads(said.stdout)
    said = tidegate("status", *where, "-o", "json")
    assert "" == said.stderr
    json.loads(said.stdout)


def test_colours_are_a_matter_of_taste(folder: Path, tidegate_worker: TidegateWorker) -> None:
    """None without a terminal; --color forces them; NO_COLOR forbids them."""
    command = ("plan", folder, "--connect-url", tidegate_worker.url)
    assert "\x1b[" not in tidegate(*command).stdout
    assert "\x1b[" in tidegate(*command, "--color").stdout
    assert "\x1b[" not in tidegate(*command, "--no-color").stdout
    for words in (command, ("status", "--connect-url", tidegate_worker.url)):
        assert "\x1b[3" not in tidegate(*words, env={"NO_COLOR": "1", "FORCE_COLOR": "1"}).stdout

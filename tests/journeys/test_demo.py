"""The story of ``make demo``, told by the very program that the make target runs."""

import os
import subprocess
import sys


def test_the_demo_tells_its_story() -> None:
    """It ends with 0, for each chapter checks what it shows, and shows plan, alert and resolution."""
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"},
    )
    assert 0 == done.returncode, done.stdout[-3000:]
    for words in (
        "4 to create, 0 to update, 0 to delete",
        "(exit code 2)",
        "4 of 4 steps done.",
        '{"line":"hello from the demo","via":"tidegate"}',
        '{"line":"after the edit","via":"git"}',
        "drift.opened",
        "drift.resolved",
        "nothing to do",
        "Where to go next",
    ):
        assert words in done.stdout
    assert "\x1b[" not in done.stdout

"""``tidegate worker``: one worker from a properties file."""

import asyncio
import sys
from pathlib import Path

from runtime import app
from runtime.foundation import logs
from runtime.foundation.stopping import Stopping
from runtime.rest.server import PortInUse
from runtime.scheduler import RequestFault
from runtime.settings import SettingsError, WorkerConfig, parse, read_properties
from tidegate.signals import heed

_USAGE, _UNEXPECTED, _START_FAILED = 1, 2, 3
"""Exit codes of Connect's own programs (contract 2.2)."""


def main(properties: Path, connectors: list[Path]) -> int:
    """Run until stopped; the exit code."""
    try:
        config = parse(read_properties(properties))
        given = [app.read_connector_file(path) for path in connectors]
    except SettingsError as err:
        return _complain(err, properties)
    if given and config.distributed:
        print(  # noqa: T201  talk
            "tidegate: connectors on the command line are for standalone workers; send them to the REST API instead",
            file=sys.stderr,
        )
        return _USAGE
    logs.configure(config.values["log.level"].upper(), "json" if config.values["log.format"] == "json" else "text")
    try:
        return asyncio.run(_run(config, given))
    except SettingsError as err:
        return _complain(err, properties)
    except PortInUse as err:
        print(f"tidegate: {err}", file=sys.stderr)  # noqa: T201  talk
        return _START_FAILED


async def _run(config: WorkerConfig, connectors: list[app.ConnectorFile]) -> int:
    stopping = Stopping()
    heed(stopping)
    try:
        await app.serve(config, stopping, connectors=connectors)
    except RequestFault as err:
        print(f"tidegate: a connector could not be created: {err}", file=sys.stderr)  # noqa: T201  talk
        return _START_FAILED
    return 0


def _complain(err: SettingsError, properties: Path) -> int:
    print(f"tidegate: {properties} has {len(err.problems)} problem(s):", file=sys.stderr)  # noqa: T201  talk
    for problem in err.problems:
        print(f"  {problem}", file=sys.stderr)  # noqa: T201
    return _USAGE

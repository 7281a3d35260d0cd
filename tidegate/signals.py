"""The first signal asks, the second insists."""

import asyncio
import os
import signal
import sys

from runtime.foundation.stopping import Stopping


def heed(stopping: Stopping) -> None:
    """From now on SIGINT and SIGTERM set *stopping*; a second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def asked(number: signal.Signals) -> None:
        if stopping:
            print("stopping at once", file=sys.stderr)  # noqa: T201  the logger may be what hangs
            os._exit(128 + number)
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked, number)

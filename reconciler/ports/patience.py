"""Asks again where asking again can help, within a budget, and wakes at once when asked to stop."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reconciler.model.errors import ReconcilerFault, Stopped
from runtime.foundation.backoff import Backoff
from runtime.foundation.stopping import Stopping

T = TypeVar("T")

BRISK = Backoff(first=0.2, most=5.0)
"""A rebalance is over within seconds; waiting longer between tries only delays."""


async def persist(
    attempt: Callable[[], Awaitable[T]],
    *,
    stopping: Stopping,
    patience: float,
    backoff: Backoff = BRISK,
) -> T:
    """
    The answer of *attempt*, tried until *patience* seconds have passed since the first try.

    Faults that do not call themselves retriable pass through at once, and so does the last one when
    patience ends. Raises Stopped when asked to stop between two tries.
    """
    deadline = time.monotonic() + patience
    for delay in backoff.delays():
        try:
            return await attempt()
        except ReconcilerFault as fault:
            if not fault.retriable or time.monotonic() + delay > deadline:
                raise
            if await stopping.nap(delay):
                raise Stopped("asked to stop between two tries") from fault
    raise AssertionError("backoff has no end")

"""Backoff as a value: how long to wait before each further try, over tenacity's wait strategies."""

from collections.abc import Iterator
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_exponential, wait_random


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential waits with jitter: *first*, then doubling up to *most* seconds."""

    first: float = 0.25
    """Seconds before the second try. Shorter hammers a service that is just coming back."""

    most: float = 30.0
    """Seconds between tries once it has been down for long. Longer delays recovery by as much."""

    def delays(self) -> Iterator[float]:
        """Seconds to wait before each further try, without end; the caller decides when to give up."""
        wait = wait_exponential(multiplier=self.first, max=self.most) + wait_random(0, self.first / 4)
        state = RetryCallState(Retrying(), None, (), {})
        while True:
            yield wait(state)
            state.attempt_number += 1

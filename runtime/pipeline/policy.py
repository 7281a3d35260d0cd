"""How patient a connector is with bad records: the ``errors.*`` keys (contract 6.1)."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Tolerance(Enum):
    """What to do with a record that failed for good."""

    NONE = "none"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPolicy:
    """The parsed ``errors.*`` keys."""

    tolerance: Tolerance = Tolerance.NONE
    retry_timeout_ms: int = 0
    """How long to retry a record; 0 not at all, -1 for ever."""
    retry_delay_max_ms: int = 60_000
    log_enable: bool = False
    log_include_messages: bool = False

    def delays(self) -> Iterator[float]:
        """Seconds before each retry: 300 ms doubling, and a random part of the maximum beyond it."""
        delay = 300
        while True:
            most = self.retry_delay_max_ms
            yield (delay if delay <= most else random.uniform(0, most)) / 1000  # noqa: S311  jitter, no secret
            delay = min(delay * 2, 2**40)

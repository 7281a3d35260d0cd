"""Free TCP ports on loopback, from below the ephemeral range, where no outgoing connection can take them."""

import random
import socket
from collections.abc import Iterator

_LOWEST, _HIGHEST = 12_000, 32_000


def free_ports(count: int = 1, host: str = "127.0.0.1") -> list[int]:
    """*count* different ports that nothing listens on now. Raises OSError when there are none."""
    found: list[int] = []
    for port in _candidates():
        if len(found) == count:
            break
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
        found.append(port)
    if len(found) < count:
        raise OSError(f"no {count} free ports between {_LOWEST} and {_HIGHEST} on {host}")
    return found


def _candidates() -> Iterator[int]:
    yield from random.sample(range(_LOWEST, _HIGHEST), 2_000)

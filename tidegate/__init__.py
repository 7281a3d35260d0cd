"""The front door: one command-line program over both halves, and ``up``, which composes them."""

from typing import Final

__version__: Final = "0.1.0"

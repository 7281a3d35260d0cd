"""Which REST API the commands mean when nobody says."""

import os
from pathlib import Path

from reconciler.settings import DEFAULT_URL, Up


def connect_url(given: str | None) -> str:
    """*given*, else TIDEGATE_CONNECT_URL, else the ``tidegate up`` that runs here, else Connect's default port."""
    up = Up.find(Path.cwd())
    return (given or os.environ.get("TIDEGATE_CONNECT_URL") or (up.connect_url if up else DEFAULT_URL)).rstrip("/")

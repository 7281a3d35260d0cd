"""The version our plugins report: that of the package they ship in."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from runtime.sdk.plugin import UNDEFINED


def _installed() -> str:
    try:
        return version("tidegate")
    except PackageNotFoundError:  # run from a bare source tree
        return UNDEFINED


VERSION: Final = _installed()

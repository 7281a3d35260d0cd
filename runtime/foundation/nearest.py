"""The name a person most likely meant."""

import difflib
from collections.abc import Iterable


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The known name closest to *given*, or None when nothing is close; case does not count."""
    by_fold = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(given.casefold(), by_fold, n=1, cutoff=0.72)
    return by_fold[close[0]] if close else None


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """``did you mean X?``, or an empty string when nothing is close."""
    name = nearest(given, known)
    return f"did you mean {name}?" if name else ""

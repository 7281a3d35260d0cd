"""A complaint about input: what is wrong, where, and what to try."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint. Validation yields these; the caller decides to stop."""

    where: str
    """The key or place, e.g. ``tasks.max`` or ``base/orders.yaml:14:9``."""

    what: str
    """What is wrong, in one sentence without a full stop."""

    hint: str = ""
    """What to try, when we know: a near name, an allowed value."""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.where}: {self.what}{hint}"

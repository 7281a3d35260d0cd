"""Somebody who wants to know about drift."""

from typing import Protocol

from reconciler.model import News


class Notifier(Protocol):
    """Takes news and never fails: what cannot be delivered now is the notifier's own worry."""

    def tell(self, news: News) -> None:
        """Accept one piece of news without waiting for its delivery."""
        ...

"""Compares wish, record and fact of one connector key by key; knows neither order nor permission."""

from reconciler.diff.values import Comparer, is_masked
from reconciler.diff.worlds import Change, Standing, compare, recorded

__all__ = ["Change", "Comparer", "Standing", "compare", "is_masked", "recorded"]

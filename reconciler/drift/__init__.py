"""Folds drifted keys into incidents that begin, change and end."""

from reconciler.drift.folding import healed, notice

__all__ = ["healed", "notice"]

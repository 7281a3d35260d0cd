"""Reads what is live, and says unknown where a read failed."""

from reconciler.observe.look import Curiosity, Sight, look
from reconciler.observe.plugins import PluginBook

__all__ = ["Curiosity", "PluginBook", "Sight", "look"]

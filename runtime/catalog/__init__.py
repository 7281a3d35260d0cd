"""Finds plugins, describes and validates their configuration, and constructs them for a connector."""

from runtime.catalog.discovery import Catalog, PluginInfo
from runtime.catalog.errors import UnknownPlugin
from runtime.catalog.kinds import CONNECTORS, PluginKind

__all__ = ["CONNECTORS", "Catalog", "PluginInfo", "PluginKind", "UnknownPlugin"]

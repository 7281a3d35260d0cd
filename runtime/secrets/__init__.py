"""Replaces ``${provider:path:key}`` in configurations by what config providers find there."""

from runtime.secrets.references import Resolved, Resolver

__all__ = ["Resolved", "Resolver"]

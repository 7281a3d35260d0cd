"""Files of manifests in, a desired state and every complaint out."""

from reconciler.manifests.reading import DEFAULT_CLUSTER, read, without_unknown_plugins

__all__ = ["DEFAULT_CLUSTER", "read", "without_unknown_plugins"]

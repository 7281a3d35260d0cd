"""The reconciler: manifests, diff, plan, apply, drift, loop."""

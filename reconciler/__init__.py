"""A GitOps daemon for connectors: manifests in, a reviewed plan, and a live side that stays equal to it."""

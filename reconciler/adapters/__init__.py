"""Translates between the ports and the world: Connect's REST API, folders, journals, webhooks."""

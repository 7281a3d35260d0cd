"""Connectors without a third party at the other end: files, and records made up for demonstrations."""

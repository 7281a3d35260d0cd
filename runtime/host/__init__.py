"""A task host: a process that runs connectors and tasks, a thread each, and speaks to its worker over a socket pair."""

"""Config, offset and status as typed tables, each over a log: a topic, a file, or memory."""

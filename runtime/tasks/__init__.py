"""The loop of one task: poll, process, hand over, commit; on a thread of its own."""

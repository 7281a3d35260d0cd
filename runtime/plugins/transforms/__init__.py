"""From record to record, or to nothing."""

"""When a transform applies."""

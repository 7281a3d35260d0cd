"""Between Connect data and bytes."""

"""What ships with us, entering by name like anyone's plugin: see the entry points in pyproject.toml."""

"""Where ``${provider:path:key}`` references are looked up."""

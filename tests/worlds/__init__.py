"""The few things tests stand on instead of the user's machine: real servers started by us, and one way of waiting."""

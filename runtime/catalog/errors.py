"""
What can be wrong with the name of a plugin.

UnknownPlugin   there is none of that name and kind
"""

from runtime.data import ConnectError


class UnknownPlugin(ConnectError):
    """There is no plugin of that name and kind; the text says which there are."""

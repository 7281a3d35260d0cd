"""What every plugin has: a version and a definition of its configuration."""

from typing import ClassVar

from runtime.sdk.config import ConfigDef

UNDEFINED = "undefined"
"""The version of a plugin that does not say; REST leaves it out (contract 1.4)."""


class Plugin:
    """
    Root of connectors, transforms, predicates, converters and config providers.

    A plugin is constructed without arguments, then configured or started. It is known by the name of its entry
    point in the group ``tidegate.plugins`` and by its Python path (``my_package.Source``).
    """

    version: ClassVar[str] = UNDEFINED
    config_def: ClassVar[ConfigDef] = ConfigDef()

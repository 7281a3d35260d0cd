"""EnvVarConfigProvider: ``${env:PASSWORD}`` (contract 10)."""

import os
import re
from collections.abc import Collection, Mapping

from runtime.plugins.version import VERSION
from runtime.sdk import (
    ConfigData,
    ConfigDef,
    ConfigError,
    ConfigProvider,
    Importance,
    Key,
    Type,
    compile_pattern,
    regex,
)


class EnvVarConfigProvider(ConfigProvider):
    """The key is a variable of the environment, as it was when the worker started."""

    version = VERSION
    config_def = ConfigDef(
        Key(
            "allowlist.pattern",
            Type.STRING,
            default=".*",
            validator=regex,
            importance=Importance.LOW,
            doc="What the names of variables that may be read must match.",
        )
    )

    def __init__(self) -> None:
        self._allowed: re.Pattern[str] = re.compile(".*")
        self._environment = dict(os.environ)

    def configure(self, config: Mapping[str, str]) -> None:
        """Take ``allowlist.pattern``."""
        self._allowed = compile_pattern(self.config_def.parse(config)["allowlist.pattern"])

    def get(self, path: str, keys: Collection[str]) -> ConfigData:
        """Those of *keys* that are set and allowed."""
        if path:
            raise ConfigError(path, message=f"Path is not supported for EnvVarConfigProvider, invalid value '{path}'")
        allowed = {name: value for name, value in self._environment.items() if self._allowed.fullmatch(name)}
        return ConfigData({key: allowed[key] for key in keys if key in allowed})

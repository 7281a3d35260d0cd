"""FileConfigProvider: ``${file:/etc/secrets.properties:password}`` (contract 10)."""

from collections.abc import Collection, Mapping

import javaproperties
import structlog

from runtime.plugins.config_providers.allowed import ALLOWED, AllowedPaths
from runtime.plugins.version import VERSION
from runtime.sdk import ConfigData, ConfigError, ConfigProvider

log = structlog.stdlib.get_logger(__name__)


class FileConfigProvider(ConfigProvider):
    """The path is a properties file, the key one of its properties."""

    version = VERSION
    config_def = ALLOWED

    def __init__(self) -> None:
        self._allowed = AllowedPaths({})

    def configure(self, config: Mapping[str, str]) -> None:
        """Take ``allowed.paths``."""
        self._allowed = AllowedPaths(config)

    def get(self, path: str, keys: Collection[str]) -> ConfigData:
        """Those of *keys* that the file has."""
        if not path:
            return ConfigData()
        file = self._allowed.path(path)
        if file is None:
            log.warning("file_config_provider.not_allowed", path=path, hint="it is outside allowed.paths")
            return ConfigData()
        try:
            properties = javaproperties.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as err:
            raise ConfigError(path, message=f"Could not read properties from file {path}") from err
        return ConfigData({key: value for key, value in properties.items() if key in keys})

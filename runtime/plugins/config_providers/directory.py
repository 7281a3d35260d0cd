"""DirectoryConfigProvider: ``${directory:/run/secrets:password}`` (contract 10)."""

from collections.abc import Collection, Mapping

import structlog

from runtime.plugins.config_providers.allowed import ALLOWED, AllowedPaths
from runtime.plugins.version import VERSION
from runtime.sdk import ConfigData, ConfigError, ConfigProvider

log = structlog.stdlib.get_logger(__name__)


class DirectoryConfigProvider(ConfigProvider):
    """The path is a folder, the key a file in it; the value is the file's whole text, line ends included."""

    version = VERSION
    config_def = ALLOWED

    def __init__(self) -> None:
        self._allowed = AllowedPaths({})

    def configure(self, config: Mapping[str, str]) -> None:
        """Take ``allowed.paths``."""
        self._allowed = AllowedPaths(config)

    def get(self, path: str, keys: Collection[str]) -> ConfigData:
        """The texts of those files named in *keys* that the folder has."""
        if not path:
            return ConfigData()
        folder = self._allowed.path(path)
        if folder is None:
            log.warning("directory_config_provider.not_allowed", path=path, hint="it is outside allowed.paths")
            return ConfigData()
        if not folder.is_dir():
            log.warning("directory_config_provider.no_directory", path=path)
            return ConfigData()
        found: dict[str, str] = {}
        for file in sorted(folder.iterdir()):
            if file.name not in keys or not file.is_file() or self._allowed.path(str(file)) is None:
                continue
            try:
                found[file.name] = file.read_text("utf-8")
            except (OSError, ValueError) as err:
                raise ConfigError(path, message=f"Could not read file {file.name} in {path}") from err
        return ConfigData(found)

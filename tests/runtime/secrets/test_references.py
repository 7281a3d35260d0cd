"""References and the providers that know what they stand for (contract 10)."""

from collections.abc import Collection
from pathlib import Path

import pytest

from runtime.plugins.config_providers.directory import DirectoryConfigProvider
from runtime.plugins.config_providers.env_var import EnvVarConfigProvider
from runtime.plugins.config_providers.file import FileConfigProvider
from runtime.sdk import ConfigData, ConfigError, ConfigProvider
from runtime.secrets import Resolver


class Known(ConfigProvider):
    """A provider with fixed answers, which remembers what it was asked."""

    def __init__(self, ttl_ms: int | None = None) -> None:
        self.asked: list[tuple[str, set[str]]] = []
        self._ttl = ttl_ms

    def get(self, path: str, keys: Collection[str]) -> ConfigData:
        self.asked.append((path, set(keys)))
        return ConfigData({"key": f"<{path}>", "again": "${p:key}", "a:b": "odd"}, self._ttl)


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("${p:path:key}", "<path>"),
        ("${p:key}", "<>"),
        ("a ${p:x:key} b ${p:y:key}", "a <x> b <y>"),
        ("${p:path:nope}", "${p:path:nope}"),
        ("${q:path:key}", "${q:path:key}"),
        ("${p:path:again}", "${p:key}"),
        ("${p:path:a:b}", "odd"),
        ("${key}", "${key}"),
        ("$p:key", "$p:key"),
        ("", ""),
    ],
)
def test_references(text: str, resolved: str) -> None:
    """Several in a value, not recursive; what nobody knows stays as it stands."""
    assert {"k": resolved} == Resolver({"p": Known()}).resolve({"k": text}).config


def test_what_came_from_providers_is_known() -> None:
    found = Resolver({"p": Known()}).resolve({"a": "${p:key}", "b": "plain", "c": "${p:nope}", "${p:key}": "key"})
    assert frozenset({"a"}) == found.from_providers
    assert "key" == found.config["${p:key}"]


def test_each_path_is_asked_once() -> None:
    provider = Known()
    Resolver({"p": provider}).resolve({"a": "${p:x:key}", "b": "${p:x:again}"})
    assert [("x", {"key", "again"})] == provider.asked


def test_the_shortest_ttl_holds() -> None:
    both = Resolver({"p": Known(500), "q": Known(200), "r": Known()})
    assert 200 == both.resolve({"a": "${p:key}${q:key}${r:key}"}).ttl_ms
    assert both.resolve({"a": "${r:key}"}).ttl_ms is None


# FileConfigProvider


def test_a_properties_file(tmp_path: Path) -> None:
    file = tmp_path / "secrets.properties"
    file.write_text("password = s3cret \\\n  continued\nname: ünï\n", "utf-8")
    provider = FileConfigProvider()
    provider.configure({})
    found = provider.get(str(file), ["password", "name", "nope"]).data
    assert {"password": "s3cret continued", "name": "ünï"} == found
    assert {} == provider.get("", ["x"]).data
    with pytest.raises(ConfigError, match="Could not read properties from file"):
        provider.get(str(tmp_path / "nope"), ["x"])


def test_only_allowed_paths(tmp_path: Path) -> None:
    """Neither ``..`` nor a symbolic link leads out of what is allowed."""
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    allowed.mkdir()
    other.mkdir()
    (allowed / "a").write_text("k=1")
    (other / "b").write_text("k=2")
    (allowed / "link").symlink_to(other / "b")
    provider = FileConfigProvider()
    provider.configure({"allowed.paths": str(allowed)})
    assert {"k": "1"} == provider.get(str(allowed / "a"), ["k"]).data
    for path in (other / "b", allowed / ".." / "other" / "b", allowed / "link"):
        assert {} == provider.get(str(path), ["k"]).data
    with pytest.raises(ConfigError, match="is not absolute"):
        provider.configure({"allowed.paths": "relative"})
    with pytest.raises(ConfigError, match="does not exist"):
        provider.configure({"allowed.paths": str(tmp_path / "nope")})


# DirectoryConfigProvider


def test_a_folder_of_secrets(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("line\n")
    (tmp_path / "more").mkdir()
    provider = DirectoryConfigProvider()
    provider.configure({})
    assert {"password": "line\n"} == provider.get(str(tmp_path), ["password", "more", "nope"]).data
    assert {} == provider.get(str(tmp_path / "nope"), ["password"]).data
    provider.configure({"allowed.paths": str(tmp_path / "more")})
    assert {} == provider.get(str(tmp_path), ["password"]).data


# EnvVarConfigProvider


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was when the worker started, and only what is allowed."""
    monkeypatch.setenv("DB_PASSWORD", "s3cret")
    monkeypatch.setenv("OTHER", "x")
    provider = EnvVarConfigProvider()
    monkeypatch.setenv("DB_PASSWORD", "changed")
    provider.configure({"allowlist.pattern": "DB_.*"})
    assert {"DB_PASSWORD": "s3cret"} == provider.get("", ["DB_PASSWORD", "OTHER", "NOPE"]).data
    with pytest.raises(ConfigError, match="Path is not supported"):
        provider.get("path", ["DB_PASSWORD"])

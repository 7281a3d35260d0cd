"""
Finds plugins: entry points of the group ``tidegate.plugins``, and what lies in the folders of ``plugin.path``.

A plugin's class name is its entry point's name: a Java name for what users know from Connect, anything for others.
In a folder without packaging, every plugin class of its modules is found under its Python path. Modules are imported
when first needed; one that fails is left out with a log line and never keeps a worker from starting (contract 9.3).
"""

import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from runtime.catalog.errors import UnknownPlugin
from runtime.catalog.kinds import BASES, CONNECTORS, PluginKind, kinds_of
from runtime.foundation import logs
from runtime.foundation.nearest import did_you_mean
from runtime.sdk import Plugin

log = logs.get(__name__)

GROUP = "tidegate.plugins"

_SUFFIX = {
    PluginKind.SOURCE: "Connector",
    PluginKind.SINK: "Connector",
    PluginKind.CONVERTER: "Converter",
    PluginKind.HEADER_CONVERTER: "HeaderConverter",
    PluginKind.TRANSFORMATION: "Transformation",
    PluginKind.PREDICATE: "Predicate",
    PluginKind.CONFIG_PROVIDER: "ConfigProvider",
}


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin of one kind."""

    class_name: str
    """The name it is known by, e.g. ``org.apache.kafka.connect.file.FileStreamSourceConnector``."""
    kind: PluginKind
    version: str
    location: str
    """``classpath`` for installed packages, else the folder it was found in."""
    cls: type[Plugin]

    @property
    def python_path(self) -> str:
        """``module.Class``."""
        return f"{self.cls.__module__}.{self.cls.__qualname__}"


class Catalog:
    """The plugins of one process."""

    def __init__(self, plugin_path: Sequence[Path] = ()) -> None:
        self._path = tuple(plugin_path)
        self._found: list[PluginInfo] | None = None
        self._names: dict[PluginKind, dict[str, PluginInfo]] = {}
        self._abstract: dict[PluginKind, dict[str, PluginInfo]] = {}
        self._class_names: dict[type, str] = {}

    def plugins(self) -> list[PluginInfo]:
        """All plugins that can be constructed, by kind in REST's order, then by name."""
        if self._found is None:
            order = list(BASES)
            everything = sorted(self._scan(), key=lambda it: (order.index(it.kind), it.class_name))
            self._found = [it for it in everything if not inspect.isabstract(it.cls)]
            abstract = [it for it in everything if inspect.isabstract(it.cls)]
            self._abstract = {kind: _aliases([it for it in abstract if it.kind is kind]) for kind in BASES}
            self._names = {kind: _aliases([it for it in self._found if it.kind is kind]) for kind in BASES}
            self._class_names = {it.cls: it.class_name for it in reversed(self._found)}
        return self._found

    def find(self, name: str, kinds: PluginKind | Sequence[PluginKind]) -> PluginInfo:
        """
        The plugin that *name* means: class name, alias, or Python path (``module.Class``, ``module:Class``).

        Raises UnknownPlugin.
        """
        wanted = (kinds,) if isinstance(kinds, PluginKind) else tuple(kinds)
        self.plugins()
        for kind in wanted:
            found = self._names[kind].get(name.replace(":", "."))
            if found is not None:
                return found
        raise UnknownPlugin(self._unknown(name, wanted))

    def load(self, name: str, kinds: PluginKind | Sequence[PluginKind]) -> type[Plugin]:
        """The class that *name* means. Raises UnknownPlugin."""
        return self.find(name, kinds).cls

    def class_name(self, cls: type) -> str:
        """The name that *cls* is known by; its Python path when it is no plugin of ours."""
        self.plugins()
        return self._class_names.get(cls, f"{cls.__module__}.{cls.__qualname__}")

    def known_as(self, name: str, kind: PluginKind) -> PluginInfo | None:
        """
        What *name* means, whether or not it is of *kind* and can be constructed; None when it means nothing.

        For complaints that say more than that there is no such plugin.
        """
        self.plugins()
        for names in (self._names[kind], self._abstract[kind], *self._names.values(), *self._abstract.values()):
            if (found := names.get(name.replace(":", "."))) is not None:
                return found
        return None

    def variants(self, info: PluginInfo) -> list[PluginInfo]:
        """The plugins that make something of an abstract one: ``InsertField$Key``, ``InsertField$Value``."""
        return [it for it in self.plugins() if it.kind is info.kind and it.class_name.startswith(f"{info.class_name}$")]

    def names(self, kinds: PluginKind | Sequence[PluginKind]) -> set[str]:
        """Every name and alias of these kinds."""
        wanted = (kinds,) if isinstance(kinds, PluginKind) else tuple(kinds)
        self.plugins()
        return {name for kind in wanted for name in self._names[kind]}

    # ----

    def _unknown(self, name: str, kinds: Sequence[PluginKind]) -> str:
        if tuple(kinds) == CONNECTORS:
            available = ", ".join(
                f"PluginDesc{{klass=class {it.class_name}, version='{it.version}', type={it.kind.value}}}"
                for it in self.plugins()
                if it.kind in kinds
            )
            text = (
                f"Failed to find any class that implements Connector and which name matches {name}, "
                f"available connectors are: {available}"
            )
        else:
            what = " or ".join(kind.value.replace("_", " ") for kind in kinds)
            text = f"Class {name} could not be found: no {what} has that name"
        hint = did_you_mean(name, self.names(kinds))
        return f"{text} ({hint})" if hint else text

    def _scan(self) -> Iterator[PluginInfo]:
        seen: set[tuple[str, PluginKind]] = set()
        for info in self._everywhere():
            if (info.class_name, info.kind) not in seen:
                seen.add((info.class_name, info.kind))
                yield info

    def _everywhere(self) -> Iterator[PluginInfo]:
        # Folders first: who puts a plugin there means that one, whatever else is installed under its name.
        for folder in self._path:
            if not folder.is_dir():
                log.error("plugin.path.missing", path=str(folder))
                continue
            for location in _locations(folder):
                yield from _located(location)
        for entry in metadata.entry_points(group=GROUP):
            yield from _entry(entry, "classpath")


def _aliases(found: Sequence[PluginInfo]) -> dict[str, PluginInfo]:
    """Names to plugins: class name and Python path always, short names where only one class has them."""
    names: dict[str, PluginInfo] = {}
    short: dict[str, set[type]] = {}
    meant: dict[str, PluginInfo] = {}
    for info in found:
        names[info.class_name] = info
        names.setdefault(info.python_path, info)
        simple = info.class_name.rpartition(".")[2].rpartition("$")[2]
        pruned = {simple.removesuffix(_SUFFIX[each]) or simple for each in kinds_of(info.cls)}
        for alias in {simple} | pruned:
            short.setdefault(alias, set()).add(info.cls)
            meant[alias] = info
    for alias, classes in short.items():
        if len(classes) == 1:
            names.setdefault(alias, meant[alias])
    return names


def _entry(entry: metadata.EntryPoint, location: str) -> Iterator[PluginInfo]:
    try:
        cls = entry.load()
    except Exception as err:  # noqa: BLE001  authors' code, which may fail in any way when it is imported
        log.error("plugin.broken", plugin=entry.name, location=location, reason=f"{type(err).__name__}: {err}")
        return
    yield from _infos(entry.name, cls, location)


def _infos(name: str, cls: object, location: str) -> Iterator[PluginInfo]:
    if not (inspect.isclass(cls) and issubclass(cls, Plugin) and kinds_of(cls)):
        log.error("plugin.broken", plugin=name, location=location, reason="is no plugin class")
        return
    for kind in kinds_of(cls):
        yield PluginInfo(name, kind, str(cls.version), location, cls)


def _locations(folder: Path) -> Iterator[Path]:
    """A folder of plugins, or a plugin itself: modules and packages in it, and its sub-folders."""
    yield folder
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.name.startswith((".", "_")) and not (child / "__init__.py").exists():
            yield child


def _located(location: Path) -> Iterator[PluginInfo]:
    """What one import root holds: by its packages' entry points, else every plugin class of its modules."""
    described = [
        entry
        for dist in metadata.distributions(path=[str(location)])
        for entry in dist.entry_points
        if entry.group == GROUP
    ]
    modules = [
        child.stem if child.is_file() else child.name
        for child in sorted(location.iterdir())
        if (child.is_file() and child.suffix == ".py" and child.stem.isidentifier())
        or (child.is_dir() and (child / "__init__.py").exists())
    ]
    if not described and not modules:
        return
    if str(location) not in sys.path:
        sys.path.append(str(location))
        importlib.invalidate_caches()
    if described:
        for entry in described:
            yield from _entry(entry, str(location))
        return
    for name in modules:
        yield from _module(name, location)


def _module(name: str, location: Path) -> Iterator[PluginInfo]:
    try:
        module = importlib.import_module(name)
    except Exception as err:  # noqa: BLE001  as above
        log.error("plugin.broken", plugin=name, location=str(location), reason=f"{type(err).__name__}: {err}")
        return
    origin = Path(module.__file__ or "").resolve() if module.__file__ else None
    if origin is None or not origin.is_relative_to(location.resolve()):
        log.error(
            "plugin.broken",
            plugin=name,
            location=str(location),
            reason=f"another module of that name is already loaded from {origin}; rename one",
        )
        return
    members: Mapping[str, object] = vars(module)
    for cls in members.values():
        if (
            inspect.isclass(cls)
            and cls.__module__.partition(".")[0] == name
            and kinds_of(cls)
            and not inspect.isabstract(cls)
        ):
            yield from _infos(f"{cls.__module__}.{cls.__qualname__}", cls, str(location))

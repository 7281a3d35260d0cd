"""Plugins are found, by every name they have; what is broken is left out and said (contract 9.3)."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from runtime.catalog import CONNECTORS, Catalog, PluginKind, UnknownPlugin
from runtime.data import STRING, Constant, RecordBatch, SourceRecord
from runtime.plugins.connectors.file_stream import FileStreamSourceConnector
from runtime.sdk import SourceTask, Transformation
from tests.runtime.plugins.contexts import Offsets, SourceContext

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
FILE_SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"


@pytest.fixture(autouse=True)
def _imports_end_with_the_test(tmp_path: Path) -> Iterator[None]:
    """A catalogue puts plugin folders on sys.path for the life of its process; here that is one test."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def said() -> Iterator[LogCapture]:
    capture = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[capture])
    yield capture
    structlog.configure(**before)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


@pytest.mark.parametrize(
    "name",
    [
        FILE_SOURCE,
        "FileStreamSourceConnector",
        "FileStreamSource",
        "runtime.plugins.connectors.file_stream.FileStreamSourceConnector",
        "runtime.plugins.connectors.file_stream:FileStreamSourceConnector",
    ],
)
def test_every_name_means_the_same(catalog: Catalog, name: str) -> None:
    info = catalog.find(name, CONNECTORS)
    assert (FILE_SOURCE, PluginKind.SOURCE, FileStreamSourceConnector) == (info.class_name, info.kind, info.cls)
    assert FILE_SOURCE == catalog.class_name(info.cls)
    assert "classpath" == info.location


def test_aliases_lose_the_name_of_their_kind(catalog: Catalog) -> None:
    assert "org.apache.kafka.connect.json.JsonConverter" == catalog.find("Json", PluginKind.CONVERTER).class_name
    assert catalog.find("Json", PluginKind.HEADER_CONVERTER)
    assert catalog.find("RegexRouter", PluginKind.TRANSFORMATION)


def test_an_alias_that_two_share_means_neither(catalog: Catalog) -> None:
    """InsertField$Value and MaskField$Value are both called Value."""
    with pytest.raises(UnknownPlugin):
        catalog.find("Value", PluginKind.TRANSFORMATION)
    assert catalog.find("org.apache.kafka.connect.transforms.InsertField$Value", PluginKind.TRANSFORMATION)


def test_an_unknown_name_is_answered_with_those_there_are(catalog: Catalog) -> None:
    with pytest.raises(UnknownPlugin, match=r"available connectors are: .*FileStreamSource.*did you mean"):
        catalog.find("FileStreamSuorce", CONNECTORS)
    with pytest.raises(UnknownPlugin, match="no transformation"):
        catalog.find("Nope", PluginKind.TRANSFORMATION)


def test_what_cannot_be_constructed_is_not_listed(catalog: Catalog) -> None:
    """InsertField is a base of two; people who name it are told which two."""
    bare = "org.apache.kafka.connect.transforms.InsertField"
    assert bare not in {info.class_name for info in catalog.plugins()}
    info = catalog.known_as(bare, PluginKind.TRANSFORMATION)
    assert info is not None
    assert [f"{bare}$Key", f"{bare}$Value"] == [it.class_name for it in catalog.variants(info)]


# plugin.path


def test_the_twenty_lines_of_the_documentation_run() -> None:
    """Found in a folder without packaging, configured, started, polled, and resumed behind what was committed."""
    info = Catalog([EXAMPLES]).find("counter.Counter", CONNECTORS)
    assert (PluginKind.SOURCE, "1.0", str(EXAMPLES)) == (info.kind, info.version, info.location)
    assert 20 == sum(1 for line in (EXAMPLES / "counter.py").read_text().splitlines() if line.strip())
    connector = info.cls()
    connector.start({"topic": "numbers"})  # type: ignore[attr-defined]
    [config] = connector.task_configs(3)  # type: ignore[attr-defined]
    offsets = Offsets()
    for expected in ("number 1", "number 2"):
        task: SourceTask = connector.task_class()()  # type: ignore[attr-defined]
        task.initialize(SourceContext(offsets))
        task.start(config)
        polled = task.poll()
        assert polled is not None
        [record] = polled
        assert isinstance(record, SourceRecord)
        assert ("numbers", expected) == (record.topic, record.value)
        offsets.commit(record.source_partition or {}, record.source_offset or {})


def test_the_transform_of_the_documentation_runs() -> None:
    """Both forms of it, and they agree."""
    shout = Catalog([EXAMPLES]).load("Shout", PluginKind.TRANSFORMATION)()
    assert isinstance(shout, Transformation)
    batch = RecordBatch(count=2, topic=Constant("t"), value_schema=Constant(STRING), value=["a", "b"])
    got, kept = shout.apply_batch(batch)
    assert kept is None
    assert [shout.apply(row) for row in batch.rows()] == list(got.rows())


@pytest.mark.parametrize("example", ["counter.py", "shout.py"])
def test_the_documentation_shows_what_runs(example: str) -> None:
    page = (ROOT / "docs" / "how-to" / "write-a-connector.md").read_text()
    assert f'```python title="examples/{example}"\n{(EXAMPLES / example).read_text()}```' in page


def plugin(name: str) -> str:
    """A module with one transform called *name*."""
    return (
        "from runtime.sdk import Transformation\n"
        f"class {name}(Transformation):\n    def apply(self, record):\n        return record\n"
    )


def test_an_entry_point_gives_the_name(tmp_path: Path) -> None:
    """A folder filled by ``pip install --target`` is read by its packages' entry points."""
    folder = tmp_path / "mine"
    described = folder / "my_connectors-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: my-connectors\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[tidegate.plugins]\ncom.example.Loud = loud_in_a_package:Quiet\n")
    (folder / "loud_in_a_package.py").write_text(plugin("Quiet"))
    info = Catalog([tmp_path]).find("com.example.Loud", PluginKind.TRANSFORMATION)
    assert ("loud_in_a_package.Quiet", str(folder)) == (info.python_path, info.location)
    assert info == Catalog([tmp_path]).find("Loud", PluginKind.TRANSFORMATION)


def test_packages_and_modules_and_folders(tmp_path: Path) -> None:
    (tmp_path / "plain_module_here.py").write_text(plugin("OneOfAModule"))
    package = tmp_path / "package_here"
    package.mkdir()
    (package / "__init__.py").write_text(plugin("OneOfAPackage"))
    sub = tmp_path / "sub"
    sub.mkdir()
    (sub / "module_of_a_folder.py").write_text(plugin("OneOfAFolder"))
    found = {info.class_name: info.location for info in Catalog([tmp_path]).plugins() if info.location != "classpath"}
    assert {
        "plain_module_here.OneOfAModule": str(tmp_path),
        "package_here.OneOfAPackage": str(tmp_path),
        "module_of_a_folder.OneOfAFolder": str(sub),
    } == found


def test_what_is_broken_is_left_out_and_said(tmp_path: Path, said: LogCapture) -> None:
    """A plugin that cannot be imported never keeps a worker from starting; the log says why."""
    (tmp_path / "broken_syntax_here.py").write_text("def (")
    (tmp_path / "broken_import_here.py").write_text("import no_such_module_anywhere")
    (tmp_path / "broken_exit_here.py").write_text("raise ValueError('at import')")
    (tmp_path / "json.py").write_text(plugin("Shadow"))
    (tmp_path / "good_here.py").write_text(plugin("Good"))
    catalog = Catalog([tmp_path, tmp_path / "missing"])
    assert ["good_here.Good"] == [it.class_name for it in catalog.plugins() if it.location != "classpath"]
    reasons = {entry.get("plugin"): entry.get("reason", "") for entry in said.entries}
    assert "SyntaxError" in reasons["broken_syntax_here"]
    assert "no_such_module_anywhere" in reasons["broken_import_here"]
    assert "at import" in reasons["broken_exit_here"]
    assert "already loaded" in reasons["json"]
    assert "plugin.path.missing" in {entry["event"] for entry in said.entries}


def test_everything_that_ships_with_us_loads(catalog: Catalog, said: LogCapture) -> None:
    """No entry point leads to nowhere, and each plugin describes itself."""
    Catalog().plugins()
    assert [] == [entry for entry in said.entries if entry["event"] == "plugin.broken"]
    for info in catalog.plugins():
        assert info.cls.__doc__, info.class_name
        for key in info.cls.config_def:
            assert key.doc, f"{info.class_name} {key.name}"
            key.describe()

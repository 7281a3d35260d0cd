"""What moved in git, for the log: paths of nested documents, never values."""

from reconciler.diff.documents import moved
from reconciler.model import DesiredState
from tests.reconciler.world import desired

MANIFEST = """
apiVersion: tidegate.dev/v1
kind: Connector
metadata: {name: %s, labels: {team: a}}
spec:
  class: FileStreamSource
  config: {topic: t, file: %s}
  drift: {policy: %s, ignore: [config.file]}
"""


def read(**files: str) -> DesiredState:
    made = desired({f"{name}.yaml": text for name, text in files.items()})
    assert () == made.problems
    return made


def test_paths_of_what_moved_and_no_values() -> None:
    """Configuration and what stands beside it are named; what a password was, or is, never is."""
    before = read(a=MANIFEST % ("a", "secret-one", "heal"), b=MANIFEST % ("b", "x", "heal"))
    after = read(a=MANIFEST % ("a", "secret-two", "alert"), c=MANIFEST % ("c", "x", "heal"))
    paths = moved(before, after)
    assert 4 == len(paths)
    assert any(path.endswith("a: config.file") for path in paths)
    assert any(path.endswith("a: drift.policy") for path in paths)
    assert any(path.endswith("b removed") for path in paths)
    assert any(path.endswith("c added") for path in paths)
    assert "secret" not in " ".join(paths)


def test_nothing_moved() -> None:
    """The same documents, read again, moved nothing."""
    assert () == moved(read(a=MANIFEST % ("a", "x", "heal")), read(a=MANIFEST % ("a", "x", "heal")))

"""The committed reference page is what the code prints, and its examples are manifests."""

from pathlib import Path

import pytest

from reconciler.adapters.directory import Directory
from reconciler.manifests import read, reference, schema
from tests.reconciler.world import desired

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    """`python -m reconciler.manifests.reference > docs/reference/manifests.md` changes nothing."""
    assert reference.page() == (ROOT / "docs" / "reference" / "manifests.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [*schema.KINDS, *schema.PLAIN], ids=lambda kind: kind.title)
def test_examples_are_manifests(kind: schema.Kind) -> None:
    """Every example of the page passes the reader."""
    assert () == desired({"example.yaml": kind.example}).problems


def test_the_worked_example_is_sound() -> None:
    """`desired-state/` has no mistake and shows each kind of manifest."""
    import asyncio

    state = read(asyncio.run(Directory(ROOT / "desired-state").read()))
    assert ((), ()) == (state.problems, state.warnings)
    assert {"lines-in", "lines-out", "lines-audit", "lines-archive"} == {ref.name for ref in state.connectors}

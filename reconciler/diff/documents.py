"""One connector as the nested document that a manifest's ``spec`` is, and which of its paths moved."""

from collections.abc import Mapping

from deepdiff import DeepDiff

from reconciler.diff.values import Comparer
from reconciler.model import keys

Document = Mapping[str, Mapping[str, object]]
"""``{"spec": {"class": …, "tasksMax": …}, "config": {"topics": …}}``, values by what they mean."""


def document(config: Mapping[str, str | None], comparer: Comparer) -> Document:
    """*config* as Connect holds it, laid out as a manifest; a key at its default is the same as an absent one."""
    sections: dict[str, dict[str, object]] = {"spec": {}, "config": {}}
    for key, value in config.items():
        meaning = comparer.meaning(key, value)
        if key != "name" and meaning != comparer.meaning(key, None):
            section, _, name = keys.path_of(key).partition(".")
            sections[section][name] = meaning
    return sections


def moved(before: Document, after: Document) -> list[str]:
    """The paths whose values differ, e.g. ``config.topics``, in the order of their keys in Connect."""
    if before == after:
        return []
    tree = DeepDiff(before, after, view="tree")
    paths = {
        ".".join(node.path(output_format="list")[:2])  # below that are the elements of a list
        for nodes in tree.values()
        for node in nodes
    }
    return sorted(paths, key=keys.key_of)

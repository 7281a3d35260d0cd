"""
Text into trees that know where they stand.

YAML 1.2 by ruamel.yaml's composer, so every node has its line and column; JSON goes the same way. This
module knows nothing of kinds or fields. It complains about what is wrong with any document: syntax,
duplicate keys, keys that are not text, unknown tags, and documents that aliases blow up.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from reconciler.model import Origin
from runtime.contract import Problem

MOST_NODES: Final = 50_000
"""Values in one file, aliases expanded. A manifest has dozens; more is an alias bomb or not a manifest."""

DEEPEST: Final = 50
"""Levels of nesting; a manifest has five."""

_CORE: Final = "tag:yaml.org,2002:"
_TRUE: Final = frozenset({"true", "yes", "on", "y"})
_JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\Z")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value that has no parts."""

    text: str
    """What Connect's REST API would hold: ``true`` for every spelling of true, numbers as written."""

    kind: str
    """``str``, ``int``, ``float``, ``bool`` or ``null``."""

    origin: Origin

    def __str__(self) -> str:
        return {
            "str": f'the text "{self.text}"',
            "int": f"the number {self.text}",
            "float": f"the number {self.text}",
            "bool": self.text,
            "null": "empty",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: "tuple[Tree, ...]"
    origin: Origin

    def __str__(self) -> str:
        return "a list"


@dataclass(frozen=True, slots=True)
class Item:
    """One key of a mapping with its value."""

    key: str
    at: Origin
    value: "Tree"


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file; keys are unique."""

    items: dict[str, Item]
    origin: Origin

    def __str__(self) -> str:
        return "a mapping"


Tree = Scalar | Sequence | Mapping


@dataclass(slots=True)
class Complaints:
    """Problems with their places, kept until all are known."""

    found: list[tuple[Origin, Problem]] = field(default_factory=list)

    def add(self, at: Origin, what: str, hint: str = "") -> None:
        """One more; the same complaint about the same place counts once."""
        entry = (at, Problem(str(at), what, hint))
        if entry not in self.found:
            self.found.append(entry)

    def __bool__(self) -> bool:
        return bool(self.found)


def documents(path: str, content: bytes, complaints: Complaints) -> Iterator[Tree]:
    """The documents of one file. What cannot be read becomes a complaint; documents before it are given."""
    text = _decoded(path, content, complaints)
    if text is None:
        return
    if path.endswith(".json"):
        text = text.replace("\t", " ")  # between JSON tokens a tab is a blank; within them it is not allowed
    budget = _Budget()
    loader = YAML(typ="safe", pure=True)
    try:
        for node in loader.compose_all(text):
            if node is None or _is_empty(node):
                continue
            tree = _tree(node, path, complaints, budget, ())
            if tree is not None:
                yield tree
    except _TooMuch as much:
        complaints.add(much.at, much.what, "is this a manifest?")
    except RecursionError:
        complaints.add(Origin(path, 1, 1), f"nested deeper than {DEEPEST} levels", "is this a manifest?")
    except ReaderError as err:
        complaints.add(_place(path, text, err.position), f"the character U+{err.character:04X} is not allowed in YAML")
    except MarkedYAMLError as err:
        complaints.add(_mark(path, err.problem_mark or err.context_mark), *_syntax(err))
    except YAMLError as err:
        complaints.add(Origin(path, 1, 1), f"not YAML: {str(err).splitlines()[0]}")


def _decoded(path: str, content: bytes, complaints: Complaints) -> str | None:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as err:
        before = content[: err.start]
        line, column = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1
        complaints.add(
            Origin(path, line, column),
            f"not UTF-8: byte 0x{content[err.start]:02X} starts no character",
            "save the file as UTF-8",
        )
        return None


def _syntax(err: MarkedYAMLError) -> tuple[str, str]:
    problem = err.problem or err.context or "syntax error"
    if "'\\t'" in problem:
        return "a tab where YAML wants blanks", "indent with blanks"
    if "mapping values are not allowed" in problem:
        return "a second ': ' on one line", "quote values that hold ': '"
    context = f" {err.context}" if err.context else ""
    return f"not YAML: {problem}{context}", ""


class _TooMuch(Exception):
    """The file is too big to be a manifest once aliases are expanded."""

    def __init__(self, at: Origin, what: str) -> None:
        super().__init__(what)
        self.at = at
        self.what = what


@dataclass(slots=True)
class _Budget:
    nodes: int = 0

    def spend(self, at: Origin) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise _TooMuch(at, f"more than {MOST_NODES} values once aliases are expanded")


def _tree(
    node: Node, path: str, complaints: Complaints, budget: _Budget, above: tuple[int, ...], at: Origin | None = None
) -> Tree | None:
    at = at or _mark(path, node.start_mark)
    budget.spend(at)
    if id(node) in above:
        complaints.add(at, f"the alias &{node.anchor} contains itself")
        return None
    if len(above) >= DEEPEST:
        raise _TooMuch(at, f"nested deeper than {DEEPEST} levels")
    below = (*above, id(node))
    match node:
        case ScalarNode():
            return _scalar(node, at, complaints)
        case SequenceNode():
            parts = [_tree(part, path, complaints, budget, below) for part in node.value]
            return Sequence(tuple(part for part in parts if part is not None), at)
        case MappingNode():
            return _mapping(node, at, path, complaints, budget, below)
        case _:  # the composer makes no other node
            raise AssertionError(f"unexpected node {node!r}")


def _mapping(
    node: MappingNode, at: Origin, path: str, complaints: Complaints, budget: _Budget, above: tuple[int, ...]
) -> Mapping:
    items: dict[str, Item] = {}
    merged: dict[str, Item] = {}
    for key_node, value_node in node.value:
        key_at = _mark(path, key_node.start_mark)
        if not isinstance(key_node, ScalarNode):
            complaints.add(key_at, "a key must be text")
            continue
        is_null = isinstance(value_node, ScalarNode) and value_node.value == ""
        value = _tree(value_node, path, complaints, budget, above, key_at if is_null else None)
        if value is None:
            continue
        if str(key_node.tag) == f"{_CORE}merge":
            _merge(value, merged, complaints)
        elif (first := items.get(key_node.value)) is not None:
            complaints.add(key_at, f'duplicate key "{key_node.value}", first at {first.at.line}:{first.at.column}')
        else:
            items[key_node.value] = Item(key_node.value, key_at, value)
    return Mapping(merged | items if merged else items, at)


def _merge(value: Tree, into: dict[str, Item], complaints: Complaints) -> None:
    """``<<``: keys of one mapping or several; the earlier wins, and keys said outright win over both."""
    sources = value.items if isinstance(value, Sequence) else (value,)
    for source in sources:
        if isinstance(source, Mapping):
            for key, item in source.items.items():
                into.setdefault(key, item)
        else:
            complaints.add(source.origin, "<< takes a mapping or a list of mappings")


def _scalar(node: ScalarNode, at: Origin, complaints: Complaints) -> Scalar | None:
    tag, text = str(node.tag), str(node.value)
    match tag.removeprefix(_CORE):
        case "str" | "timestamp" | "merge" | "value":
            return Scalar(_whole_characters(text), "str", at)
        case "int":
            return Scalar(text if _JSON_NUMBER.match(text) else _whole_number(text), "int", at)
        case "float":
            return Scalar(text, "float", at)
        case "bool":
            return Scalar("true" if text.lower() in _TRUE else "false", "bool", at)
        case "null":
            return Scalar("", "null", at)
        case _:
            complaints.add(at, f"unknown tag {tag.replace(_CORE, '!!')}", "remove it, or quote the value")
            return None


def _whole_number(text: str) -> str:
    plain = text.replace("_", "").lstrip("+")
    try:
        return str(int(plain, 0))
    except ValueError:  # leading zeros: decimal in YAML 1.2
        return str(int(plain)) if plain.lstrip("-").isdigit() else text


def _whole_characters(text: str) -> str:
    """JSON writes characters beyond the BMP as two escapes; put the halves together."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and str(node.tag) == f"{_CORE}null"


def _mark(path: str, mark: object) -> Origin:
    line, column = getattr(mark, "line", 0), getattr(mark, "column", 0)
    return Origin(path, line + 1, column + 1)


def _place(path: str, text: str, position: int) -> Origin:
    before = text[:position]
    return Origin(path, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)

"""Holds a tree against the table of fields: every mistake is a complaint, what is right is given."""

from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from reconciler.manifests.document import Complaints, Mapping, Scalar, Sequence, Tree
from reconciler.manifests.schema import Field, Shape
from reconciler.model import Origin
from runtime.foundation.nearest import did_you_mean

Plain = str | int | bool | tuple[str, ...] | dict[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """One field that is there and right."""

    value: Plain
    at: Origin
    """Where its value stands."""

    key_at: Origin
    """Where its key stands."""

    parts: Map[str, tuple[Origin, Origin]] = field(default_factory=dict)
    """For maps: where key and value of each entry stand."""


Findings = dict[str, Found]
"""Fields by dotted path, e.g. ``spec.drift.policy``."""


def check(
    tree: Mapping,
    fields: tuple[Field, ...],
    complaints: Complaints,
    warnings: Complaints,
    *,
    at: Origin,
    path: str = "",
    loose: bool = False,
) -> Findings:
    """
    What *tree* says, by path.

    *at* is where to complain about what is missing. *loose* lets unknown keys pass.
    """
    found: Findings = {}
    known = {known.name: known for known in fields}
    for item in tree.items.values():
        spot = known.get(item.key)
        if spot is None:
            if not loose:
                where = f" in {path.removesuffix('.')}" if path else ""
                complaints.add(item.at, f'unknown key "{item.key}"{where}', _meant(item.key, fields))
            continue
        if spot.inert:
            warnings.add(item.at, f"{path}{item.key} is accepted, but nothing acts on it yet")
        found |= _field(item.value, spot, complaints, warnings, key_at=item.at, path=f"{path}{item.key}")
    for spot in fields:
        if spot.required and spot.name not in tree.items:
            complaints.add(at, f"{path}{spot.name} is missing")
    return found


def _field(
    tree: Tree, spot: Field, complaints: Complaints, warnings: Complaints, *, key_at: Origin, path: str
) -> Findings:
    match spot.shape, tree:
        case Shape.ANYTHING, _:
            return {path: Found("", tree.origin, key_at)}
        case _, Scalar(kind="null") if not spot.required and spot.shape is not Shape.TEXT:
            return {}  # "config:" with nothing below it says nothing
        case Shape.OBJECT, Mapping():
            return {path: Found("", tree.origin, key_at)} | check(
                tree, spot.fields, complaints, warnings, at=key_at, path=f"{path}.", loose=spot.open
            )
        case Shape.TEXT, Scalar(kind="str"):
            if spot.choices and tree.text not in spot.choices:
                allowed = ", ".join(spot.choices)
                hint = did_you_mean(tree.text, spot.choices) or f"one of {allowed}"
                complaints.add(tree.origin, f'{path} must be one of {allowed}, is "{tree.text}"', hint)
                return {}
            if not tree.text.strip():
                complaints.add(tree.origin, f"{path} must not be empty")
                return {}
            return {path: Found(tree.text, tree.origin, key_at)}
        case Shape.WHOLE, Scalar(kind="int"):
            number = int(tree.text)
            if spot.least is not None and number < spot.least:
                complaints.add(tree.origin, f"{path} must be at least {spot.least}, is {number}")
                return {}
            return {path: Found(number, tree.origin, key_at)}
        case Shape.FLAG, Scalar(kind="bool"):
            return {path: Found(tree.text == "true", tree.origin, key_at)}
        case Shape.TEXTS, Sequence():
            return _texts(tree, complaints, key_at=key_at, path=path)
        case ((Shape.LABELS | Shape.CONFIG), Mapping()):
            return _texts_by_key(tree, spot, complaints, key_at=key_at, path=path)
        case _:
            hint = "quote it" if spot.shape is Shape.TEXT and isinstance(tree, Scalar) and tree.text else ""
            if spot.shape is Shape.WHOLE and isinstance(tree, Scalar) and tree.text.strip().isdigit():
                hint = "remove the quotes"
            elif spot.shape is Shape.FLAG and isinstance(tree, Scalar) and tree.kind == "str":
                hint = did_you_mean(tree.text, ("true", "false")) or "true or false, without quotes"
            complaints.add(tree.origin, f"{path} must be {_article(spot.shape)}, is {tree}", hint)
            return {}


def _article(shape: Shape) -> str:
    match shape:
        case Shape.TEXT:
            return "text"
        case Shape.OBJECT:
            return "a mapping"
        case Shape.FLAG:
            return "true or false"
        case _:
            return f"a {shape.value}"


def _texts(tree: Sequence, complaints: Complaints, *, key_at: Origin, path: str) -> Findings:
    texts: list[str] = []
    parts: dict[str, tuple[Origin, Origin]] = {}
    for part in tree.items:
        if isinstance(part, Scalar) and part.kind == "str" and part.text.strip():
            texts.append(part.text)
            parts[part.text] = (part.origin, part.origin)
        else:
            complaints.add(part.origin, f"{path} takes texts, not {part}")
    return {path: Found(tuple(texts), tree.origin, key_at, parts)}


def _texts_by_key(tree: Mapping, spot: Field, complaints: Complaints, *, key_at: Origin, path: str) -> Findings:
    texts: dict[str, str] = {}
    parts: dict[str, tuple[Origin, Origin]] = {}
    for item in tree.items.values():
        belongs = spot.reserved.get(item.key)
        if belongs is not None:
            complaints.add(item.at, f'"{item.key}" does not belong in {path}', f"say it in {belongs}")
        elif not item.key:
            complaints.add(item.at, f"an empty key in {path}")
        elif isinstance(item.value, Scalar) and item.value.kind == "null":
            complaints.add(item.at, f'{path}: "{item.key}" has no value', 'remove the key, or write "" for empty text')
        elif isinstance(item.value, Scalar) and (spot.shape is Shape.CONFIG or item.value.kind == "str"):
            texts[item.key] = item.value.text
            parts[item.key] = (item.at, item.value.origin)
        else:
            hint = "quote it"
            if spot.shape is Shape.CONFIG:
                is_list = isinstance(item.value, Sequence)
                hint = "write lists as text: a,b,c" if is_list else 'write nested keys with dots: "a.b: c"'
            complaints.add(item.value.origin, f'{path}: "{item.key}" must be text, is {item.value}', hint)
    return {path: Found(texts, tree.origin, key_at, parts)}


def _meant(key: str, fields: tuple[Field, ...]) -> str:
    near = did_you_mean(key, [spot.name for spot in fields])
    return near or "known: " + ", ".join(spot.name for spot in fields)

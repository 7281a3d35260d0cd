"""
Regular expressions as people write them for Connect, which means Java's, on Python's engine.

The two agree on nearly everything that topic names and field names need. Translated are quoting (``\\Q..\\E``),
named groups (``(?<name>..)``, ``\\k<name>``), POSIX and Unicode shorthand classes (``\\p{Alpha}``, ``\\p{L}``),
``\\h``, ``\\R``, ``\\z`` and ``\\Z``; ``\\d``, ``\\w`` and ``\\s`` mean ASCII, as in Java. Refused, with a message
that says so: classes inside classes and intersections (``[a-z&&[^x]]``), and properties we do not know.
"""

import re
from collections.abc import Callable
from typing import Final

_POSIX: Final = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0b\f\r",
}
_LETTERS: Final = {"L", "IsL", "IsAlphabetic", "javaLetter", "IsLetter"}
_GROUP_NAME: Final = re.compile(r"\(\?<([a-zA-Z][a-zA-Z0-9]*)>")
_PROPERTY: Final = re.compile(r"\{([A-Za-z_]+)\}|([A-Z])")
_TIDY: Final = {"h": r"[ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]", "R": r"(?:\r\n|[\n-\r\x85\u2028\u2029])"}


def compile_pattern(pattern: str) -> "re.Pattern[str]":
    """*pattern*, written for Java, as Python's. Raises ValueError, which names what is wrong."""
    try:
        return re.compile(_translated(pattern), re.ASCII)
    except re.error as err:
        raise ValueError(str(err)) from None
    except (OverflowError, RecursionError) as err:
        raise ValueError(f"too large: {err}") from None


def _translated(pattern: str) -> str:
    out: list[str] = []
    at, in_class = 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            text, at = _escape(pattern, at + 1, in_class=in_class)
            out.append(text)
        elif in_class:
            if char == "]" and pattern[at - 1 : at] != "[" and pattern[at - 2 : at] != "[^":
                in_class = False
            elif char == "[" or pattern.startswith("&&", at):
                raise ValueError("classes inside classes and intersections are not supported")
            out.append(char)
            at += 1
        elif char == "[":
            in_class = True
            out.append(char)
            at += 1
        elif named := _GROUP_NAME.match(pattern, at):
            out.append(f"(?P<{named.group(1)}>")
            at = named.end()
        else:
            # Java's $ looks before a final \r\n too; names hold no line ends, so Python's will do.
            out.append(char)
            at += 1
    return "".join(out)


def _escape(pattern: str, at: int, *, in_class: bool) -> tuple[str, int]:
    kind = pattern[at : at + 1]
    if kind == "Q":
        end = pattern.find("\\E", at + 1)
        text = pattern[at + 1 :] if end < 0 else pattern[at + 1 : end]
        return re.escape(text), len(pattern) if end < 0 else end + 2
    if kind in ("p", "P"):
        found = _PROPERTY.match(pattern, at + 1)
        if found is None:
            raise ValueError(f"Unknown character property near index {at}")
        return _property(found.group(1) or found.group(2), kind == "P", in_class=in_class), found.end()
    if kind == "k" and (named := re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)>").match(pattern, at + 1)):
        return f"(?P={named.group(1)})", named.end()
    if not in_class and kind in _TIDY:
        return _TIDY[kind], at + 1
    if kind == "h":
        return _TIDY["h"][1:-1], at + 1
    if kind == "z":
        return r"\Z", at + 1
    if kind == "Z":
        return r"(?=\n?\Z)", at + 1
    if kind == "x" and pattern.startswith("{", at + 1):
        end = pattern.find("}", at)
        return re.escape(chr(int(pattern[at + 2 : end], 16))), end + 1
    return "\\" + kind, at + 1


def _property(name: str, negated: bool, *, in_class: bool) -> str:
    short = name.removeprefix("Is")
    if name in _LETTERS or short in ("L", "Lu", "Ll"):
        inside = {"Lu": "A-Z\u00c0-\u00d6\u00d8-\u00de", "Ll": "a-z\u00df-\u00f6\u00f8-\u00ff"}.get(short, r"^\W\d_")
        if inside.startswith("^"):
            if in_class:
                raise ValueError(f"\\p{{{name}}} inside a class is not supported")
            return f"(?u:[{inside}])" if not negated else r"(?u:[\W\d_])"
    elif short in _POSIX:
        inside = _POSIX[short]
    elif short in ("N", "Nd"):
        inside = "0-9"
    else:
        raise ValueError(f"Unknown character property name {{{name}}}")
    if in_class:
        if negated:
            raise ValueError(f"\\P{{{name}}} inside a class is not supported")
        return inside
    return f"[{'^' if negated else ''}{inside}]"


def compile_replacement(replacement: str, pattern: "re.Pattern[str]") -> Callable[["re.Match[str]"], str]:
    """
    Java's replacement text (``$1``, ``${name}``, ``\\`` before a character to take as it is) as a function.

    Raises ValueError for groups that *pattern* does not have.
    """
    parts: list[str | int] = []
    at = 0
    while at < len(replacement):
        char = replacement[at]
        if char == "\\":
            if at + 1 >= len(replacement):
                raise ValueError("character to be escaped is missing")
            parts.append(replacement[at + 1])
            at += 2
        elif char == "$":
            group, at = _group(replacement, at + 1, pattern)
            parts.append(group)
        else:
            parts.append(char)
            at += 1
    return lambda match: "".join(part if isinstance(part, str) else match.group(part) or "" for part in parts)


def _group(replacement: str, at: int, pattern: "re.Pattern[str]") -> tuple[int, int]:
    if replacement.startswith("{", at):
        end = replacement.find("}", at)
        name = replacement[at + 1 : end]
        if end < 0 or name not in pattern.groupindex:
            raise ValueError(f"No group with name {{{name}}}" if end > 0 else "named capturing group is missing '}'")
        return pattern.groupindex[name], end + 1
    digits = re.compile(r"[0-9]").match(replacement, at)
    if digits is None:
        raise ValueError("Illegal group reference")
    number, at = int(digits.group()), at + 1
    if number > pattern.groups:
        raise ValueError(f"No group {number}")
    while at < len(replacement) and replacement[at] in "0123456789":
        longer = number * 10 + int(replacement[at])
        if longer > pattern.groups:
            break
        number, at = longer, at + 1
    return number, at

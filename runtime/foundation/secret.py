"""Secrets print as ``***``, and texts are scrubbed of them on the way out."""

import re
from typing import Final

MASK: Final = "***"

_SECRET_KEY = re.compile(
    r"(password|passwd|secret|token|credential|private\.?key|api\.?key|access\.?key|sasl\.jaas\.config"
    r"|basic\.auth\.user\.info|passphrase)",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\$\{[^}:]+:(?:[^}]*:)?[^}]*\}")
_IN_TEXT = (
    re.compile(
        r"(?i)(\b[\w.\-]*(?:password|passwd|secret|token|passphrase)[\w.\-]*\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;}\]]+)"
    ),
    re.compile(r"(\w+://[^:/\s]+:)([^@/\s]+)(?=@)"),
)


class Secret(str):
    """A string that shows itself only to those who call :meth:`reveal`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def reveal(self) -> str:
        """The value itself."""
        return str.__str__(self)


def is_secret_key(key: str) -> bool:
    """Whether a configuration key's name says that its value is a secret, where no definition tells."""
    return _SECRET_KEY.search(key) is not None


def is_reference(value: str) -> bool:
    """Whether *value* is nothing but ``${provider:path:key}`` references, which are safe to show."""
    return bool(value) and _REFERENCE.sub("", value).strip() == "" and "${" in value


def scrub(text: str) -> str:
    """*text* with everything that looks like a password masked; for error messages made by others."""
    for pattern in _IN_TEXT:
        text = pattern.sub(lambda m: m.group(1) + MASK, text)
    return text

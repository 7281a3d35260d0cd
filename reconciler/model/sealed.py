"""
Remembers a secret without knowing it: a salted, slow hash that can only say "the same" or "another".

scrypt, because passwords are short: a fast hash in a journal could be searched. Its cost (about 1 ms) is
paid once per value and process; answers are cached.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Self


@dataclass(frozen=True, slots=True)
class Sealed:
    """A value that can be recognised but not read."""

    salt: str
    """Hexadecimal, random for each sealing."""

    digest: str
    """Hexadecimal, 16 bytes."""

    @classmethod
    def of(cls, value: str) -> Self:
        """*value*, sealed under a new salt."""
        salt = os.urandom(16).hex()
        return cls(salt, _digest(salt, value))

    def matches(self, value: str) -> bool:
        """Whether *value* is what was sealed."""
        return hmac.compare_digest(self.digest, _digest(self.salt, value))


def fingerprint(value: str, *, domain: str) -> str:
    """The same text for the same *value* and *domain* in every process, from which *value* cannot be read."""
    return _digest(hashlib.sha256(domain.encode()).hexdigest(), value)


@lru_cache(maxsize=8192)
def _digest(salt: str, value: str) -> str:
    key = hashlib.scrypt(value.encode("utf-8", "surrogatepass"), salt=salt.encode(), n=1024, r=8, p=1, dklen=16)
    return key.hex()

"""The one place where a test waits: for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NeverHappened(AssertionError):
    """What a test waited for did not come true within its budget."""


def wait_until(condition: Callable[[], T], timeout: float = 30.0, what: str = "", every: float = 0.05) -> T:
    """
    Call *condition* until it returns something true, and return that.

    *timeout* is a budget for a slow machine, not an expectation; *what* finishes the sentence "never happened: ...".
    Exceptions of *condition* pass: a condition that may fail for a while says so by returning something false.
    """
    deadline = time.monotonic() + timeout
    while True:
        last = condition()
        if last:
            return last
        if time.monotonic() > deadline:
            raise NeverHappened(f"never happened: {what or repr(condition)} (waited {timeout:g} s, last saw {last!r})")
        time.sleep(every)

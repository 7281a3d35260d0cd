"""What the SDK offers, and the small things it is made of."""

import re
from typing import Any

import pytest

import runtime.sdk
from runtime.data import STRING, Constant, Record, RecordBatch, SinkRecord, SourceRecord
from runtime.sdk import Once, Predicate, Transformation, compile_pattern, compile_replacement


def test_all_that_is_offered_is_there() -> None:
    assert len(set(runtime.sdk.__all__)) == len(runtime.sdk.__all__)
    for name in runtime.sdk.__all__:
        assert hasattr(runtime.sdk, name)


# Once


def test_once_per_object_and_per_equal_object() -> None:
    made: list[str] = []
    once = Once(lambda key: made.append(key) or len(made))  # type: ignore[func-returns-value]
    first, equal = "ab", "".join(["a", "b"])
    assert first is not equal
    assert [1, 1, 1, 2, 1] == [once(first), once(equal), once(first), once("c"), once(equal)]
    assert ["ab", "c"] == made


def test_once_forgets_the_least_used() -> None:
    made: list[int] = []
    once = Once(lambda key: made.append(key), size=2)
    for key in (1000, 2000, 1000, 3000, 1000, 2000):
        once(int(str(key)))
    assert [1000, 2000, 3000, 2000] == made


# Lifted forms


class Odd(Transformation):
    """Keeps odd numbers, tenfold."""

    def apply(self, record: Record) -> Record | None:
        return record.but(value=record.value * 10) if record.value % 2 else None


class Positive(Predicate):
    def test(self, record: Record) -> bool:
        return bool(record.value > 0)


def batch(values: list[Any], **more: Any) -> RecordBatch:
    return RecordBatch(count=len(values), topic=Constant("t"), value_schema=Constant(STRING), value=values, **more)


def test_the_record_form_is_enough() -> None:
    out, kept = Odd().apply_batch(batch([1, 2, 3], offset=[7, 8, 9], partition=Constant(0)))
    assert [0, 2] == kept
    rows = list(out.rows())
    assert [(10, 7), (30, 9)] == [(row.value, row.offset) for row in rows]  # type: ignore[attr-defined]
    assert all(isinstance(row, SinkRecord) for row in rows)
    assert (0, []) == (Odd().apply_batch(batch([2]))[0].count, Odd().apply_batch(batch([2]))[1])
    assert Odd().apply_batch(batch([1]))[1] is None
    assert [True, False] == Positive().test_batch(batch([1, -1]))


def test_records_change_by_copy() -> None:
    record = SourceRecord(topic="t", value=1, source_offset={"n": 1})
    changed = record.but(topic="u")
    assert ("t", "u", {"n": 1}) == (record.topic, changed.topic, changed.source_offset)
    assert type(changed) is SourceRecord


# Java's patterns


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"a.*", "abc", True),
        (r"\Qa.b\E.", "a.bc", True),
        (r"\Qa.b\E.", "axbc", False),
        (r"\Qa.b", "a.b", True),
        (r"(?<x>a)\k<x>", "aa", True),
        (r"\p{Alpha}\p{Digit}", "a1", True),
        (r"[\p{Upper}_]+", "A_B", True),
        (r"\p{L}+", "äß", True),
        (r"\P{Alpha}", "a", False),
        (r"\d", "٣", False),
        (r"[^]a]", "b", True),
        (r"[]a]", "]", True),
        (r"a++b", "aab", True),
        (r"(?i)ABC", "abc", True),
        (r"\x{61}", "a", True),
        (r"a\z", "a", True),
        (r"\h", "\t", True),
    ],
)
def test_patterns_are_javas(pattern: str, text: str, matches: bool) -> None:
    assert matches == bool(compile_pattern(pattern).fullmatch(text))


@pytest.mark.parametrize("pattern", ["(", "[a", "a(*", "[a[b]]", "[a-z&&[b]]", r"\p{Klingon}", r"\p", "*"])
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        compile_pattern(pattern)


@pytest.mark.parametrize("replacement", ["$", "$2", "${x}", "${n", "a\\"])
def test_replacements_that_are_none(replacement: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        compile_replacement(replacement, re.compile("(?P<n>a)"))

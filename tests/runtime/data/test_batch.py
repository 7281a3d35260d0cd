"""Batches: the same records as columns, whichever kind of column (design 3)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.data import STRING, Column, Computed, Constant, Record, RecordBatch
from runtime.data.batch import compact, each, mapped, mapped_once, values
from tests.samples import FREE, records

ROWS = st.one_of(
    st.lists(records(STRING, st.text(max_size=3), sink=True), max_size=5),
    st.lists(records(None, FREE), max_size=5),
)


@given(ROWS)
def test_records_come_back_from_columns(rows: list[Record]) -> None:
    if rows:
        assert repr(rows) == repr(list(RecordBatch.of(rows).rows()))


@given(ROWS, st.data())
def test_take_and_slice_are_those_of_lists(rows: list[Record], data: st.DataObject) -> None:
    if not rows:
        return
    batch = RecordBatch.of(rows)
    indices = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=len(rows) - 1).map(sorted).map(_unique))
    assert repr([rows[i] for i in indices]) == repr(list(batch.take(indices).rows()))
    start = data.draw(st.integers(0, len(rows)))
    stop = data.draw(st.integers(start, len(rows) + 2))
    assert repr(rows[start:stop]) == repr(list(batch.slice(start, stop).rows()))
    index = data.draw(st.integers(0, len(rows) - 1))
    assert repr(rows[index]) == repr(batch.row(index))


def _unique(numbers: list[int]) -> list[int]:
    return list(dict.fromkeys(numbers))


@given(st.integers(0, 6), st.integers(-8, 8), st.integers(-8, 8))
def test_a_computed_column_is_like_a_list(count: int, start: int, stop: int) -> None:
    made, plain = Computed(count, lambda i: i * i), [i * i for i in range(count)]
    assert plain == list(made) == made
    assert plain[start:stop] == made[start:stop]
    assert len(plain[start:stop]) == len(made[start:stop])
    for index in range(-count, count):
        assert plain[index] == made[index]
    with pytest.raises(IndexError):
        made[count]
    with pytest.raises(ValueError, match="one piece"):
        made[::2]


def test_a_computed_column_computes_only_what_is_looked_at() -> None:
    asked: list[int] = []

    def at(index: int) -> dict[str, int]:
        asked.append(index)
        return {"n": index}

    batch = RecordBatch(count=1000, topic=Constant("t"), value=list(range(1000)), source_offset=Computed(1000, at))
    assert {"n": 999} == values(batch.source_offset, 1000)[999]
    assert {"n": 501} == batch.slice(500, 600).row(1).source_offset  # type: ignore[attr-defined]
    assert [999, 501] == asked


@pytest.mark.parametrize("column", [["a", "b"], Constant("a"), Computed(2, lambda i: "ab"[i])])
def test_columns_are_changed_once_per_value(column: Column[str]) -> None:
    def upper(value: str) -> str:
        return value.upper()

    expected = [value.upper() for value in values(column, 2)]
    assert expected == list(values(mapped(column, upper), 2))
    assert expected == list(values(mapped_once(column, upper), 2))
    assert expected[0] == upper(next(each(column)))


def test_one_and_the_same_object_is_a_constant() -> None:
    one: Any = object()
    assert Constant(one) == compact([one, one])
    assert isinstance(compact([one, object()]), list)
    assert [] == compact([])

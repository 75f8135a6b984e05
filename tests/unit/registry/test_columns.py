"""A column of ids gives back what was put in."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.registry.handlers.column import IdColumn

IDS = st.uuids().filter(lambda one: one.int > 0)


@given(st.lists(st.none() | IDS))
def test_a_column_gives_each_rows_id_or_none(ids: list[UUID | None]) -> None:
    column, filled = IdColumn(), IdColumn(len(ids))
    for place, one in enumerate(ids):
        column.append()
        column[place] = filled[place] = one
    assert [*column] == [*filled] == ids
    assert len(column) == len(filled) == len(ids)


@given(IDS, IDS)
def test_an_id_can_be_put_in_anothers_place_and_taken_out(one: UUID, other: UUID) -> None:
    column = IdColumn(3)
    column[1] = one
    column[1] = other
    assert [*column] == [None, other, None]
    column[1] = None
    assert [*column] == [None] * 3

"""The state machines: drawn from their tables, and refusing what isn't in them."""

import itertools
from pathlib import Path

import pytest

from services.recruitment.domain.states import MACHINES, OFFER, IllegalStepError, Machine, document

DOCUMENT = Path(__file__).parents[3] / "docs" / "recruitment-states.md"


def test_the_document_shows_the_tables_as_they_are() -> None:
    assert DOCUMENT.read_text("utf-8") == document()


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.noun)
def test_every_state_is_reached_from_the_first(machine: Machine) -> None:
    reached, grown = {machine.first}, True
    while grown:
        more = {to for (state, _), to in machine.steps.items() if state in reached} - reached
        reached |= more
        grown = bool(more)
    assert reached == {s for s, _ in machine.steps} | set(machine.steps.values())


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.noun)
def test_whatever_is_not_in_the_table_is_refused(machine: Machine) -> None:
    states = {s for s, _ in machine.steps} | set(machine.steps.values())
    steps = {step for _, step in machine.steps}
    for state, step in itertools.product(states, steps):
        if (state, step) in machine.steps:
            assert machine.allows(state, step)
            assert machine.after(state, step) == machine.steps[state, step]
            assert state in machine.sources(step)
        else:
            assert not machine.allows(state, step)
            with pytest.raises(IllegalStepError):
                machine.after(state, step)


def test_an_answered_offer_takes_no_other_answer() -> None:
    for state, step in itertools.product(
        ("accepted", "declined", "expired", "withdrawn"),
        ("accept", "decline", "expire", "withdraw"),
    ):
        assert not OFFER.allows(state, step)

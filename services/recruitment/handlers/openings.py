"""Openings taken and given back: the count moves with offers and placements."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from contracts.recruitment import VacancyChanged, VacancyFilled
from services.recruitment.store import marks, vacancies
from services.recruitment.store.rows import Row
from shared.transaction import Tx


async def give_back(tx: Tx, vacancy_ids: Iterable[UUID], cause_id: UUID | None) -> None:
    """Give back the openings of offers that ended (the event that told so); once per offer."""
    counts = Counter(vacancy_ids)
    if not counts:
        return
    await vacancies.load_vacancies_for_update(tx, counts)
    await vacancies.add_taken(tx, {v: -n for v, n in counts.items()})
    await marks.mark_freed(tx, counts, cause_id)


async def settle(tx: Tx, vacancy_ids: Iterable[UUID]) -> None:
    """Count confirmed placements; a vacancy without an opening left is filled."""
    counts = Counter(vacancy_ids)
    if not counts:
        return
    await vacancies.load_vacancies_for_update(tx, counts)
    for row in await vacancies.add_placed(tx, counts):
        tx.say(VacancyFilled.model_validate(dict(row)), tenant_id=row["enterprise_id"])


async def vacate(tx: Tx, vacancy_ids: Iterable[UUID], cause_id: UUID | None = None) -> None:
    """Give back the openings of placements that are off; a filled vacancy looks again."""
    counts = Counter(vacancy_ids)
    if not counts:
        return
    await vacancies.load_vacancies_for_update(tx, counts)
    for row in await vacancies.free_placed(tx, counts):
        _say_looks_again(tx, row)
    await marks.mark_freed(tx, counts, cause_id)


def _say_looks_again(tx: Tx, row: Row) -> None:
    event = VacancyChanged.model_validate({**row, "changed": ("free_openings",)})
    tx.say(event, tenant_id=row["enterprise_id"])

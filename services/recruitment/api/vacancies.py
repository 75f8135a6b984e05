"""Routes of vacancies."""

from functools import partial
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from contracts.fields import Body, Code, Day, Pay, ProgrammeCode, ReferenceCode, Title
from contracts.recruitment import Requirements, VacancyPosted
from services.recruitment import views
from services.recruitment.api.calls import (
    COORDINATOR,
    Caller,
    Reasoned,
    SiteBody,
    because,
    done,
    lawful,
    on_behalf,
)
from services.recruitment.domain.brands import LABOUR_BRANDS
from services.recruitment.handlers import drives
from services.recruitment.store import drives as stored
from services.recruitment.store import vacancies
from shared.commands import Answer
from shared.http import Call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, after
from shared.transaction import Tx

router = APIRouter(tags=["vacancies"])
OPENINGS_MAX = 10_000


class RequirementsBody(Requirements):
    """What a vacancy asks for; a word that isn't known would ask for nothing."""

    model_config = ConfigDict(extra="forbid")


class NewVacancy(Body):
    """A vacancy as an enterprise posts it; pay is yuan a month."""

    drive_id: UUID
    enterprise_id: UUID | None = None
    site: SiteBody
    title: Title
    occupation_code: ReferenceCode
    openings: int = Field(ge=1, le=OPENINGS_MAX)
    starts_on: Day
    monthly_pay_min: Pay
    monthly_pay_max: Pay
    requirements: RequirementsBody = RequirementsBody()
    programme: ProgrammeCode | None = None
    nights: int | None = Field(None, ge=1, le=366)
    labour_brand: Code | None = None

    @field_validator("monthly_pay_max")
    @classmethod
    def _pay_in_order(cls, pay: int, told: ValidationInfo) -> int:
        if pay < told.data.get("monthly_pay_min", 0):
            raise ValueError("max_below_min")
        return pay

    @field_validator("requirements")
    @classmethod
    def _ages_in_order(cls, wanted: RequirementsBody) -> RequirementsBody:
        if wanted.age_min and wanted.age_max and wanted.age_max < wanted.age_min:
            raise ValueError("age_max_below_age_min")
        return wanted


@router.post("/v1/vacancies", status_code=201)
async def post(body: NewVacancy, caller: Caller) -> Response:
    """Post a vacancy; a coordinator names the enterprise."""
    caller.require(tenant_kinds={"enterprise"}, roles=COORDINATOR)
    return await caller.command(partial(_post, body, caller))


async def _post(body: NewVacancy, caller: Call, tx: Tx) -> Answer:
    enterprise_id = on_behalf(caller.identity, body.enterprise_id)
    await stored.get_drive(tx, body.drive_id)
    fields = {**body.model_dump(), "enterprise_id": enterprise_id}
    event = VacancyPosted(vacancy_id=tx.ids.uuid7(), **fields)
    await tx.as_worker()
    await drives.post_vacancies(tx, [event])
    return Answer(201, {**event.model_dump(), "state": "posted"})


@router.post("/v1/vacancies/{vacancy_id}/withdraw")
async def withdraw(vacancy_id: UUID, caller: Caller, body: Reasoned | None = None) -> Response:
    """Withdraw a vacancy; its open offers are taken back, placements stay."""
    caller.require(tenant_kinds={"enterprise"}, roles=COORDINATOR)
    return await caller.command(partial(_withdraw, vacancy_id, body or Reasoned(), caller))


async def _withdraw(vacancy_id: UUID, body: Reasoned, caller: Call, tx: Tx) -> Answer:
    await vacancies.get_vacancy(tx, vacancy_id)
    await tx.as_worker()
    take_back = lawful(drives.take_vacancy_back)
    return done(await take_back(tx, vacancy_id, body.code, because(caller.identity)))


@router.get("/v1/vacancies")
async def list_vacancies(  # noqa: PLR0913 (a filter each)
    caller: Caller,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    drive_id: UUID | None = None,
    state: Literal["posted", "filled", "withdrawn"] | None = None,
    labour_brand: Code | None = None,
) -> Response:
    """List the caller's vacancies, the newest first."""
    (last,) = after(cursor, UUID)
    filters = {"drive_id": drive_id, "state": state, "labour_brand": labour_brand}
    wanted = views.Wanted(limit, last, filters)
    return await caller.query(partial(views.list_vacancies, wanted))


@router.get("/v1/labour-brands")
async def list_labour_brands(caller: Caller) -> Response:
    """List the labour brands that have names; others are used by their code alone."""

    async def view(_: Tx) -> object:
        items = [{"code": code, "name": name} for code, name in LABOUR_BRANDS.items()]
        return {"items": items, "next_cursor": None}

    return await caller.query(view)


@router.get("/v1/vacancies/{vacancy_id}")
async def get_vacancy(vacancy_id: UUID, caller: Caller) -> Response:
    """Give a vacancy."""
    return await caller.query(partial(views.find_vacancy, vacancy_id))

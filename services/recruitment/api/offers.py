"""Routes of offers."""

from functools import partial
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response

from contracts.fields import Body
from services.recruitment import views
from services.recruitment.api.calls import (
    COORDINATOR,
    Caller,
    Reasoned,
    because,
    lawful,
)
from services.recruitment.handlers import claims
from services.recruitment.handlers.houserules import HouseRules
from services.recruitment.store import nominations, offers, vacancies
from shared.commands import Answer
from shared.http import Call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, after
from shared.transaction import Tx

router = APIRouter(tags=["offers"])
State = Literal["made", "accepted", "declined", "expired", "withdrawn"]


class NewOffer(Body):
    """An offer that a coordinator makes outside of the rounds."""

    nomination_id: UUID
    vacancy_id: UUID


@router.post("/v1/offers", status_code=201)
async def make(body: NewOffer, caller: Caller) -> Response:
    """Make an offer; 409 `no_opening` when no opening is left."""
    caller.require(roles=COORDINATOR)
    return await caller.command(partial(_make, body, caller))


async def _make(body: NewOffer, caller: Call, tx: Tx) -> Answer:
    await nominations.get_nomination(tx, body.nomination_id)
    await vacancies.get_vacancy(tx, body.vacancy_id)
    await tx.as_worker()
    stands = caller.resource(HouseRules).offer_stands
    command = claims.Claim(body.nomination_id, body.vacancy_id, stands)
    offer, overruled = await lawful(claims.claim)(tx, command, because(caller.identity))
    shown = await views.get_offer(tx, offer.offer_id)
    return Answer(201, {**shown, "overruled_rules": overruled})


@router.post("/v1/offers/{offer_id}/accept")
async def accept(offer_id: UUID, caller: Caller) -> Response:
    """Accept an offer; of a group's, the last acceptance places all."""
    caller.require(tenant_kinds={"office"}, roles=COORDINATOR)
    return await caller.command(partial(_accept, offer_id, caller))


async def _accept(offer_id: UUID, caller: Call, tx: Tx) -> Answer:
    await offers.get_offer(tx, offer_id)
    await tx.as_worker()
    await lawful(claims.accept_offer)(tx, offer_id, because(caller.identity))
    return Answer(200, await views.get_offer(tx, offer_id))


@router.post("/v1/offers/{offer_id}/decline")
async def decline(offer_id: UUID, caller: Caller, body: Reasoned | None = None) -> Response:
    """Decline an offer; the opening goes to others."""
    caller.require(tenant_kinds={"office"}, roles=COORDINATOR)
    return await caller.command(partial(_decline, offer_id, body or Reasoned(), caller))


async def _decline(offer_id: UUID, body: Reasoned, caller: Call, tx: Tx) -> Answer:
    await offers.get_offer(tx, offer_id)
    await tx.as_worker()
    await lawful(claims.decline_offer)(tx, offer_id, body.code, because(caller.identity))
    return Answer(200, await views.get_offer(tx, offer_id))


@router.post("/v1/offers/{offer_id}/withdraw")
async def withdraw(offer_id: UUID, caller: Caller, body: Reasoned | None = None) -> Response:
    """Withdraw an offer that nobody has answered."""
    caller.require(tenant_kinds={"enterprise"}, roles=COORDINATOR)
    return await caller.command(partial(_withdraw, offer_id, body or Reasoned(), caller))


async def _withdraw(offer_id: UUID, body: Reasoned, caller: Call, tx: Tx) -> Answer:
    await offers.get_offer(tx, offer_id)
    await tx.as_worker()
    await lawful(claims.withdraw_offer)(tx, offer_id, body.code, because(caller.identity))
    return Answer(200, await views.get_offer(tx, offer_id))


@router.get("/v1/offers")
async def list_offers(  # noqa: PLR0913 (a filter each)
    caller: Caller,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    drive_id: UUID | None = None,
    vacancy_id: UUID | None = None,
    nomination_id: UUID | None = None,
    worker_id: UUID | None = None,
    state: State | None = None,
) -> Response:
    """List the offers that concern the caller, the newest first."""
    (last,) = after(cursor, UUID)
    filters = {
        "drive_id": drive_id,
        "vacancy_id": vacancy_id,
        "nomination_id": nomination_id,
        "worker_id": worker_id,
        "state": state,
    }
    return await caller.query(partial(views.list_offers, views.Wanted(limit, last, filters)))


@router.get("/v1/offers/{offer_id}")
async def get_offer(offer_id: UUID, caller: Caller) -> Response:
    """Give an offer."""
    return await caller.query(partial(views.find_offer, offer_id))

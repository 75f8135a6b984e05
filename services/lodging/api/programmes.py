"""Programmes' rules, the key list, and credit commitments."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from contracts.fields import USCC_CHECKSUM, ProgrammeCode, is_uscc
from services.lodging.api.bodies import CommitmentBody, KeyEnterpriseBody, ProgrammeBody
from services.lodging.api.caller import COORDINATOR, ENTERPRISE, Caller, acting_enterprise, invalid
from services.lodging.domain.line import unknown_words
from services.lodging.handlers.credit import put_key_enterprise
from services.lodging.store import programmes as store
from services.lodging.store.credit import KeyEntry
from services.lodging.store.programmes import Rules
from services.lodging.views import programmes as views
from shared.commands import Answer
from shared.paging import LIMIT_DEFAULT, Cursor, Limit
from shared.problem import NotFound
from shared.transaction import Tx

router = APIRouter()


@router.put("/v1/programmes/{code}")
async def put_programme(
    code: Annotated[ProgrammeCode, Path()], body: ProgrammeBody, caller: Caller
) -> Response:
    """Set a programme's rules: a new version unless nothing differs.

    Of its `priorities` those that mean nothing here come back as `unknown_priorities`.
    """
    caller.require(roles=COORDINATOR)
    return await caller.command(partial(_put_programme, code, body))


async def _put_programme(code: str, body: ProgrammeBody, tx: Tx) -> Answer:
    await tx.as_worker()
    rules = Rules(
        body.hire_window_days, body.night_cap, body.hold_minutes, body.cut_off, body.priorities
    )
    version = await store.put_rules(tx, code, rules)
    ignored = {"unknown_priorities": unknown} if (unknown := unknown_words(body.priorities)) else {}
    told = {"code": code, "rule_version": version, **body.model_dump(mode="json")}
    return Answer(200, {**told, **ignored})


@router.get("/v1/programmes")
async def get_programmes(
    caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List programmes with the rules of today."""
    return await caller.query(lambda tx: views.list_programmes(tx, limit, cursor))


@router.get("/v1/programmes/{code}")
async def get_programme(code: str, caller: Caller) -> Response:
    """Show a programme with every version of its rules."""
    return await caller.query(lambda tx: views.find_programme(tx, code))


@router.put("/v1/key-enterprises/{uscc}")
async def put_entry(uscc: str, body: KeyEnterpriseBody, caller: Caller) -> Response:
    """Set an enterprise's entry on the key list, by its unified social credit code."""
    caller.require(roles=COORDINATOR)
    if not is_uscc(uscc):
        raise invalid("/uscc", USCC_CHECKSUM, "统一社会信用代码有误，请核对。The code is wrong.")
    if body.valid_to is not None and body.valid_to < body.valid_from:
        raise invalid("/valid_to", "out_of_range", "止日早于起日。It ends before it begins.")
    entry = KeyEntry(uscc, body.name, body.credit_level, body.valid_from, body.valid_to)
    return await caller.command(partial(_put_entry, entry))


async def _put_entry(entry: KeyEntry, tx: Tx) -> Answer:
    await tx.as_worker()
    await put_key_enterprise(tx, entry)
    return Answer(200, await views.find_key_enterprise(tx, entry.uscc))


@router.get("/v1/key-enterprises")
async def get_entries(
    caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List the key list; an enterprise sees its own entry."""
    return await caller.query(lambda tx: views.list_key_enterprises(tx, limit, cursor))


@router.get("/v1/key-enterprises/{uscc}")
async def get_entry(uscc: str, caller: Caller) -> Response:
    """Show an entry, and why its credit level is what it is."""
    return await caller.query(lambda tx: views.find_key_enterprise(tx, uscc))


@router.post("/v1/credit-commitments", status_code=201)
async def post_commitment(body: CommitmentBody, caller: Caller) -> Response:
    """Give a standing commitment; a second one for the programme answers with the first (200)."""
    enterprise_id = acting_enterprise(caller, body.enterprise_id)
    return await caller.command(partial(_post_commitment, enterprise_id, body.programme))


async def _post_commitment(enterprise_id: UUID, programme: str, tx: Tx) -> Answer:
    await tx.as_worker()
    if programme not in await store.load_programmes(tx):
        raise invalid("/programme", "unknown_code", "没有此项目。There is no such programme.")
    commitment_id, is_new = await store.insert_commitment(tx, enterprise_id, programme)
    body = {
        "credit_commitment_id": commitment_id,
        "enterprise_id": enterprise_id,
        "programme": programme,
        "state": "standing",
    }
    return Answer(201 if is_new else 200, body)


@router.get("/v1/credit-commitments")
async def get_commitments(
    caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List the caller's commitments."""
    return await caller.query(lambda tx: views.list_commitments(tx, limit, cursor))


@router.post("/v1/credit-commitments/{credit_commitment_id}/withdraw")
async def withdraw_commitment(credit_commitment_id: UUID, caller: Caller) -> Response:
    """Withdraw a commitment: from now on the enterprise confirms each hold."""
    caller.require(tenant_kinds=ENTERPRISE, roles=COORDINATOR)
    return await caller.command(partial(_withdraw_commitment, credit_commitment_id))


async def _withdraw_commitment(credit_commitment_id: UUID, tx: Tx) -> Answer:
    if await views.find_commitment(tx, credit_commitment_id) is None:
        raise NotFound
    await tx.as_worker()
    await store.end_commitment(tx, credit_commitment_id)
    return Answer(200, {"credit_commitment_id": credit_commitment_id, "state": "withdrawn"})

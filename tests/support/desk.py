"""A small service for tests of what all services share: notes that belong to offices."""

from functools import partial
from typing import Annotated
from uuid import UUID

import asyncpg
import pytest_asyncio
from fastapi import APIRouter, Depends, Response, UploadFile
from pydantic import BaseModel, Field
from pydantic_settings import SettingsConfigDict

from contracts.fields import Title
from contracts.lodging import InnCapacityChanged
from shared.commands import Answer
from shared.database import Database
from shared.handlers import Handlers
from shared.http import Call, call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, after, page
from shared.problem import NotFound
from shared.service import Service, run
from shared.settings import ServiceSettings
from shared.transaction import Tx
from stack.databases import at_database
from stack.postgres import Postgres
from tests.support.postgres import ServiceDb

Caller = Annotated[Call, Depends(call)]
router = APIRouter()

NOTE_TABLE = """
CREATE TABLE note (note_id uuid PRIMARY KEY, office_id uuid NOT NULL, title text NOT NULL);
CALL protect('note', 'office_id = app_tenant_id()');
"""


class NewNote(BaseModel):
    title: Title
    copies: Annotated[int, Field(ge=1, le=9)] = 1
    seconds: float = 0.0


@router.post("/v1/notes")
async def write(body: NewNote, caller: Caller) -> Response:
    caller.require(tenant_kinds={"office"}, roles={"coordinator"})
    return await caller.command(partial(_write, caller.identity.tenant_id, body))


@router.post("/v1/note-files")
async def write_file(file: UploadFile, caller: Caller) -> Response:
    body = NewNote(title=(await file.read()).decode())
    return await caller.command(partial(_write, caller.identity.tenant_id, body))


async def _write(office_id: UUID, body: NewNote, tx: Tx) -> Answer:
    note_id = tx.ids.uuid7()
    await tx.as_worker()
    if body.seconds:
        await tx.execute("SELECT pg_sleep($1)", body.seconds)
    await tx.execute("INSERT INTO note VALUES ($1, $2, $3)", note_id, office_id, body.title)
    return Answer(201, {"note_id": note_id, "written_at": tx.now, "on": tx.today})


@router.get("/v1/notes")
async def notes(caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Response:
    (last,) = after(cursor, UUID)
    return await caller.query(partial(_notes, limit, last))


async def _notes(limit: int, last: UUID | None, tx: Tx) -> object:
    rows = await tx.fetch(
        "SELECT note_id, title FROM note WHERE $2::uuid IS NULL OR note_id > $2"
        " ORDER BY note_id LIMIT $1",
        limit + 1,
        last,
    )
    return page(rows, limit, "note_id")


@router.get("/v1/notes/{note_id}")
async def note(note_id: UUID, caller: Caller) -> Response:
    return await caller.query(partial(_note, note_id))


async def _note(note_id: UUID, tx: Tx) -> object:
    return await tx.fetchrow("SELECT note_id, title FROM note WHERE note_id = $1", note_id)


@router.post("/v1/notes/{note_id}/tear")
async def tear(note_id: UUID, caller: Caller) -> Response:
    return await caller.command(partial(_tear, note_id))


async def _tear(note_id: UUID, tx: Tx) -> Answer:
    if not await tx.fetchrow("SELECT 1 FROM note WHERE note_id = $1", note_id):
        raise NotFound
    await tx.as_worker()
    await tx.execute("DELETE FROM note WHERE note_id = $1", note_id)
    return Answer(204)


@router.post("/v1/notes/say")
async def say(caller: Caller) -> Response:
    return await caller.command(_say)


async def _say(tx: Tx) -> Answer:
    inn = InnCapacityChanged.model_validate(
        {"inn_id": tx.ids.uuid7(), "town": "南翔", "beds": 5, "from": tx.today, "to": tx.today}
    )
    tx.say(inn, tenant_id=None)
    return Answer(202)


@router.get("/v1/broken")
async def broken(caller: Caller) -> Response:
    raise RuntimeError("13800138000 的 secret")


class DeskSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="LODGING_")


SERVICE = Service("lodging", DeskSettings, router, Handlers("lodging"))


@pytest_asyncio.fixture
async def desk(service_db: ServiceDb, postgres: Postgres) -> Database:
    """Give a database that has the notes' table, too."""
    db = await service_db("lodging")
    async with db.transaction(role="worker") as tx:
        name = await tx.fetchval("SELECT current_database()")
    conn = await asyncpg.connect(at_database(postgres.superuser_url(), name))
    try:
        await conn.execute(f"SET ROLE lodging_owner; {NOTE_TABLE}")
    finally:
        await conn.close()
    return db


if __name__ == "__main__":
    run(SERVICE)

"""Exports of the lists on the screen: the same rows and rights, no names, and a note of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.console import views
from services.console.domain.web_hook import kind_of
from services.console.pages.monitor import Wanted
from services.console.pages.sheets import KINDS, Row, written
from services.console.pages.speech import Speech, ids_in
from services.console.pages.visit import PageRoute, Visit, Visitor
from services.console.store.exports import Export, insert_export
from services.console.views.journeys import JourneyFilter
from services.console.views.names import load_names
from shared.transaction import Tx

router = APIRouter(route_class=PageRoute)

ROWS_MAX: Final = 20_000
Ending = Literal["csv", "xlsx", "jsonl"]


@dataclass(frozen=True, slots=True)
class Table:
    """What is exported: which list, its columns (key and the word for it), and its rows."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]


@router.get("/exports/journeys.{ending}")
async def journeys(
    ending: Ending,
    visit: Visitor,
    state: Annotated[str, Query(max_length=20)] = "",
    drive_id: UUID | None = None,
) -> Response:
    """Export journeys, filtered as the page was."""
    wanted = JourneyFilter(state=state or None, drive_id=drive_id)

    async def read(tx: Tx) -> list[dict[str, Any]]:
        found: Any = await views.list_journeys(tx, wanted=wanted, limit=ROWS_MAX, cursor=None)
        items: list[dict[str, Any]] = found["items"]
        return items

    items = await visit.read(read)
    speech = await _speech(visit, items)
    columns = ("journey_id", "state", "waiting_for", "service", "office", "enterprise", "drive",
               "since")  # fmt: skip
    table = Table("journeys", columns, [_journey(speech, i) for i in items])
    return await _handed_out(visit, table, ending)


def _journey(speech: Speech, item: Mapping[str, Any]) -> Row:
    words = speech.words
    return (
        str(item["journey_id"]),
        words.code("state", item["state"]),
        words.code("waiting_for", item["waiting_for"]) if item["waiting_for"] else None,
        words.code("service", item["service"]) if item["service"] else None,
        speech.tenant(item["office_id"]) if item["office_id"] else None,
        speech.tenant(item["enterprise_id"]) if item["enterprise_id"] else None,
        speech.drive(item["drive_id"]) if item["drive_id"] else None,
        item["since"].isoformat(),
    )


@router.get("/exports/events.{ending}")
async def events(ending: Ending, visit: Visitor, wanted: Wanted) -> Response:
    """Export events in words, filtered as the monitor was, newest first."""
    visit.require({"auditor"}, {"coordinator", "admin"})

    async def read(tx: Tx) -> list[dict[str, Any]]:
        found: Any = await views.list_events(tx, wanted=wanted, limit=ROWS_MAX, cursor=None)
        items: list[dict[str, Any]] = found["items"]
        return items

    items = await visit.read(read)
    speech = await _speech(visit, [i["body"] for i in items])
    columns = ("at", "service", "type", "sentence", "subject", "journey_id")
    table = Table("events", columns, [_event(speech, i) for i in items])
    return await _handed_out(visit, table, ending)


def _event(speech: Speech, item: Mapping[str, Any]) -> Row:
    said = speech.sentence(item["type"], item["body"]).striptags()
    return (
        item["said_at"].isoformat(), speech.words.code("service", item["service"]),
        kind_of(item["type"]), said, item["subject"], str(item["journey_id"] or ""),
    )  # fmt: skip


async def _speech(visit: Visit, bodies: list[dict[str, Any]]) -> Speech:
    ids, subjects = ids_in(bodies)
    return Speech(visit.words, await visit.read(lambda tx: load_names(tx, ids, subjects)))


async def _handed_out(visit: Visit, table: Table, ending: Ending) -> Response:
    """Note the export, then hand it out."""
    filters = dict(visit.request.query_params)
    export = Export(visit.house.db.ids.uuid7(), table.name, ending, filters, len(table.rows))
    async with visit.house.db.transaction(role="worker") as tx:
        await insert_export(tx, visit.identity, export)
    columns = {name: visit.words(f"export.{name}") for name in table.columns}
    headers = {"Content-Disposition": f'attachment; filename="{table.name}.{ending}"'}
    content = written(ending, columns, table.rows)
    return Response(content, headers=headers, media_type=KINDS[ending])

"""A route that takes a whole sheet of guests, by the same command as a request for some."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from services.lodging.api.bodies import GUESTS_MAX, StayRequestBody
from services.lodging.api.caller import COORDINATOR, ENTERPRISE, Caller, acting_enterprise
from services.lodging.handlers.requests import Guest, StayRequest, request_all
from services.lodging.sheet.issue import SENTENCES
from services.lodging.views.inns import load_inn_names
from shared.commands import Answer
from shared.http import Call
from shared.sheets.rows import Found, Row
from shared.sheets.upload import (
    Upload,
    faults_of,
    no_valid_rows,
    read_sheet,
    read_upload,
    upload_form,
)
from shared.transaction import Tx

router = APIRouter()

DEFAULT_PROGRAMME: Final = "YOUJIA"
_FORM: Final = upload_form(
    {
        "programme": {"type": "string"},
        "enterprise_id": {"type": "string", "format": "uuid"},
    }
)
_WANTED: Final = "请选择住宿申请表。Choose a sheet of guests."
_NOTHING: Final = (
    "没有可以申请的人员，请按 errors 修改后重新提交。Nobody can be lodged; see errors."
)


@router.post("/v1/stay-sheets", status_code=201, openapi_extra=_FORM)
async def post_sheet(request: Request, caller: Caller) -> Response:
    """Ask for beds for the good rows of a sheet in one commit, and list all faults of the others.

    422 `no_valid_rows` when there is none, with the faults in `errors`.
    """
    caller.require(tenant_kinds=ENTERPRISE, roles=COORDINATOR)
    try:
        return await _post(await read_upload(request, _WANTED), caller)
    finally:
        # The form keeps the file open until then: the command's key is held against it.
        await request.close()


async def _post(upload: Upload, caller: Call) -> Response:
    enterprise_id = acting_enterprise(caller, upload.uuid("enterprise_id"))
    async with caller.house.db.transaction(
        role="api", identity=caller.identity, read_only=True
    ) as tx:
        inns, today = await load_inn_names(tx), tx.today
    found = await read_sheet(caller, upload, today)
    programme = upload.fields.get("programme", "").strip() or DEFAULT_PROGRAMME
    asked = _Asked(found, programme, inns).bodies()
    if not asked:
        raise no_valid_rows(found, _NOTHING)

    async def effect(tx: Tx) -> Answer:
        await tx.as_worker()
        wanted = [_request(tx.ids.uuid7(), enterprise_id, body) for body, _ in asked]
        made = await request_all(tx, wanted)
        rows = [
            {"row": row.row, "stay_request_id": s.stay_request_id, "stay_id": s.stay_id,
             "worker_id": s.worker_id, "state": s.state}
            for (_, of), stays in zip(asked, made, strict=True)
            for row, s in zip(of, stays, strict=True)
        ]  # fmt: skip
        return Answer(201, _answer(enterprise_id, found, rows))

    return await caller.command(effect)


def _request(request_id: UUID, enterprise_id: UUID, body: StayRequestBody) -> StayRequest:
    guests = tuple(
        Guest(g.worker_id, None if g.family is None else str(g.family)) for g in body.guests
    )
    return StayRequest(
        request_id, enterprise_id, body.programme, body.check_in_on, body.nights, guests,
        body.together, body.wait, body.inn_id,
    )  # fmt: skip


@dataclass(slots=True)
class _Asked:
    """Puts rows together to requests: a group is one, and who wants the same goes along."""

    found: Found
    programme: str
    inns: Mapping[str, UUID]

    def bodies(self) -> list[tuple[StayRequestBody, list[Row]]]:
        """Give the requests that can be made; every other row has its faults."""
        self._find_inns()
        self._find_twins()
        for name in ("group", "family"):
            self._compare(name)
        asked: dict[tuple[object, ...], list[Row]] = {}
        for row in self.found.rows:
            if not row.errors:
                asked.setdefault((row.fields.get("group"), *self._terms(row)), []).append(row)
        made = [(self._body(part), part) for rows in asked.values() for part in _parts(rows)]
        self._tell_incomplete()
        return [(body, rows) for body, rows in made if body is not None and not rows[0].errors]

    def _terms(self, row: Row) -> tuple[object, ...]:
        fields = row.fields
        wait = fields.get("wait")
        return (
            fields.get("programme") or self.programme, fields.get("check_in_on"),
            fields.get("nights"), fields.get("inn"), True if wait is None else wait,
        )  # fmt: skip

    def _find_inns(self) -> None:
        for row in self.found.rows:
            told = row.fields.get("inn")
            if told is not None:
                inn_id = self.inns.get(str(told))
                row.fields["inn"] = inn_id
                if inn_id is None:
                    self._fault(row, "inn", "inn_unknown")

    def _find_twins(self) -> None:
        seen: set[str] = set()
        for row in self.found.rows:
            worker_id = row.fields.get("worker_id")
            if worker_id in seen:
                self._fault(row, "worker_id", "duplicate")
            elif worker_id is not None:
                seen.add(worker_id)

    def _compare(self, name: str) -> None:
        """Hold the rows of one mark against each other: they are lodged by one decision."""
        for rows in self._marked(name):
            good = [r for r in rows if not r.errors]
            if len({(r.fields.get("group"), *self._terms(r)) for r in good}) > 1:
                for row in rows:
                    self._fault(row, name, "group_differs")

    def _tell_incomplete(self) -> None:
        """Leave out a group whole when a row of it is wrong: it would be another group."""
        for rows in self._marked("group"):
            if any(r.errors for r in rows):
                for row in rows:
                    if not row.errors:
                        self._fault(row, "group", "group_incomplete")

    def _marked(self, name: str) -> Iterable[list[Row]]:
        marked: dict[str, list[Row]] = {}
        for row in self.found.rows:
            mark = row.fields.get(name)
            if mark is not None:
                marked.setdefault(str(mark), []).append(row)
        return marked.values()

    def _body(self, rows: Sequence[Row]) -> StayRequestBody | None:
        first = rows[0]
        programme, check_in_on, nights, inn_id, wait = self._terms(first)
        guests = [
            {"worker_id": r.fields["worker_id"], "family": r.fields.get("family")} for r in rows
        ]
        told = {
            "programme": programme, "check_in_on": check_in_on, "nights": nights, "inn_id": inn_id,
            "wait": wait, "guests": guests, "together": first.fields.get("group") is not None,
        }  # fmt: skip
        try:
            return StayRequestBody.model_validate(told)
        except ValidationError as refused:
            for fault in faults_of(refused):
                name = fault.pointer.split("/")[1]
                for row in rows:
                    self._fault(row, name, fault.code, fault.detail)
            return None

    def _fault(self, row: Row, name: str, code: str, sentence: str | None = None) -> None:
        place = self.found.place(row, name)
        row.issues.append(SENTENCES.issue(code, "error", place, name, sentence))


def _parts(rows: Sequence[Row]) -> Iterable[list[Row]]:
    """Cut what is too much for one request; a group isn't cut, and families lie side by side."""
    if rows[0].fields.get("group") is not None:
        return [list(rows)]
    alike = sorted(rows, key=lambda r: (str(r.fields.get("family") or ""), r.row))
    return [alike[n : n + GUESTS_MAX] for n in range(0, len(alike), GUESTS_MAX)]


def _answer(enterprise_id: UUID, found: Found, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "enterprise_id": enterprise_id,
        "state": "requested",
        "row_count": len(found.rows),
        "requested_count": len(rows),
        "rejected_count": len(found.rows) - len(rows),
        "stays": sorted(rows, key=lambda r: int(r["row"])),
        "issues": [asdict(i) for i in found.issues],
    }

"""A sheet of vacancies: handed to recruitment as it is, and its result told row by row."""

from collections.abc import Sequence
from typing import Any, Final, cast

from fastapi import APIRouter, Response
from starlette.datastructures import FormData, UploadFile

from services.console.pages.notice import Notice
from services.console.pages.rosters import handed_out
from services.console.pages.visit import PageRoute, Visit, Visitor
from shared.problem import Fault, Problem

router = APIRouter(route_class=PageRoute)
_KINDS: Final = frozenset({"enterprise"})
_ROLES: Final = frozenset({"coordinator"})
#: What a refusal as a whole still tells about its rows: `/rows/<row>/<field>`.
_ROWS: Final = "/rows/"


@router.post("/enterprise/vacancy-sheets")
async def submit(visit: Visitor) -> Response:
    """Post what can be posted, and show what is wrong with which row."""
    visit.require(_KINDS, _ROLES)
    form = await visit.form()
    try:
        answer = await visit.desk.upload(
            "recruitment", visit.identity, "/v1/vacancy-sheets", _sheet(visit, form)
        )
    except Problem as problem:
        if rows := _of_rows(problem.errors):
            return _page(visit, problem.status, rows, posted=0, rejected=len(_numbers(rows)))
        sorry = Notice("failed", visit.words.said(problem.detail))
        return visit.go("/enterprise#vacancies", sorry)
    posted, rejected = answer["posted_count"], answer["rejected_count"]
    return _page(visit, 200, answer["issues"], posted=posted, rejected=rejected)


@router.get("/vacancy-template.xlsx")
async def template(visit: Visitor) -> Response:
    """Hand out the sheet to fill in."""
    visit.require(_KINDS, _ROLES)
    return await handed_out(visit, "recruitment", "/v1/vacancy-template.xlsx")


def _sheet(visit: Visit, form: FormData) -> dict[str, Any]:
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Problem(422, "invalid", "请选择岗位表。Choose a sheet of vacancies first.")
    fields = {"drive_id": str(form.get("drive_id", ""))}
    if visit.kind == "bureau":
        fields["enterprise_id"] = str(form.get("enterprise_id", ""))
    # It was never written to a disk: the form is read in memory.
    content = cast("Any", file.file).read()
    return {"file": (file.filename, content), "key": str(form.get("key", "")), **fields}


def _of_rows(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    return [
        {
            "row": int(f.pointer.split("/")[2]), "column": None, "header": None,
            "severity": "error", "message": f.detail,
        }
        for f in faults
        if f.pointer.startswith(_ROWS)
    ]  # fmt: skip


def _numbers(issues: Sequence[dict[str, Any]]) -> set[int]:
    return {i["row"] for i in issues}


def _page(
    visit: Visit, status: int, issues: Sequence[dict[str, Any]], *, posted: int, rejected: int
) -> Response:
    return visit.page("vacancy_sheet.html", status, issues=issues, posted=posted, rejected=rejected)

"""A receipt says how rows count and what to mend, and tells nobody's number."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from services.registry.receipt import PAPER_FAULTS_MAX, as_pdf, receipt_of
from shared.identity import Identity
from tests.integration.registry.world import Registry
from tests.support.http import an_office
from tests.support.rosters import RosterSpec, a_roster, invented_rows

FAULTS = {"id_checksum": 3, "phone_invalid": 2, "gender_mismatch": 1}


async def given(registry: Registry, who: Identity, batch_id: str, ending: str) -> Any:
    async with registry.client(who) as client:
        return await client.get(f"/v1/worker-batches/{batch_id}/receipt.{ending}")


async def test_a_receipt_counts_issues_by_code_and_masks_whom_they_are_about(
    registry: Registry, office: Identity
) -> None:
    batch = await registry.imported(office, a_roster(40, 1, faults=FAULTS))
    answer = await given(registry, office, batch["batch_id"], "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    cells = {
        row[0]: row[1:] for row in book["回执"].iter_rows(values_only=True) if row[0] is not None
    }
    assert cells["总行数 rows"][0] == 40
    assert cells["退回 rejected"][0] == 5
    told = [row[:4] for row in book["回执"].iter_rows(values_only=True) if row[4]]
    assert told[1:] == [
        ("错误 error", "id_checksum", 3, 3),
        ("错误 error", "phone_invalid", 2, 2),
        ("提醒 warning", "gender_mismatch", 1, 1),
    ]
    assert book["待修改"].max_row == 1 + 5
    whole = str([[c.value for c in row] for sheet in book for row in sheet.iter_rows()])
    for row in invented_rows(RosterSpec(40, 1, faults=FAULTS)):
        assert row["身份证号"] not in whole
        assert row["姓名"] not in whole
        assert row["联系电话"] == "12345" or row["联系电话"] not in whole


async def test_what_is_wrong_is_counted_by_kind_and_listed_by_kind(
    registry: Registry, office: Identity
) -> None:
    batch = await registry.imported(office, a_roster(40, 1, faults=FAULTS))
    path = f"/v1/worker-batches/{batch['batch_id']}"
    async with registry.client(office) as client:
        kinds = (await client.get(f"{path}/issue-kinds")).json()["items"]
    assert [(k["code"], k["severity"], k["issue_count"], k["row_count"]) for k in kinds] == [
        ("id_checksum", "error", 3, 3),
        ("phone_invalid", "error", 2, 2),
        ("gender_mismatch", "warning", 1, 1),
    ]
    assert kinds[1]["message"].endswith("请核对。A mobile number has 11 digits and begins with 1.")
    listed = await registry.items(office, f"{path}/issues?code=phone_invalid")
    assert [(i["code"], i["message"]) for i in listed] == [
        ("phone_invalid", kinds[1]["message"])
    ] * 2
    async with registry.client(await an_office(registry.db)) as client:
        assert (await client.get(f"{path}/issue-kinds")).status_code == 404


async def test_a_receipt_is_a_pdf_too_and_its_tenants_alone(
    registry: Registry, office: Identity
) -> None:
    batch = await registry.imported(office, a_roster(10, 1))
    answer = await given(registry, office, batch["batch_id"], "pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    other = await an_office(registry.db)
    assert (await given(registry, other, batch["batch_id"], "pdf")).status_code == 404
    assert (await given(registry, other, batch["batch_id"], "xlsx")).status_code == 404


async def test_there_is_no_receipt_before_the_end(registry: Registry, office: Identity) -> None:
    waiting = (await registry.submit(office, a_roster(10, 1))).json()
    answer = await given(registry, office, waiting["batch_id"], "xlsx")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_finished")


@pytest.mark.parametrize("extra", [0, 7])
async def test_a_header_is_never_markup_and_paper_ends_somewhere(
    registry: Registry, office: Identity, extra: int, tmp_path: Path
) -> None:
    batch = await registry.imported(office, a_roster(10, 1))
    async with registry.db.transaction(role="worker") as tx:
        row = dict(await tx.fetchrow("SELECT *, 'x' AS tenant_name FROM worker_batch"))  # type: ignore[call-overload]
    error = {
        "row_number": 2, "column_letter": "B", "header": "#panic()[*", "code": "required",
        "message": "必填项为空，请补填。", "value_masked": "=1+1",
    }  # fmt: skip
    kind = {
        "code": "required", "severity": "error", "message": error["message"],
        "issue_count": PAPER_FAULTS_MAX + extra, "row_count": 1,
    }  # fmt: skip
    receipt = receipt_of(row, [kind], [error] * PAPER_FAULTS_MAX)
    assert receipt.unlisted == extra
    assert batch["state"] == "accepted"
    pdf = tmp_path / "receipt.pdf"
    pdf.write_bytes(as_pdf(receipt))
    assert pdf.read_bytes().startswith(b"%PDF-")

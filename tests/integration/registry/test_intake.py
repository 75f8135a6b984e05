"""A roster goes in whole, once, and every fault comes back."""

import asyncio
import io
import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any

import openpyxl
import pytest

from services.registry.handlers import importing
from services.registry.handlers.submitting import TICKERS
from services.registry.roster.child import Chunk, ReaderDiedError
from services.registry.roster.issue import FileRefused
from services.registry.roster.reading import Layout
from services.registry.roster.work import Job
from services.registry.store import batches, strangers
from services.registry.views import batches as views
from shared.identity import Identity
from tests.integration.registry.world import Registry
from tests.support.http import a_coordinator, an_enterprise, an_office
from tests.support.rosters import (
    FAULTS,
    RosterSpec,
    a_roster,
    a_table,
    csv_of,
    invented_rows,
    persons,
    written,
    xlsx,
)
from tests.unit.registry import hostile

COUNTS = ("row_count", "accepted_count", "rejected_count", "duplicate_count")


def counts(batch: dict[str, Any]) -> tuple[int, ...]:
    return tuple(batch[name] for name in COUNTS)


async def test_an_uploaded_roster_becomes_nominations_with_their_events(
    registry: Registry, office: Identity
) -> None:
    batch = await registry.imported(office, a_roster(50, 1))
    assert batch["state"] == "accepted"
    assert counts(batch) == (50, 50, 0, 0)
    said = await registry.said()
    kinds = [s.type.split(".")[1] for s in said]
    assert kinds.count("worker-registered") == kinds.count("worker-nominated") == 50
    assert kinds[0] == "worker-batch-submitted"
    assert kinds[-1] == "worker-batch-validated"
    nominated = await registry.said("worker-nominated")
    for one in nominated:
        assert one.headers["ce_correlationid"] == one.body["nomination_id"]
        assert one.headers["ce_tenantid"] == one.body["office_id"] == str(office.tenant_id)
    items = await registry.items(office, "/v1/nominations?state=active")
    assert {i["nomination_id"] for i in items} == {s.body["nomination_id"] for s in nominated}
    (validated,) = await registry.said("worker-batch-validated")
    assert validated.body["nominated_count"] == 50
    groups = {s.body["group_id"] for s in nominated if "group_id" in s.body}
    assert validated.body["group_count"] == len(groups) > 0
    sizes = Counter(s.body["group_id"] for s in nominated if "group_id" in s.body)
    assert all(
        sizes[s.body["group_id"]] == s.body["group_size"] for s in nominated if "group_id" in s.body
    )


@pytest.mark.parametrize("form", ["xlsx", "xls", "csv", "csv-gb18030"])
async def test_a_thousand_rows_with_25_bad_ones_are_mended_and_sent_again(
    registry: Registry, office: Identity, form: Any
) -> None:
    faults = {"id_checksum": 10, "phone_invalid": 10, "name_missing": 5}
    bad = invented_rows(RosterSpec(1_000, 7, faults=faults))
    good = invented_rows(RosterSpec(1_000, 7))
    name = f"花名册.{form[:4].rstrip('-')}"
    first = await registry.imported(office, a_roster(1_000, 7, format=form, faults=faults), name)
    assert (first["state"], *counts(first)) == ("partly_accepted", 1_000, 975, 25, 0)
    issues = await registry.items(
        office, f"/v1/worker-batches/{first['batch_id']}/issues?severity=error"
    )
    assert len(issues) == 25
    assert all(bad[i["row"] - 2] != good[i["row"] - 2] for i in issues)

    async with registry.client(office) as client:
        answer = await client.get(f"/v1/worker-batches/{first['batch_id']}/issues.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book["待修改"]
    assert sheet.max_row == 26
    for line, issue in enumerate(issues, 2):
        assert issue["message"].rpartition("。")[0] in str(sheet.cell(line, sheet.max_column).value)
        cell = sheet[f"{issue['column']}{line}"]
        assert cell.comment is not None
        mended = good[issue["row"] - 2]
        cell.value = mended[issue["header"]]
    out = io.BytesIO()
    book.save(out)

    second = await registry.imported(office, out.getvalue())
    assert (second["state"], *counts(second)) == ("accepted", 25, 25, 0, 0)
    assert await registry.count("SELECT count(*) FROM worker") == 1_000
    assert await registry.count("SELECT count(*) FROM nomination WHERE state = 'active'") == 1_000


async def test_more_rows_than_a_workbook_takes_are_told_of(
    registry: Registry, office: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "LEFT_OUT_MAX", 2)
    rows = [person | {"联系电话": "12345"} for person in persons(5)]
    batch = await registry.imported(office, xlsx(a_table(*rows)))
    async with registry.client(office) as client:
        answer = await client.get(f"/v1/worker-batches/{batch['batch_id']}/issues.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content))["待修改"]
    told = [str(row[-1]).split("：")[0] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert told == ["第2行", "第3行", "说明"]


async def test_who_stands_twice_in_a_file_is_one_person_with_one_seal(
    registry: Registry, office: Identity
) -> None:
    first, second = persons(2)
    batch = await registry.imported(office, xlsx(a_table(first, second, first)))
    assert counts(batch) == (3, 2, 0, 1)
    for table in ("worker", "relation", "person_index", "nomination", "batch_worker"):
        assert await registry.count(f"SELECT count(*) FROM {table}") == 2
    for said in ("worker-registered", "worker-nominated"):
        assert len(await registry.said(said)) == 2
    assert await registry.idle_keys() == set()


async def test_who_names_nobody_and_is_named_is_offered_once_with_the_group(
    registry: Registry, office: Identity
) -> None:
    named, naming, alone = persons(3)
    naming |= {"同行人(组)": named["姓名"]}
    batch = await registry.imported(office, xlsx(a_table(named, naming, alone)))
    assert counts(batch) == (3, 3, 0, 0)
    offered = await registry.said("worker-nominated")
    assert [one.headers["ce_sequence"] for one in offered] == ["1", "1", "1"]
    assert sorted(one.body.get("group_size", 1) for one in offered) == [1, 2, 2]
    assert len({one.body["group_id"] for one in offered if "group_id" in one.body}) == 1
    assert await registry.count("SELECT count(*) FROM batch_worker") == 3
    assert await registry.count("SELECT count(group_id) FROM nomination") == 2


async def test_every_seeded_fault_comes_back_with_its_row_column_and_code(
    registry: Registry, office: Identity
) -> None:
    rows = invented_rows(RosterSpec(60, 3, group_share=0))
    expected = []
    for i, (name, spoil) in enumerate(sorted(FAULTS.items()), 3):
        spoil(rows[i], rows[0])
        code = "required" if name.endswith("_missing") else name
        expected.append((i + 2, code))
    rows[30]["联系电话"], rows[30]["身份证号"] = "12", rows[30]["身份证号"][:-1]
    expected += [(32, "id_length"), (32, "phone_invalid")]
    batch = await registry.imported(office, written(list(rows[0]), rows, "xlsx"))
    found = await registry.items(office, f"/v1/worker-batches/{batch['batch_id']}/issues")
    assert sorted((i["row"], i["code"]) for i in found) == sorted(expected)
    columns = {i["code"]: (i["column"], i["header"], i["field"]) for i in found}
    assert columns["id_checksum"] == ("D", "身份证号", "resident_id")
    assert columns["value_unclear"] == ("T", "是否需要住宿", "needs_bed")
    (duplicate,) = [i for i in found if i["code"] == "duplicate_in_file"]
    assert duplicate["first_row"] == 2
    assert batch["duplicate_count"] == 1
    assert batch["warning_count"] == 2


async def test_the_same_file_three_times_at_once_is_one_batch(
    registry: Registry, office: Identity
) -> None:
    data = a_roster(30, 2)
    answers = await asyncio.gather(*(registry.submit(office, data) for _ in range(3)))
    assert sorted(a.status_code for a in answers) == [200, 200, 202]
    assert len({a.json()["batch_id"] for a in answers}) == 1
    await registry.tick()
    again = await registry.submit(office, data)
    assert (again.status_code, again.json()["state"]) == (200, "accepted")
    await registry.tick()
    assert len(await registry.said("worker-batch-submitted")) == 1
    assert len(await registry.said("worker-nominated")) == 30
    assert await registry.count("SELECT count(*) FROM worker_batch") == 1
    other = await registry.submit(await an_office(registry.db), data)
    assert other.status_code == 202


async def test_a_repeated_command_has_one_effect(registry: Registry, office: Identity) -> None:
    data = a_roster(5, 2)
    async with registry.client(office) as client:
        files = {"file": ("a.xlsx", data)}
        headers = {"Idempotency-Key": "k1"}
        first = await client.post("/v1/worker-batches", files=files, headers=headers)
        second = await client.post("/v1/worker-batches", files=files, headers=headers)
        files = {"file": ("a.xlsx", a_roster(6, 3))}
        other = await client.post("/v1/worker-batches", files=files, headers=headers)
    assert first.json()["batch_id"] == second.json()["batch_id"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("make", "name", "answer"),
    [
        (lambda: hostile.with_cell("XFD1048576"), "a.xlsx", (422, "too_many_cells")),
        (lambda: hostile.that_unpacks_to(201 << 20), "a.xlsx", (413, "unpacked_too_large")),
        (lambda: bytes(21 << 20), "a.xlsx", (413, "file_too_large")),
        (lambda: bytes(33 << 20), "a.xlsx", (413, "file_too_large")),
        (lambda: xlsx(a_table({}))[:-100], "a.xlsx", (422, "bad_archive")),
        (lambda: b"<html></html>", "a.xls", (415, "content_mismatch")),
        (lambda: b"x", "a.docx", (415, "unsupported_type")),
        (lambda: csv_of([["姓名", "身份证号"], ["a", "b"]]), "a.csv", (422, "header_missing")),
    ],
)
async def test_a_refused_file_leaves_nothing_and_the_next_one_works(
    registry: Registry, office: Identity, make: Any, name: str, answer: tuple[int, str]
) -> None:
    refused = await registry.submit(office, make(), name)
    assert (refused.status_code, refused.json()["code"]) == answer
    assert refused.headers["content-type"] == "application/problem+json"
    assert await registry.count("SELECT count(*) FROM worker_batch") == 0
    assert await registry.said() == []
    assert (await registry.imported(office, a_roster(3, 1)))["state"] == "accepted"


async def test_a_reader_that_is_killed_costs_one_answer_and_no_more(
    registry: Registry, office: Identity
) -> None:
    intake = registry.intake
    limits = intake.limits
    intake.limits = replace(limits, child_memory_bytes_max=64 << 20)
    refused = await registry.submit(office, a_roster(11_000, 1))
    assert refused.status_code in (413, 422)
    intake.limits = limits
    assert (await registry.imported(office, a_roster(3, 1)))["state"] == "accepted"


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("break_off", [ReaderDiedError(), FileRefused("bad_archive", "已损坏。")])
async def test_a_file_that_breaks_off_in_the_middle_has_brought_nobody(
    registry: Registry, office: Identity, monkeypatch: pytest.MonkeyPatch, break_off: Exception
) -> None:
    read = registry.intake.readers.rows

    async def break_off_at_the_end(data: bytes, job: Job) -> AsyncGenerator[Layout | Chunk, None]:
        async for reply in read(data, job):
            yield reply
        raise break_off

    monkeypatch.setattr(registry.intake.readers, "rows", break_off_at_the_end)
    batch = await registry.imported(office, a_roster(2_500, 1))
    assert (batch["state"], *counts(batch)) == ("rejected", 0, 0, 0, 0)
    for table in ("worker", "relation", "person_index", "nomination", "batch_worker"):
        assert await registry.count(f"SELECT count(*) FROM {table}") == 0
    told = [one.type.split(".")[1] for one in await registry.said()]
    assert told == ["worker-batch-submitted", "worker-batch-rejected"]
    assert await registry.idle_keys() == set()


def killed_after(survived: int, step: Callable[..., Any]) -> Callable[..., Any]:
    """Do a step so many times, and be killed instead of doing it once more."""
    left = itertools.count(survived, -1)

    async def run(*args: Any, **named: Any) -> Any:
        if next(left) == 0:
            raise KilledError
        return await step(*args, **named)

    return run


async def test_an_import_killed_anywhere_counts_every_row_once(
    registry: Registry, office: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = a_roster(3_500, 5, faults={"id_checksum": 40, "duplicate_in_file": 10})
    answer = await registry.submit(office, data)
    start, big, _ = TICKERS
    tickers = {t.name: t for t in registry.house.tickers}
    async with registry.db.transaction(role="worker") as tx:
        await tickers[start].run(tx)
    steps: list[tuple[Any, str, int]] = [
        *((strangers, "enter_strangers", survived) for survived in (0, 3)),
        (importing, "claim", 0),
        (importing, "form_groups", 0),
        *((importing.ChunkWriter, "write", survived) for survived in (0, 1, 2, 3)),
        (batches, "finish_batch", 0),
    ]
    for owner, step, survived in steps:
        with monkeypatch.context() as patch:
            patch.setattr(owner, step, killed_after(survived, getattr(owner, step)))
            with pytest.raises(KilledError):
                async with registry.db.transaction(role="worker") as tx:
                    await tickers[big].run(tx)
        assert await registry.count("SELECT count(*) FROM outbox") == 1
        for table in ("worker", "relation", "person_index", "nomination", "batch_worker"):
            assert await registry.count(f"SELECT count(*) FROM {table}") == 0
        # Another process has no memory of this one's failures.
        registry.intake.failures.clear()
    await registry.tick()
    batch = await registry.get(office, f"/v1/worker-batches/{answer.json()['batch_id']}")
    assert counts(batch) == (3_500, 3_450, 40, 10)
    assert len(await registry.said("worker-nominated")) == 3_450
    assert await registry.count("SELECT count(*) FROM rejected_row") == 50
    assert await registry.count("SELECT count(*) FROM batch_file") == 0


async def test_a_batch_that_always_fails_is_given_back_and_blocks_nobody(
    registry: Registry, office: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await registry.submit(office, a_roster(5, 1))

    async def broken(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(importing, "claim", broken)
        for _ in range(importing.ATTEMPTS_MAX):
            with pytest.raises(KilledError):
                await registry.tick()
    await registry.tick()
    batch = await registry.get(office, f"/v1/worker-batches/{answer.json()['batch_id']}")
    assert (batch["state"], batch["row_count"]) == ("rejected", 0)
    assert (await registry.imported(office, a_roster(6, 2)))["state"] == "accepted"


async def test_an_offices_own_header_word_is_remembered(
    registry: Registry, office: Identity
) -> None:
    table = [
        ["姓名", "身份证号", "老乡电话"],
        *([p["姓名"], p["身份证号"], "13812345678"] for p in persons(2)),
    ]
    assert (await registry.submit(office, xlsx(table))).json()["code"] == "header_missing"
    async with registry.client(office) as client:
        taught = await client.put(
            "/v1/header-synonyms", json={"word": "老乡电话", "field": "phone"}
        )
        assert taught.status_code == 200
    assert (await registry.imported(office, xlsx(table)))["state"] == "accepted"
    elsewhere = await registry.submit(await an_office(registry.db), xlsx(table))
    assert elsewhere.json()["code"] == "header_missing"


async def test_a_template_is_a_roster_with_dropdowns(registry: Registry, office: Identity) -> None:
    async with registry.client(office) as client:
        answer = await client.get("/v1/roster-template.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    assert sheet["D1"].value == "身份证号*"
    assert sheet["D500"].number_format == "@" or sheet.column_dimensions["D"].width > 20
    assert len(sheet.data_validations.dataValidation) >= 5
    assert book["选项"].sheet_state == "hidden"
    assert (await registry.submit(office, answer.content)).json()["code"] == "no_rows"


async def test_a_forgotten_example_nominates_nobody(registry: Registry, office: Identity) -> None:
    async with registry.client(office) as client:
        answer = await client.get("/v1/roster-template.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    header = [str(c.value).rstrip("*") for c in sheet[1]]
    for line, person in enumerate(persons(2, 联系电话="13812345678"), 3):
        for column, word in enumerate(header, 1):
            sheet.cell(line, column).value = person.get(word, "")
    out = io.BytesIO()
    book.save(out)
    batch = await registry.imported(office, out.getvalue())
    assert (batch["state"], batch["row_count"], batch["accepted_count"]) == ("accepted", 2, 2)
    async with registry.client(office) as client:
        issues = (await client.get(f"/v1/worker-batches/{batch['batch_id']}/issues")).json()
    assert [(i["code"], i["severity"]) for i in issues["items"]] == [("example_not_read", "info")]


async def test_who_may_bring_which_roster(registry: Registry, office: Identity) -> None:
    enterprise = await an_enterprise(registry.db)
    coordinator = await a_coordinator(registry.db)
    data = a_roster(3, 1)
    assert (await registry.submit(office, data, kind="new_hires")).status_code == 403
    assert (await registry.submit(enterprise, data, kind="origin_roster")).status_code == 403
    assert (await registry.submit(coordinator, data)).status_code == 422
    behalf = await registry.submit(coordinator, data, office_id=str(office.tenant_id))
    assert behalf.status_code == 202
    nobody = await registry.submit(coordinator, data, office_id=str(enterprise.tenant_id))
    assert nobody.status_code == 404
    await registry.tick()
    (said,) = await registry.said("worker-batch-validated")
    assert said.body["office_id"] == str(office.tenant_id)

"""The plain way, as a peer: openpyxl and an insert a row, with the same checks and vault."""

import io
from collections.abc import Iterator
from datetime import date
from functools import partial
from itertools import islice
from typing import Final
from uuid import UUID

from openpyxl import load_workbook

from services.registry.handlers.claiming import claim
from services.registry.handlers.intake import Intake
from services.registry.handlers.spool import Spool
from services.registry.handlers.taking import Roster
from services.registry.handlers.values import wishes_of
from services.registry.handlers.writing import ChunkWriter
from services.registry.roster.check import CheckedRow, Checker, Context
from services.registry.roster.fields import synonym_table
from services.registry.roster.header import find_header
from services.registry.roster.reading import Layout
from services.registry.roster.sheet import Marks, Rows, Sheet
from services.registry.store.batches import Batch
from services.registry.vault import blind_index
from shared.database import Database
from shared.transaction import Tx

KIND: Final = "origin_roster"
DIVISION: Final = "530900"


async def import_plainly(db: Database, intake: Intake, office_id: UUID, data: bytes) -> int:
    """Import a roster row by row in one transaction; give how many rows went in."""
    index_key = await intake.vault.index_key()
    async with db.transaction(role="worker") as tx:
        batch = await _a_batch(tx, office_id)
        layout, rows = _checked(data, tx.today)
        count = 0
        for row in rows:
            await _write(tx, intake, index_key, Roster(batch, Spool(), 20, layout), row)
            count += 1
    return count


async def _a_batch(tx: Tx, office_id: UUID) -> Batch:
    batch_id = tx.ids.uuid7()
    batch = Batch(
        batch_id, office_id, KIND, None, DIVISION, batch_id.bytes, "xlsx", 0, office_id, tx.today,
        tx.now,
    )  # fmt: skip
    await tx.execute(
        "INSERT INTO worker_batch (batch_id, tenant_id, kind, division_code, fingerprint,"
        " file_extension, byte_count, submitted_by, submitted_on, submitted_at)"
        " VALUES ($1, $2, $3, $4, $5, 'xlsx', 0, $2, $6, $7)",
        batch_id, office_id, KIND, DIVISION, batch.fingerprint, batch.submitted_on, tx.now,
    )  # fmt: skip
    return batch


def _checked(data: bytes, today: date) -> tuple[Layout, Iterator[CheckedRow]]:
    sheet = load_workbook(io.BytesIO(data), read_only=True, data_only=True).worksheets[0]
    table = Rows(partial(sheet.iter_rows, values_only=True))
    number, top = next(iter(table))
    seen = Sheet(sheet.title, table, Marks(), (sheet.max_row, sheet.max_column))
    header = find_header([(number, top)], seen.marks, synonym_table(KIND, {}), is_text=False)
    if header is None:
        raise LookupError("the bench writes a header")
    checker = Checker(header, seen, Context(KIND, DIVISION, today))
    layout = Layout("xlsx", sheet.title, header.words, header.fields, ())
    return layout, (checker.check(n, row) for n, row in islice(table, 1, None))


async def _write(tx: Tx, intake: Intake, index_key: bytes, roster: Roster, row: CheckedRow) -> None:
    person = blind_index(index_key, row.values["resident_id"])
    roster.add(row, person, wishes_of(row.values))
    await roster.look_up(tx, [0])
    claimed = await claim(tx, roster)
    async with ChunkWriter(tx, intake, claimed) as writer:
        await writer.write(0, [row])
    await tx.set_aside(0)

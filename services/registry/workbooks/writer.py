"""Writes workbooks: small ones here, large ones by a process of its own, one at a time."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Final

from services.registry.receipt import Receipt, as_workbook
from services.registry.roster.workbook import Mark, issues_workbook
from shared.problem import Problem
from shared.sheets.reader import answered

# So many rows are written in a tenth of a second; a process takes longer to start.
APART_FROM: Final = 200
_CHILD: Final = "services.registry.workbooks.child"
_WALL_S_MAX: Final = 120.0
_CHILDREN_MAX: Final = 1

Rows = Sequence[tuple[int, Sequence[str]]]
Marks = Mapping[int, Sequence[Mark]]


class Writer:
    """Writes workbooks. All raise `Problem` 503 when the process ends without one."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_CHILDREN_MAX)

    async def issues_workbook(
        self, headers: Sequence[str], rows: Rows, marks: Marks, unlisted: int = 0
    ) -> bytes:
        """Write as `roster.workbook.issues_workbook` does."""
        if len(rows) < APART_FROM:
            return issues_workbook(headers, rows, marks, unlisted)
        told = [[number, [[m.column, m.text] for m in of]] for number, of in marks.items()]
        return await self._apart("issues", [headers, rows, told, unlisted])

    async def receipt(self, receipt: Receipt) -> bytes:
        """Write as `receipt.as_workbook` does."""
        if len(receipt.faults) < APART_FROM:
            return as_workbook(receipt)
        return await self._apart("receipt", receipt)

    async def _apart(self, kind: str, told: Sequence[object]) -> bytes:
        message = await asyncio.to_thread(json.dumps, [kind, told], ensure_ascii=False)
        async with self._turn:
            written = await answered(_CHILD, message.encode(), _WALL_S_MAX)
        if written is None:
            detail = "表格未能生成，请稍后再试。The workbook could not be written; try again."
            raise Problem(503, "not_written", detail)
        return written

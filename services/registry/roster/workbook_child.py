"""Has a large workbook of rejected rows written by a process of its own, which takes the memory."""

import asyncio
import json
import resource
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.registry.roster.workbook import Mark, issues_workbook
from shared.sheets.reader import answered

# So many rows are written in a tenth of a second; a process takes longer to start.
APART_FROM: Final = 200
_MODULE: Final = "services.registry.roster.workbook_child"
_MEMORY_BYTES_MAX: Final = 1 << 30
_CPU_S_MAX: Final = 60
_WALL_S_MAX: Final = 120.0
_CHILDREN_MAX: Final = 1

Rows = Sequence[tuple[int, Sequence[str]]]
Marks = Mapping[int, Sequence[Mark]]


class WriterDiedError(Exception):
    """The process ended without a workbook."""


class Writer:
    """Writes workbooks: small ones itself, of large ones one at a time in a process of its own."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_CHILDREN_MAX)

    async def issues_workbook(
        self, headers: Sequence[str], rows: Rows, marks: Marks, unlisted: int = 0
    ) -> bytes:
        """Write as `workbook.issues_workbook` does. Raises `WriterDiedError`."""
        if len(rows) < APART_FROM:
            return issues_workbook(headers, rows, marks, unlisted)
        told = [[number, [[m.column, m.text] for m in of]] for number, of in marks.items()]
        message = json.dumps([headers, rows, told, unlisted], ensure_ascii=False).encode()
        async with self._turn:
            written = await answered(_MODULE, message, _WALL_S_MAX)
        if written is None:
            raise WriterDiedError
        return written


def _answer() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S_MAX, _CPU_S_MAX + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    told: list[Any] = json.loads(sys.stdin.buffer.read())
    headers, rows, marks, unlisted = told
    by_row = {number: [Mark(*m) for m in of] for number, of in marks}
    sys.stdout.buffer.write(issues_workbook(headers, rows, by_row, unlisted))


if __name__ == "__main__":
    _answer()

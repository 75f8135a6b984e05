"""The process that writes one large workbook: `python -m services.registry.workbooks.child`.

It hears one JSON array, the kind of workbook and what is told in it, and answers with the bytes.
"""

import json
import resource
import sys
from collections.abc import Sequence
from typing import Any, Final

from services.registry.receipt import Receipt, as_workbook
from services.registry.roster.workbook import Mark, issues_workbook

_MEMORY_BYTES_MAX: Final = 1 << 30
_CPU_S_MAX: Final = 60


def _answer() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S_MAX, _CPU_S_MAX + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kind, told = json.loads(sys.stdin.buffer.read())
    write = {"issues": _issues, "receipt": _receipt}[kind]
    sys.stdout.buffer.write(write(told))


def _issues(told: Sequence[Any]) -> bytes:
    headers, rows, marks, unlisted = told
    by_row = {number: [Mark(*m) for m in of] for number, of in marks}
    return issues_workbook(headers, rows, by_row, unlisted)


def _receipt(told: Sequence[Any]) -> bytes:
    return as_workbook(Receipt.from_json(told))


if __name__ == "__main__":
    _answer()

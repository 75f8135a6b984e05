"""The process that reads one sheet: `python -m services.<service>.sheet.child` calls `answer`.

It hears one line of JSON (`filename`, `today`, the limits) and then the file, answers with one
JSON object, and ends. It has no secret, no network and no file of ours, and can be killed.
"""

import json
import resource
import signal
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

from shared.sheets.issue import SheetRefused
from shared.sheets.rows import Found


def answer(read: Callable[[bytes, str, date], Found]) -> None:
    """Read what is asked and answer; whatever goes wrong beyond a refusal is silence."""
    job = json.loads(sys.stdin.buffer.readline())
    _confine(job["memory_bytes_max"], job["cpu_s_max"])
    try:
        found = read(sys.stdin.buffer.read(), job["filename"], date.fromisoformat(job["today"]))
        told: dict[str, Any] = {"found": found.as_dict()}
    except SheetRefused as refused:
        told = {"refused": [refused.code, refused.what]}
    sys.stdout.write(json.dumps(told, ensure_ascii=False))


def _confine(memory_bytes_max: int, cpu_s_max: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes_max, memory_bytes_max))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s_max, cpu_s_max + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # By default an alarm ends the process, whatever it is in the middle of.
    signal.alarm(2 * cpu_s_max)

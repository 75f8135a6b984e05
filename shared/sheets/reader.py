"""Has a sheet read by a bounded process of its own: it may be broken, or meant to break us."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from shared.sheets.issue import SheetRefused
from shared.sheets.rows import Found

WALL_S_MAX: Final = 25.0
CHILDREN_MAX: Final = 2


@dataclass(slots=True)
class SheetReader:
    """Reads at most two sheets at the same time; `module` is the process that reads."""

    module: str
    memory_bytes_max: int = 512 * 1024 * 1024
    cpu_s_max: int = 10
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CHILDREN_MAX))

    async def read(self, data: bytes, filename: str, today: date) -> Found:
        """Read a file. Raises `SheetRefused`, also when the process was ended."""
        job = {
            "filename": filename,
            "today": today.isoformat(),
            "memory_bytes_max": self.memory_bytes_max,
            "cpu_s_max": self.cpu_s_max,
        }
        message = json.dumps(job).encode() + b"\n" + data
        async with self._turn:
            answer = await answered(self.module, message, WALL_S_MAX)
        told: dict[str, Any] = json.loads(answer) if answer else {"refused": ["too_many_cells"]}
        if "refused" in told:
            raise SheetRefused(*told["refused"])
        return Found.from_dict(told["found"])


async def answered(module: str, message: bytes, wall_s: float) -> bytes | None:
    """Run `python -m module` with the message as its input; give its output, None if it fails.

    It is killed after `wall_s` seconds, inherits no variable of ours, and limits itself.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # What it says about its own end may hold words of the sheet.
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(p or "." for p in sys.path), "LANG": "C.UTF-8"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(wall_s):
            output, _ = await child.communicate(message)
    except TimeoutError:
        return None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return output if child.returncode == 0 else None

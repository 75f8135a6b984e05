"""The list, outside every database, of what was erased: a restored backup is brought up to it."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Erased:
    """One erasure that took effect: ids only. `person` says that all of the worker went."""

    worker_id: UUID
    person: bool
    key_ids: tuple[UUID, ...]


class ErasureList:
    """An append-only file of JSON lines; a line is on the disk before its erasure commits."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, erased: Iterable[Erased]) -> None:
        """Add erasures and wait until they are on the disk. A repeated line is harmless."""
        lines = [
            json.dumps(
                {
                    "worker_id": str(e.worker_id),
                    "person": e.person,
                    "key_ids": [str(k) for k in e.key_ids],
                }
            )
            for e in erased
        ]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # The leading line break keeps us apart from a line that a crash cut off.
            os.write(handle, ("\n" + "\n".join(lines) + "\n").encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self) -> list[Erased]:
        """Read all erasures; a line that a crash cut off never took effect."""
        if not self.path.exists():
            return []
        lines = (_parsed(line) for line in self.path.read_text("utf-8").split("\n") if line)
        return [e for e in lines if e]


def _parsed(line: str) -> Erased | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return Erased(UUID(told["worker_id"]), told["person"], tuple(UUID(k) for k in told["key_ids"]))

"""Runs a service with a slow or broken consumer: `python -m tests.chaos.entry lodging ack-first`.

Between effect and acknowledgement it waits a moment, so that kills hit just there, and dies there
when somebody aims at it: a file of its name lies in the folder SHANHAI_AIM.

What stands in a file of its name in the folder `clocks` beside that one moves its clock: seconds.

`inbox` and `sequence` switch that guard off, `ack-first` acknowledges before the effect, and with
`uncompensated` no cancellation is heard. Each event that takes effect leaves a row in the table
`witness`, in the same transaction: the services' own effects are idempotent and would not show that
something happened twice.
"""

import asyncio
import importlib
import os
import signal
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.clock import real_now
from shared.consumer import Consumer, Guards, Intake
from shared.database import Database
from shared.handlers import Handlers
from shared.inbox import Heard, Line, Parking, Subject
from shared.service import Service, run
from shared.transaction import Tx
from tests.chaos import tomorrow

DWELL_S = 0.25
CLOCK_LOOK_S = 0.2
SWITCHES = ("inbox", "sequence", "ack-first", "uncompensated")
_WITNESS = """
INSERT INTO witness (event_id, source, subject, sequence)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
"""


class WitnessedIntake(Intake):
    """Writes down what takes effect, with the effect."""

    applied: Sequence[Heard] = ()

    async def _apply(self, tx: Tx, heard: Sequence[Heard]) -> None:
        await super()._apply(tx, heard)
        told = [one.envelope for one in self.applied if one.envelope]
        rows = [(e.id, e.source, e.subject, e.sequence) for e in told]
        columns = zip(*rows, strict=True) if rows else ([], [], [], [])
        await tx.execute(_WITNESS, *(list(column) for column in columns))

    def _placed(
        self, heard: Sequence[Heard], lines: Mapping[Subject, Line], fresh: Collection[UUID]
    ) -> tuple[list[Heard], list[Parking]]:
        placed = super()._placed(heard, lines, fresh)
        self.applied = placed[0]
        return placed


class Dwelling(Consumer):
    """Makes long what is short, so that a kill finds it: the time between effect and offsets."""

    def __init__(
        self, db: Database, handlers: Handlers, kafka: Mapping[str, Any], *, guards: Guards
    ) -> None:
        super().__init__(db, handlers, kafka, guards=guards)
        self._intake = WitnessedIntake(db, handlers, guards)
        self._acknowledged: Sequence[Any] = ()
        self._aim = Path(os.environ["SHANHAI_AIM"]) / handlers.service

    async def _commit(self, fetched: Sequence[Any]) -> None:
        effect_first = self._intake.guards.effect_first
        if effect_first:
            await self._dwell()
        await super()._commit(fetched)
        # Who acknowledges first does it again after the effect: dying there would lose nothing.
        if not effect_first and fetched is not self._acknowledged:
            self._acknowledged = fetched
            await self._dwell()

    async def _dwell(self) -> None:
        if self._aim.exists():
            self._aim.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(DWELL_S)


def guards(off: Sequence[str]) -> Guards:
    """Give all guards but these."""
    assert set(off) <= set(SWITCHES), off
    return Guards(
        inbox="inbox" not in off,
        sequence="sequence" not in off,
        effect_first="ack-first" not in off,
    )


def move_clock(told: Path) -> None:
    """Let every clock that our process reads go as this file says for as long as it is there."""
    at, true_s, true_ns = time.monotonic, time.time, time.time_ns
    looked, offset = -CLOCK_LOOK_S, 0.0

    def moved_by() -> float:
        nonlocal looked, offset
        if at() - looked >= CLOCK_LOOK_S:
            looked, text = at(), told.read_text("ascii") if told.exists() else ""
            offset = float(text or 0)
        return offset

    def moved_now() -> datetime:
        return real_now() + timedelta(seconds=moved_by())

    time.time = lambda: true_s() + moved_by()
    time.time_ns = lambda: true_ns() + int(moved_by() * 1e9)
    for module in [*sys.modules.values()]:
        if module.__name__ != __name__ and getattr(module, "real_now", None) is real_now:
            module.real_now = moved_now  # type: ignore[attr-defined]


def main() -> None:
    name, *off = sys.argv[1:]
    sys.argv[1:] = []
    beside = Path(os.environ["SHANHAI_AIM"])
    if (beside.with_name("next") / name).exists():
        tomorrow.come()
    service: Service = importlib.import_module(f"services.{name}.__main__").SERVICE
    move_clock(beside.with_name("clocks") / name)
    if "uncompensated" in off:
        service.handlers._by_type.pop("recruitment.placement-cancelled.v1", None)
    run(replace(service, hear=partial(Dwelling, guards=guards(off))))


if __name__ == "__main__":
    main()

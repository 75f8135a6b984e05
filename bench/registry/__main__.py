"""How fast a roster goes in: from upload to `accepted` and to Kafka, beside the plain way."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from bench.registry.plain import import_plainly
from bench.registry.rig import Office, Rig, weighed
from services.registry.handlers.intake import Intake
from services.registry.roster.child import Readers
from services.registry.vault import MasterKeys, Vault
from shared.database import Database
from stack.people import HEADERS, RosterSpec, invented_rows, written

#: What is wanted (seconds, MB): the registry's "must show".
WANTED_S: Final = {10_000: 3.0, 100_000: 30.0}
SERVICE_MB_MAX: Final = 200.0
CHILD_MB_MAX: Final = 400.0
SMALL_S_MAX: Final = 2.0
WANTED_RATIO: Final = 5.0
_SEED_ROWS: Final = 10_000
_GROUP: Final = "同行人(组)"
_SMALL_ROWS: Final = 50
_SMALL_PAUSE_S: Final = 1.0


@dataclass(frozen=True)
class Result:
    """One roster: seconds to its final state and until Kafka had all of it, and what it weighed."""

    rows: int
    accepted_s: float
    published_s: float
    cpu_s: float
    service_mb: float
    child_mb: float
    small_s: list[float]
    load: float

    @property
    def per_second(self) -> float:
        """Rows a second, upload and publishing included."""
        return self.rows / self.published_s


def main() -> int:
    """Measure, print, and tell by the exit code whether everything wanted was reached."""
    parser = argparse.ArgumentParser(prog="python -m bench.registry", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=1, help="of each size")
    parser.add_argument("--plain-rows", type=int, default=2_000, help="of the plain way")
    parser.add_argument("--json", type=Path, help="write the figures there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shanhai-bench-") as folder:
        Path(folder).chmod(0o755)
        rig = Rig(Path(folder))
        with rig.running(), asyncio.Runner() as runner:
            return runner.run(_measure(rig, args))


async def _measure(rig: Rig, args: argparse.Namespace) -> int:
    await rig.prepare()
    seed = 1
    results: list[Result] = []
    async with rig.service() as service:
        await _warm_up(rig)
        for rows in args.rows * args.rounds:
            result = await _round(rig, service, rows, seed)
            seed += -(-rows // _SEED_ROWS)
            results.append(result)
            _print(result)
        plain = await _plain(rig, args.plain_rows, seed)
    return _report(results, plain, args.json)


async def _warm_up(rig: Rig) -> None:
    """The first upload starts the reader and prepares statements: nothing of it is measured."""
    async with rig.office() as office:
        await office.finished(await office.submit(a_roster(_SMALL_ROWS, 400)))
    await rig.published()


async def _round(rig: Rig, service: psutil.Process, rows: int, seed: int) -> Result:
    data = a_roster(rows, seed)
    async with rig.office() as office, rig.office() as other, weighed(service) as weights:
        before, begun = rig.cpu_s([service.pid]), time.monotonic()
        batch_id = await office.submit(data)
        done = asyncio.Event()
        small = asyncio.create_task(_small_ones(other, seed, done)) if rows > _SEED_ROWS else None
        batch = await office.finished(batch_id)
        accepted_s = time.monotonic() - begun
        assert (batch["state"], batch["accepted_count"]) == ("accepted", rows), batch
        done.set()
        small_s = await small if small else []
        await rig.published()
        published_s = time.monotonic() - begun
        cpu_s = rig.cpu_s([service.pid]) - before
    load = os.getloadavg()[0]
    return Result(
        rows, accepted_s, published_s, cpu_s, weights.service_mb, weights.child_mb, small_s, load
    )


async def _small_ones(office: Office, seed: int, done: asyncio.Event) -> list[float]:
    """Let another office submit small rosters meanwhile; give each one's seconds."""
    taken: list[float] = []
    while not done.is_set():
        data = a_roster(_SMALL_ROWS, 401 + len(taken), prefix=seed)
        begun = time.monotonic()
        await office.finished(await office.submit(data))
        taken.append(time.monotonic() - begun)
        await asyncio.sleep(_SMALL_PAUSE_S)
    return taken


async def _plain(rig: Rig, rows: int, seed: int) -> float:
    """Give the plain way's rows a second: without upload, and without publishing."""
    vault = await Vault.open(rig.keys_url, MasterKeys.read(rig.master_key_file))
    db = await Database.open(rig.database_url, service="registry")
    readers = Readers(1)
    data = a_roster(rows, seed)
    try:
        begun = time.monotonic()
        count = await import_plainly(db, Intake(vault, readers), rig.ids.uuid7(), data)
        return count / (time.monotonic() - begun)
    finally:
        readers.close()
        await db.close()
        await vault.close()


def a_roster(rows: int, seed: int, *, prefix: int = 0) -> bytes:
    """Write a workbook of 21 columns with different persons; each 10,000 take a seed."""
    specs = [
        RosterSpec(min(_SEED_ROWS, rows - first), seed + prefix + number)
        for number, first in enumerate(range(0, rows, _SEED_ROWS))
    ]
    invented = [_apart(row, spec) for spec in specs for row in invented_rows(spec)]
    return written(HEADERS, invented, "xlsx")


def _apart(row: dict[str, str], spec: RosterSpec) -> dict[str, str]:
    """Let the groups of each ten thousand be others: one of thirty would be too large."""
    group = row[_GROUP]
    return row | {_GROUP: f"{spec.seed}-{group}" if group else ""}


def _print(result: Result) -> None:
    small = f", others' small ones at most {max(result.small_s):.2f} s" if result.small_s else ""
    print(
        f"{result.rows:7,} rows: accepted {result.accepted_s:6.2f} s, published"
        f" {result.published_s:6.2f} s ({result.per_second:,.0f} rows/s,"
        f" {result.cpu_s:.1f} s CPU), service {result.service_mb:.0f} MB, child"
        f" {result.child_mb:.0f} MB{small}; load {result.load:.1f}",
        flush=True,
    )


def _report(results: list[Result], plain: float, out: Path | None) -> int:
    slowest = min(r.per_second for r in results)
    ratio = slowest / plain
    print(f"plain way: {plain:,.0f} rows/s; ours {ratio:.1f} times (wanted: {WANTED_RATIO:.0f})")
    if out:
        figures = {"results": [asdict(r) for r in results], "plain": plain, "ratio": ratio}
        out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    reached = ratio >= WANTED_RATIO and all(_is_reached(r) for r in results)
    return 0 if reached else 1


def _is_reached(result: Result) -> bool:
    return (
        result.published_s < WANTED_S.get(result.rows, float("inf"))
        and result.service_mb < SERVICE_MB_MAX
        and result.child_mb < CHILD_MB_MAX
        and max(result.small_s, default=0.0) < SMALL_S_MAX
    )


if __name__ == "__main__":
    sys.exit(main())

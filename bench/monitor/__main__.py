"""How soon an event is on twenty monitors, one of them slow, and what the console's memory does."""

import argparse
import asyncio
import itertools
import json
import math
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import UUID

import psutil

from bench.monitor.rig import Rig
from bench.monitor.telling import SPEAKERS, Teller
from bench.monitor.watching import Monitor
from shared.database import Database

WANTED_P95_S: Final = 2.0
#: Flat: what it would gain in a quarter of an hour is less than this part of what it has.
WANTED_GAIN: Final = 0.02
QUARTER_S: Final = 900
#: Until then caches fill, pools open, and the allocator finds its size.
SETTLED_S: Final = 180.0
WEIGH_INTERVAL_S: Final = 2.0
CATCH_UP_S: Final = 30.0
MB: Final = 1 << 20
_SAID: Final = "SELECT feed_id, extract(epoch FROM said_at)::float8 AS at FROM event"


@dataclass
class Scales:
    """The console's resident size, in MB, by seconds since the start; and what it computed."""

    process: psutil.Process
    seen: list[tuple[float, float]] = field(default_factory=list)

    async def weigh(self) -> None:
        """Weigh until cancelled."""
        began = time.monotonic()
        while True:
            self.seen.append((time.monotonic() - began, self.process.memory_info().rss / MB))
            await asyncio.sleep(WEIGH_INTERVAL_S)

    def figures(self, settled_s: float) -> dict[str, Any]:
        """Tell the slope of what was seen after so many seconds, of all of it and of either half.

        Before that caches fill and pools open.
        """
        kept = [(at, mb) for at, mb in self.seen if at >= settled_s]
        middle = len(kept) // 2
        sizes = [mb for _, mb in kept]
        return {
            "rss_mb": sizes[-1], "rss_mb_least": min(sizes), "rss_mb_most": max(sizes),
            "rss_mb_per_minute": _slope(kept),
            "rss_mb_per_minute_of_halves": [_slope(kept[:middle]), _slope(kept[middle:])],
            "rss_seen": [(round(at), round(size, 1)) for at, size in self.seen[::30]],
        }  # fmt: skip


def _slope(seen: Sequence[tuple[float, float]]) -> float:
    """Give MB a minute: the median of the slopes between all pairs.

    One step (a wave larger than any before, after a hiccup of the machine) is no slope; what
    grows steadily, however slowly, is. The least and the most size are told beside it.
    """
    pairs = itertools.combinations(seen, 2)
    return 60 * median((late - early) / (end - start) for (start, early), (end, late) in pairs)


def main() -> int:
    """Run the bench, or, as its child, the services that speak."""
    parser = argparse.ArgumentParser(prog="python -m bench.monitor", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=3.0, help="15 for the whole; memory from 6 on"
    )
    parser.add_argument("--rate", type=int, default=500, help="events a second")
    parser.add_argument("--monitors", type=int, default=20, help="one of them is slow")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("tell", nargs="*", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.tell:
        return asyncio.run(_tell(json.loads(args.tell[1]), args))
    with tempfile.TemporaryDirectory(prefix="shanhai-bench-") as folder:
        Path(folder).chmod(0o755)
        rig = Rig(Path(folder))
        with rig.running():
            figures = asyncio.run(_measure(rig, args))
    return _report(figures, args.json)


async def _tell(given: Mapping[str, Any], args: argparse.Namespace) -> int:
    databases = {s: await Database.open(given["urls"][s], service=s) for s in SPEAKERS}
    tenants = [{k: UUID(v) for k, v in one.items()} for one in given["tenants"]]
    teller = Teller(databases, args.rate, tenants)
    sys.stdout.write(str(await teller.run(given["kafka"], 60 * args.minutes)))
    return 0


async def _measure(rig: Rig, args: argparse.Namespace) -> dict[str, Any]:
    await rig.prepare()
    async with rig.console() as console:
        cookie = await rig.session("coordinator")
        db = await Database.open(rig.postgres.superuser_url("console"), service="console")
        after = await db.pool.fetchval("SELECT last_feed_id FROM feed_position")
        monitors = [
            Monitor(rig.port, cookie, ("zh-CN", "en")[n % 2], slow=n == 0)
            for n in range(args.monitors)
        ]
        scales = Scales(console)
        spent = console.cpu_times()
        open_pages = [asyncio.create_task(m.watch(after)) for m in monitors]
        open_pages += [asyncio.create_task(m.refresh()) for m in monitors]
        open_pages.append(asyncio.create_task(scales.weigh()))
        told = await _told(rig, args)
        await _caught_up(monitors, after + told)
        cpu = [now - before for now, before in zip(console.cpu_times()[:2], spent[:2], strict=True)]
        for task in open_pages:
            if task.done():
                task.result()
            task.cancel()
        await asyncio.gather(*open_pages, return_exceptions=True)
        said = {r["feed_id"]: r["at"] for r in await db.pool.fetch(_SAID)}
        db.pool.terminate()
    figures = _figures(monitors, said, after)
    return figures | scales.figures(min(SETTLED_S, 20 * args.minutes)) | {
        "minutes": args.minutes, "events": told, "per_second": told / (60 * args.minutes),
        "console_cpu": sum(cpu) / (60 * args.minutes),
    }  # fmt: skip


async def _told(rig: Rig, args: argparse.Namespace) -> int:
    """Let another process tell; give how many events it told."""
    offices = [a.tenant_id for a in rig.accounts if a.tenant_kind == "office"]
    enterprises = [a.tenant_id for a in rig.accounts if a.tenant_kind == "enterprise"]
    given = {
        "urls": rig.urls,
        "kafka": {"bootstrap_servers": rig.kafka.bootstrap_servers},
        "tenants": [{"office_id": o, "enterprise_id": e} for o in offices for e in enterprises],
    }
    words = ["--minutes", str(args.minutes), "--rate", str(args.rate), "tell", json.dumps(given)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.monitor", *words, stdout=asyncio.subprocess.PIPE
    )
    try:
        out, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    assert process.returncode == 0, "the services did not speak"
    return int(out)


async def _caught_up(monitors: Sequence[Monitor], last: int) -> None:
    """Wait until every monitor but the slow one shows the last event."""
    deadline = time.monotonic() + CATCH_UP_S
    while any(m.last < last for m in monitors if not m.slow):
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(WEIGH_INTERVAL_S / 4)


def _figures(monitors: Sequence[Monitor], said: Mapping[int, float], after: int) -> dict[str, Any]:
    quick = [m for m in monitors if not m.slow]
    late = sorted(b.at - said[i] for m in quick for b in m.bundles for i in b.places)
    slow = next((m for m in monitors if m.slow), None)
    return {
        "monitors": len(monitors), "shown": len(late), "events_in_feed": len(said),
        "p50_s": _part(late, 0.5), "p95_s": _part(late, 0.95), "p99_s": _part(late, 0.99),
        "worst_s": late[-1], "gaps": sum(m.gaps(after) for m in monitors),
        "missing": sum(max(said) - m.last for m in quick),
        "slow_behind": max(said) - slow.last if slow else 0,
        "refreshed": sum(m.refreshed for m in monitors),
    }  # fmt: skip


def _part(ordered: Sequence[float], part: float) -> float:
    return ordered[math.ceil(part * len(ordered)) - 1]


def _report(found: Mapping[str, Any], out: Path | None) -> int:
    print(
        f"{found['events']} events in {found['minutes']:g} min ({found['per_second']:.0f}/s),"
        f" {found['monitors']} monitors, {found['refreshed']} refreshes of the standing part\n"
        f"commit to monitor: p50 {found['p50_s']:.2f} s, p95 {found['p95_s']:.2f} s,"
        f" p99 {found['p99_s']:.2f} s, worst {found['worst_s']:.2f} s"
        f" (wanted: p95 <= {WANTED_P95_S:g} s)\n"
        f"left out or twice: {found['gaps']}, not shown at the end: {found['missing']};"
        f" the slow one is {found['slow_behind']} events behind\n"
        f"console: {found['console_cpu']:.2f} cores, {found['rss_mb']:.0f} MB,"
        f" {found['rss_mb_per_minute']:+.2f} MB a minute (halves:"
        f" {', '.join(f'{half:+.2f}' for half in found['rss_mb_per_minute_of_halves'])};"
        f" {found['rss_mb_least']:.0f} to {found['rss_mb_most']:.0f} MB)\n"
        f"MB by the minute: {' '.join(f'{mb:.1f}' for _, mb in found['rss_seen'])}"
    )
    if out:
        out.write_text(json.dumps(dict(found), indent=2) + "\n", "utf-8")
    gain = found["rss_mb_per_minute"] * QUARTER_S / 60
    flat = gain < WANTED_GAIN * found["rss_mb"]
    # Before that it still warms up, and a slope tells nothing.
    judged = 60 * found["minutes"] >= 2 * SETTLED_S
    verdict = ("flat" if flat else "it grows") if judged else "too short to tell"
    print(f"a quarter of an hour would add {gain:+.1f} MB: {verdict}")
    whole = not found["gaps"] and not found["missing"]
    return 0 if whole and (flat or not judged) and found["p95_s"] <= WANTED_P95_S else 1


if __name__ == "__main__":
    sys.exit(main())

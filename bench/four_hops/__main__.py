"""Journeys per second through four services: over shared/, plain, and the bare limit."""

import argparse
import asyncio
import gc
import json
import statistics
import sys
import tempfile
from pathlib import Path

import uvloop

from bench.four_hops import bare, over_shared, plain
from bench.four_hops.hops import HOPS, Place
from bench.four_hops.rig import VERSIONS, Result, Rig
from shared.service import GC_THRESHOLD

WANTED_RATIO = 20.0
SERVE = {"plain": plain.serve, "over_shared": over_shared.serve, "bare": bare.serve}


def main() -> int:
    """Run the bench, or, as its child, one hop of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.four_hops", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--journeys", type=int, default=20_000, help="of a fast version's round")
    parser.add_argument("--plain-journeys", type=int, default=500, help="of a plain round")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("hop", nargs="*", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.hop:
        return _hop(*args.hop[1:])
    with tempfile.TemporaryDirectory(prefix="shanhai-bench-") as folder:
        Path(folder).chmod(0o755)
        results = _measure(Rig(Path(folder)), args)
    return _report(results, args.json)


def _measure(rig: Rig, args: argparse.Namespace) -> list[Result]:
    results = []
    with rig.running(), asyncio.Runner() as runner:
        runner.run(rig.prepare())
        for number in range(1, args.rounds + 1):
            for version in VERSIONS:
                journeys = args.plain_journeys if version == "plain" else args.journeys
                result = runner.run(rig.round(version, journeys))
                print(
                    f"round {number} {version:12} {result.per_second:8.0f} journeys/s"
                    f" {result.cpu_ms:7.2f} ms CPU each",
                    flush=True,
                )
                results.append(result)
    return results


def _report(results: list[Result], out: Path | None) -> int:
    rates = {v: [r.per_second for r in results if r.version == v] for v in VERSIONS}
    cpu = {v: statistics.median(r.cpu_ms for r in results if r.version == v) for v in VERSIONS}
    # Rounds are compared with their neighbours: the machine may be busy with other things.
    ratios = [s / p for s, p in zip(rates["over_shared"], rates["plain"], strict=True)]
    ratio = statistics.median(ratios)
    print(f"\n{'version':12} {'journeys/s':>10} {'ms CPU':>8} {'x plain':>8}")
    for version in VERSIONS:
        rate = statistics.median(rates[version])
        times = rate / statistics.median(rates["plain"])
        print(f"{version:12} {rate:10.0f} {cpu[version]:8.2f} {times:8.1f}")
    print(f"\nover shared/ : plain = {ratio:.1f} (wanted: {WANTED_RATIO:.0f})")
    if out:
        figures = {"journeys_per_second": rates, "cpu_ms": cpu, "ratio": ratio, "ratios": ratios}
        out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0 if ratio >= WANTED_RATIO else 1


def _hop(version: str, service: str, url: str, bootstrap_servers: str, prefix: str) -> int:
    gc.freeze()
    if version != "plain":
        gc.set_threshold(*GC_THRESHOLD)
    hop = next(h for h in HOPS if h.service == service)
    place = Place(hop, url, bootstrap_servers, prefix)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(SERVE[version](place))
    return 0


if __name__ == "__main__":
    sys.exit(main())

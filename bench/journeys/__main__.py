"""Real journeys per second: from the rosters to the last seat and bed, and who computes."""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import psutil

from shared.clock import SHANGHAI
from stack import background
from stack.demo.loading import Cast, Demo, ask_for_beds, load_world, send_rosters
from stack.demo.report import counted_now
from stack.demo.settling import Settling
from stack.plan import Plan
from stack.ports import PortPlan

HTTP_PORT = 8600


def main() -> int:
    """Start a stack, send the demo's rosters, and measure until nothing moves."""
    with tempfile.TemporaryDirectory(prefix="shanhai-bench-") as folder:
        Path(folder).chmod(0o755)
        plan = Plan(Path(folder) / "data", PortPlan(HTTP_PORT))
        runner = background.start(plan, with_us=True)
        try:
            asyncio.run(_measure(plan, psutil.Process(runner.pid)))
        finally:
            background.stop(plan.data_dir)
            runner.wait()
    return 0


async def _measure(plan: Plan, runner: psutil.Process) -> None:
    async with Cast(plan) as cast:
        demo = Demo(plan, datetime.now(SHANGHAI).date(), cast.clients)
        await load_world(demo)
        before, began = _computed(runner), time.monotonic()
        await send_rosters(demo)
        await ask_for_beds(demo)
        await Settling(demo, lambda _: None).wait()
        seconds = time.monotonic() - began
        spent = _computed(runner)
        spent.subtract(before)
        placed = (await counted_now(demo))["placed"]
    print(f"{placed} persons placed in {seconds:.1f} s: {placed / seconds:.0f} journeys/s")
    for name, used in spent.most_common(8):
        print(f"  {name:12} {used:6.1f} s CPU  {1000 * used / placed:6.1f} ms a journey")


def _computed(runner: psutil.Process) -> Counter[str]:
    """Give the CPU seconds of the stack's processes by what they are."""
    used: Counter[str] = Counter()
    for process in runner.children(recursive=True):
        try:
            times, words = process.cpu_times(), " ".join(process.cmdline())
        except psutil.Error:
            continue
        used[_named(words)] += times.user + times.system
    return used


def _named(words: str) -> str:
    if "services." in words:
        return words.partition("services.")[2].split(".")[0].split()[0]
    return next((n for n in ("kafka", "postgres") if n in words.lower()), "other")


if __name__ == "__main__":
    sys.exit(main())

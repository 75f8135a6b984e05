"""The demo from its start to its report."""

import asyncio
import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from shared.clock import SHANGHAI
from stack import background
from stack.client import accounts_of
from stack.demo.days import Days
from stack.demo.loading import Cast, Demo, ask_for_beds, load_world, send_rosters
from stack.demo.progress import Progress
from stack.demo.report import Report, counted_now, ensure_reconciled, make_report, show_report
from stack.demo.settling import Settling
from stack.plan import Plan

#: The files of a stack; what else lies in a folder that someone names is not ours to delete.
OURS: Final = ("kafka", "postgres", "logs", "secrets", "run.json", "run.lock")


@dataclass
class Stopwatch:
    """How long each part took, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Time a part."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - began


@dataclass(frozen=True)
class Wish:
    """What one asks of a demo: stay up or not, and where the report goes."""

    plan: Plan
    once: bool
    report: Path | None


def run(wish: Wish, console: Console) -> None:
    """Run the demo on a folder made anew; raises `StackError` when anything doesn't add up."""
    plan, watch = wish.plan, Stopwatch()
    background.stop(plan.data_dir)
    _make_anew(plan.data_dir)
    try:
        with watch.measure("setup"):
            console.print("启动系统  starting the system")
            runner = background.start(plan, with_us=True)
        report = asyncio.run(_play(plan, watch, console))
        report.seconds = watch.seconds
        if wish.report:
            wish.report.write_text(
                json.dumps(report.to_json(), ensure_ascii=False, indent=1) + "\n", "utf-8"
            )
        show_report(report, console)
        ensure_reconciled(report)
        if not wish.once:
            _say_where(plan, console)
            _wait_for_ctrl_c()
    finally:
        background.stop(plan.data_dir)
    runner.wait()


async def _play(plan: Plan, watch: Stopwatch, console: Console) -> Report:
    async with Cast(plan) as cast:
        demo = Demo(plan, datetime.now(SHANGHAI).date(), cast.clients)
        with Progress(console) as progress:
            with watch.measure("settle"):
                progress.say("载入客栈、活动、岗位、班次  loading inns, drives, vacancies, trips")
                await load_world(demo)
                progress.say("提交花名册  sending the rosters")
                await send_rosters(demo)
                await ask_for_beds(demo)
                settling = Settling(demo, progress.show)
                await settling.wait()
            settled = await counted_now(demo)
            with watch.measure("days"):
                await Days(demo, settling, progress.say).pass_by()
        return await make_report(demo, settled)


def _make_anew(folder: Path) -> None:
    for name in OURS:
        path = folder / name
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)


def _say_where(plan: Plan, console: Console) -> None:
    console.print(f"控制台 console: {plan.ports.url('console')}", style="bold")
    for account in accounts_of(plan):
        console.print(f"  {account.account:24} {account.password}")
    console.print("按 Ctrl-C 结束  Ctrl-C ends it")


def _wait_for_ctrl_c() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        signal.pause()

"""The demo's result: as JSON for programs, and as what a coordinator would show a colleague."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from stack import recount
from stack.demo.loading import Demo, batches
from stack.demo.rosters import ROSTERS
from stack.demo.settling import journeys
from stack.status import database_urls
from stack.totals import totals
from stack.trouble import StackError

_ROSTER_COUNTS: Final = ("row_count", "accepted_count", "rejected_count", "duplicate_count")
_MIDDLE: Final = (
    ("nominated", "报名推荐"), ("placed", "岗位落实"), ("seated", "有座位"),
    ("waiting_for_seat", "等座位"), ("travelling_alone", "自行前往"), ("needing_bed", "需要住宿"),
    ("bedded", "有床位"), ("unconfirmed", "待确认"), ("waitlisted", "候补"), ("rejected", "未获批"),
    ("released", "已释放"), ("unanswered", "待答复"), ("withdrawn", "已撤回"),
    ("boarded", "已上车"), ("missed", "未乘车"), ("checked_in", "已入住"), ("started", "已上岗"),
)  # fmt: skip


@dataclass
class Report:
    """What is known at the end; `to_json` has the shape of the guide."""

    rosters: list[dict[str, Any]]
    totals: dict[str, Any]
    final: dict[str, Any]
    recounted: dict[str, dict[str, Any]]
    journeys: Counter[str]
    events: Counter[str]
    dead_letters: int
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give the report as the guide has it, with both recounts of its final figures."""
        return {
            "rosters": self.rosters,
            "totals": self.totals,
            "final": self.final,
            "recounted": self.recounted,
            "journeys": dict(sorted(self.journeys.items())),
            "events": dict(sorted(self.events.items())),
            "dead_letters": self.dead_letters,
            "seconds": {name: round(s, 1) for name, s in self.seconds.items()},
        }

    @property
    def differences(self) -> list[str]:
        """Name what the databases and the topics count differently."""
        one, other = self.recounted["databases"], self.recounted["topics"]
        return [f"{name}: {one[name]} / {other[name]}" for name in one if one[name] != other[name]]


async def counted_now(demo: Demo) -> dict[str, Any]:
    """Count the totals from the services' databases as they are."""
    return totals(await recount.from_databases(database_urls(demo.plan)))


async def make_report(demo: Demo, settled: dict[str, Any]) -> Report:
    """Count everything at the end; `settled` are the totals from before the first day."""
    at_the_end = await counted_now(demo)
    heard = await recount.from_topics(demo.plan.ports.kafka(demo.plan.brokers).bootstrap_servers)
    late = ("boarded", "missed", "checked_in", "started")
    return Report(
        rosters=await _rosters(demo),
        totals=settled | {name: at_the_end[name] for name in late},
        final=at_the_end,
        recounted={"databases": at_the_end, "topics": totals(heard.standing())},
        journeys=await journeys(demo),
        events=heard.counts,
        dead_letters=await _dead_letters(demo),
    )


async def _rosters(demo: Demo) -> list[dict[str, Any]]:
    found = await batches(demo)
    return [
        {"office": roster.account, "batch_id": batch["batch_id"]}
        | {name: batch[name] for name in _ROSTER_COUNTS}
        for roster, batch in zip(ROSTERS, found, strict=False)
    ]


async def _dead_letters(demo: Demo) -> int:
    return len([d async for d in demo.coordinator.pages("console", "/v1/dead-letters")])


def show_report(report: Report, console: Console) -> None:
    """Print the result."""
    rosters = Table("单位 office", "行 rows", "通过", "退回", "重复", title="花名册  rosters")
    for one in report.rosters:
        rosters.add_row(one["office"], *(str(one[name]) for name in _ROSTER_COUNTS))
    figures = Table("", "安顿后 settled", "最后 final", title="结果  result")
    for name, zh in _MIDDLE:
        figures.add_row(f"{zh} {name}", str(report.totals[name]), str(report.final[name]))
    for reason, count in report.final["unplaced"].items():
        settled = report.totals["unplaced"].get(reason, 0)
        figures.add_row(f"未落实 unplaced: {reason}", str(settled), str(count))
    direct = report.final["direct"]
    figures.add_row(
        "企业直接申请床位 direct", str(report.totals["direct"]["bedded"]), str(direct["bedded"])
    )
    console.print(rosters, figures)
    console.print(f"旅程 journeys: {dict(sorted(report.journeys.items()))}")
    console.print(f"事件 events: {dict(sorted(report.events.items()))}")
    console.print(f"死信 dead letters: {report.dead_letters}")
    console.print(f"用时 seconds: {report.to_json()['seconds']}")


def ensure_reconciled(report: Report) -> None:
    """Raise `StackError` when the totals don't add up, or databases and topics differ."""
    wrong = [*report.differences, *unbalanced(report.totals), *unbalanced(report.final)]
    if wrong:
        raise StackError(f"账目不平:{wrong}", f"the totals do not reconcile: {wrong}.")


def unbalanced(t: dict[str, Any]) -> list[str]:
    """Name the equations of the guide's totals that don't hold."""
    unplaced = sum(t["unplaced"].values())
    beds = sum(t[n] for n in ("bedded", "unconfirmed", "released", "waitlisted", "rejected"))
    equations = {
        "nominated": t["placed"] + unplaced + t["unanswered"] + t["withdrawn"],
        "placed": t["seated"] + t["waiting_for_seat"] + t["travelling_alone"],
    }
    wrong = [f"{name}: {t[name]} != {n}" for name, n in equations.items() if t[name] != n]
    # Who waits for a seat and needs a bed has no decision about the bed yet.
    if not 0 <= t["needing_bed"] - beds <= t["waiting_for_seat"]:
        wrong.append(f"needing_bed: {t['needing_bed']} != {beds}")
    return wrong

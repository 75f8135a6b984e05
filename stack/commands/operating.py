"""`shanhai check`, `erase`, `journeys`: what an operator asks of a running stack."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import typer

from stack.client import Client, Request
from stack.commands.showing import (
    CONSOLE,
    DEFAULT_DATA,
    AsJson,
    Data,
    Group,
    show_json,
    show_table,
)
from stack.demo.quiet import wait_quiet
from stack.invariants import Finding
from stack.invariants import check as ask
from stack.plan import Plan
from stack.runstate import running_plan
from stack.trouble import StackError

REST_TIMEOUT_S: Final = 15.0
Account = Annotated[str, typer.Option("--account", help="以谁的身份  as whom")]

State = Literal["moving", "waiting", "settled", "done", "compensated", "stuck"]

journeys = Group("人员旅程。Journeys of persons, from nomination to work.")


def check(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """核对不变量。Check databases and topics; exit code 1 when an invariant is broken."""
    found, at_rest = asyncio.run(_check(running_plan(data.absolute())))
    if as_json:
        show_json([asdict(one) for one in found])
    else:
        show_table(
            ("", "范围 where", "不变量 invariant", "例 examples"),
            [
                ("✗" if f.broken else "✓", f.where, f.title, " ".join(f.examples) or None)
                for f in found
            ],
        )
        if not at_rest:
            CONSOLE.print("系统仍在运行,未核对服务之间  still moving: services were not compared")
    broken = sum(f.broken > 0 for f in found)
    if broken:
        raise StackError(f"{broken} 项不成立。", f"{broken} invariants are broken.")


async def _check(plan: Plan) -> tuple[list[Finding], bool]:
    """Ask everything; what compares services only when nothing is under way."""
    try:
        await wait_quiet(plan, timeout_s=REST_TIMEOUT_S)
    except StackError:
        return await ask(plan, at_rest=False), False
    return await ask(plan), True


def erase(
    worker_id: Annotated[UUID, typer.Argument(help="人员编号  the person")],
    *,
    account: Account = "admin",
    data: Data = DEFAULT_DATA,
) -> None:
    """删除个人信息。Erase a person (as admin), or a tenant's own copy of one."""
    asyncio.run(_erase(running_plan(data.absolute()), account, worker_id))
    CONSOLE.print("已受理  accepted")


async def _erase(plan: Plan, account: str, worker_id: UUID) -> None:
    async with Client.of(plan, account) as client:
        await client.send(Request("DELETE", "registry", f"/v1/workers/{worker_id}"))


@journeys.command("list")
def list_journeys(  # noqa: PLR0913 (the options of a command)
    *,
    state: Annotated[State | None, typer.Option(help="状态  only in this state")] = None,
    worker_id: Annotated[UUID | None, typer.Option(help="人员  of this person")] = None,
    limit: Annotated[int, typer.Option(min=1, help="条数  how many")] = 50,
    account: Account = "coordinator",
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """列出旅程。List journeys, the newest first."""
    wanted = {"state": state, "worker_id": str(worker_id) if worker_id else None}
    plan = running_plan(data.absolute())
    found = asyncio.run(_listed(plan, account, wanted, limit))
    if as_json:
        show_json(found)
        return
    columns = ("旅程 journey", "状态 state", "等待 waiting for", "服务 service", "自 since")
    fields = ("journey_id", "state", "waiting_for", "service", "since")
    show_table(columns, [[one.get(name) for name in fields] for one in found])


async def _listed(
    plan: Plan, account: str, wanted: dict[str, Any], limit: int
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with Client.of(plan, account) as client:
        async for one in client.pages("console", "/v1/journeys", **wanted):
            found.append(one)
            if len(found) == limit:
                break
    return found

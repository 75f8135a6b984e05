"""`shanhai backup` and `restore`: what one does before and after a disk or a person fails."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer

from shared.clock import SHANGHAI
from stack import clock
from stack.backup import Backup, close_log
from stack.backup import replace as replace_database
from stack.catching_up import CaughtUp, catch_up
from stack.commands.repairing import servers_of
from stack.commands.showing import CONSOLE, DEFAULT_DATA, Data
from stack.databases import SERVICES
from stack.plan import Plan
from stack.ports import HTTP_PORT, PortPlan
from stack.postgres import Postgres
from stack.runstate import running, running_plan
from stack.status import database_urls
from stack.trouble import StackError, WrongUsageError

MOMENTS: Final = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"]


def backup(*, data: Data = DEFAULT_DATA) -> None:
    """备份运行中的数据库。Copy the databases of a running stack, and keep the log from now on."""
    plan = running_plan(data.absolute())
    made = Backup(Postgres(plan.data_dir, plan.ports.postgres))
    made.take()
    CONSOLE.print(f"已备份,此后日志持续归档  backed up, the log is kept from now on: {made.folder}")


def restore(
    service: Annotated[str, typer.Argument(help="服务  whose database")],
    *,
    until: Annotated[
        datetime | None,
        typer.Option(help="恢复到此刻,北京时间  to this moment, Shanghai time", formats=MOMENTS),
    ] = None,
    data: Data = DEFAULT_DATA,
    http_port: Annotated[int, typer.Option(help="控制台端口  port of the console")] = HTTP_PORT,
    brokers: Annotated[int, typer.Option(help="Kafka 节点数  1 or 3")] = 1,
) -> None:
    """恢复一个服务的数据库。Give a stopped service's database back as it was at a moment."""
    if service not in SERVICES:
        raise WrongUsageError(f"没有服务 {service}。", f"the services are {', '.join(SERVICES)}.")
    if running(data.absolute()):
        raise StackError("请先执行 shanhai down。", "`shanhai down` first.")
    plan = Plan(data.absolute(), PortPlan(http_port), brokers)
    with servers_of(plan) as at_work:
        moment = until.replace(tzinfo=SHANGHAI) if until else None
        kept, caught_up = asyncio.run(_restored(plan, at_work, service, moment))
    CONSOLE.print(
        f"已恢复 {service},原库保留为 {kept};续接此后发布的 {caught_up.adopted} 个事件\n"
        f"restored {service}, the old database is kept as {kept}; "
        f"{caught_up.adopted} events that it had said since are known to it again"
    )


async def _restored(
    plan: Plan, at_work: Plan, service: str, until: datetime | None
) -> tuple[str, CaughtUp]:
    server = Postgres(plan.data_dir, plan.ports.postgres)
    stored = Backup(server)
    await close_log(server)
    source = stored.recovered(until)
    try:
        kept = await replace_database(server, source, service)
    finally:
        source.stop("immediate")
        stored.clear()
    urls = database_urls(replace(at_work, services=plan.services))
    # Business time is the same everywhere, also if it was moved on since then.
    await clock.advance(urls, timedelta())
    servers = at_work.ports.kafka(at_work.brokers).bootstrap_servers
    return kept, await catch_up(service, urls[service], servers)

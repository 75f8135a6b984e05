"""`shanhai replay` and `shanhai rebuild`: what an operator does after an accident."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

import typer

from stack import background, repair
from stack.commands.showing import CONSOLE, DEFAULT_DATA, AsJson, Data, show_json, show_table
from stack.plan import Plan
from stack.ports import HTTP_PORT, PortPlan
from stack.rebuild import Rebuilt
from stack.rebuild import rebuild as rebuild_projection
from stack.runstate import running
from stack.status import database_urls
from stack.trouble import StackError, WrongUsageError


def replay(
    *,
    from_log: Annotated[
        bool, typer.Option("--from-log", help="从事件日志  from event logs")
    ] = False,
    data: Data = DEFAULT_DATA,
    http_port: Annotated[int, typer.Option(help="控制台端口  port of the console")] = HTTP_PORT,
    brokers: Annotated[int, typer.Option(help="Kafka 节点数  1 or 3")] = 1,
    as_json: AsJson = False,
) -> None:
    """Kafka 丢失后从事件日志恢复。Give an emptied Kafka its history back, best while stopped."""
    if not from_log:
        raise WrongUsageError("请指明 --from-log。", "say --from-log.")
    plan = Plan(data.absolute(), PortPlan(http_port), brokers)
    with servers_of(plan) as at_work:
        bootstrap_servers = at_work.ports.kafka(at_work.brokers).bootstrap_servers
        urls = database_urls(replace(at_work, services=plan.services))
        sent: Counter[str] = asyncio.run(repair.from_log(urls, bootstrap_servers))
    if as_json:
        show_json({"sent": sent})
        return
    show_table(("主题 topic", "补发 sent"), sorted(sent.items()))
    CONSOLE.print(f"共补发 {sent.total()} 条  {sent.total()} records sent")


def rebuild(data: Data = DEFAULT_DATA, *, as_json: AsJson = False) -> None:
    """从主题重建控制台的视图(运行中)。Build the console's projection anew, while it is in use."""
    state = running(data.absolute())
    if state is None:
        raise StackError(f"{data} 没有在运行。", f"no stack is running on {data}.")
    plan = Plan.from_json(state.plan)
    servers = plan.ports.kafka(plan.brokers).bootstrap_servers
    found: Rebuilt = asyncio.run(rebuild_projection(database_urls(plan)["console"], servers))
    if as_json:
        show_json(found.to_json())
        return
    show_table(("表 table", "已修正 mended"), sorted(found.mended.items()))
    CONSOLE.print(
        f"{found.events} 条事件,{found.seconds:.1f} 秒,每秒 {found.per_second:.0f} 条"
        f"  {found.events} events in {found.seconds:.1f} s, {found.per_second:.0f}/s"
    )


@contextmanager
def servers_of(plan: Plan) -> Iterator[Plan]:
    """Give the plan of the stack at work; when none is, start PostgreSQL and Kafka alone."""
    state = running(plan.data_dir)
    if state is not None:
        yield Plan.from_json(state.plan)
        return
    servers = replace(plan, services=())
    runner = background.start(servers, with_us=True)
    try:
        yield servers
    finally:
        background.stop(plan.data_dir)
        runner.wait()

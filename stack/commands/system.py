"""`shanhai up`, `down`, `status`, `accounts`, `token`: the stack as a whole."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from stack import background, runner
from stack.client import Client, accounts_of
from stack.commands.showing import CONSOLE, DEFAULT_DATA, AsJson, Data, show_json, show_table
from stack.demo import run as play
from stack.plan import Plan
from stack.ports import HTTP_PORT, PortPlan
from stack.runstate import running_plan
from stack.status import status as status_of
from stack.status import without_password
from stack.trouble import WrongUsageError

SetPort = Annotated[
    list[str] | None,
    typer.Option("--port", metavar="NAME=PORT", help="单独指定端口  set one port: kafka=9092"),
]
DEMO_DATA = Path(".data/demo")
_NAMES = ("console", "registry", "recruitment", "transport", "lodging", "postgres", "kafka")


def up(  # noqa: PLR0913 (the options of a command)
    *,
    data: Data = DEFAULT_DATA,
    http_port: Annotated[int, typer.Option(help="控制台端口  port of the console")] = HTTP_PORT,
    port: SetPort = None,
    brokers: Annotated[int, typer.Option(help="Kafka 节点数  1 or 3")] = 1,
    replicas: Annotated[int, typer.Option(help="每个服务的进程数  processes a service")] = 1,
    detach: Annotated[bool, typer.Option("--detach", help="后台运行  in the background")] = False,
) -> None:
    """启动整个系统。Start PostgreSQL, Kafka and every service; Ctrl-C ends them."""
    plan = Plan(data.absolute(), PortPlan(http_port, _chosen(port)), brokers, replicas)
    if detach:
        background.start(plan)
        _say_where(plan)
    else:
        runner.run(plan, ready=lambda: _say_where(plan))


def demo(
    *,
    data: Data = DEMO_DATA,
    http_port: Annotated[int, typer.Option(help="控制台端口  port of the console")] = HTTP_PORT,
    brokers: Annotated[int, typer.Option(help="Kafka 节点数  1 or 3")] = 1,
    once: Annotated[bool, typer.Option("--once", help="演示后结束  end after the report")] = False,
    report: Annotated[Path | None, typer.Option(help="报告文件  write figures as JSON")] = None,
) -> None:
    """完整演示。Play the whole journey on a folder made anew, and show what happened."""
    plan = Plan(data.absolute(), PortPlan(http_port), brokers)
    play.run(play.Wish(plan, once, report), CONSOLE)


def down(*, data: Data = DEFAULT_DATA) -> None:
    """停止系统,数据保留。Stop the system; all its state stays."""
    was_there = background.stop(data.absolute())
    CONSOLE.print("已停止  stopped" if was_there else "没有运行中的系统  nothing was running")


def status(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """查看各进程。Show every process and where it is."""
    found = status_of(data.absolute())
    if as_json:
        show_json(found)
        return
    CONSOLE.print(f"控制台 console  {found['console']}    {found['phase']}")
    CONSOLE.print(f"业务时钟 clock  +{found['clock_offset_s']} s")
    show_table(("", "进程 pid", "地址 address", "就绪 ready"), _rows(found))


def accounts(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """本地账号与密码。Show the accounts of the local stack with their passwords."""
    found = accounts_of(Plan(data.absolute()))
    if as_json:
        show_json([one.to_json() for one in found])
        return
    columns = ("账号 account", "密码 password", "类别 kind", "单位 tenant", "角色 roles")
    show_table(
        columns,
        [(a.account, a.password, a.tenant_kind, a.tenant_name, " ".join(a.roles)) for a in found],
    )


def token(
    *, account: Annotated[str, typer.Option(help="账号  its name")], data: Data = DEFAULT_DATA
) -> None:
    """获取访问令牌。Print an access token for an account, good for five minutes."""
    sys.stdout.write(asyncio.run(_token(running_plan(data.absolute()), account)) + "\n")


async def _token(plan: Plan, account: str) -> str:
    async with Client.of(plan, account) as client:
        return await client.token()


def _chosen(ports: list[str] | None) -> dict[str, int]:
    chosen = {}
    for one in ports or ():
        name, _, number = one.partition("=")
        if name not in _NAMES or not number.isdigit():
            raise WrongUsageError(
                f"--port {one} 无法识别。",
                f"--port {one}: write NAME=PORT with a name of {', '.join(_NAMES)}.",
            )
        chosen[name] = int(number)
    return chosen


def _say_where(plan: Plan) -> None:
    CONSOLE.print(f"就绪  ready: {plan.ports.url('console')}")
    CONSOLE.print(f"账号  accounts: shanhai accounts --data {_shown(plan.data_dir)}")


def _shown(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _rows(found: dict[str, Any]) -> list[tuple[object, ...]]:
    postgres, kafka = found["postgres"], found["kafka"]
    address = without_password(postgres["databases"]["registry"]).rpartition("/")[0]
    rows: list[tuple[object, ...]] = [
        (f"PostgreSQL {postgres['version']}", postgres["pid"], address, "")
    ]
    rows += [
        (f"Kafka {kafka['version']} #{one['node_id']}", one["pid"], kafka["bootstrap_servers"], "")
        for one in kafka["processes"]
    ]
    for name, service in found["services"].items():
        ready = "✓" if service["ready"] else "✗"
        rows += [(name, one["pid"], one["url"], ready) for one in service["processes"]]
    return rows

"""`shanhai roster`: a template, a check without a server, and sending a roster."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from services.registry.roster.offline import check_file
from shared.clock import SHANGHAI
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
from stack.runstate import running_plan
from stack.trouble import StackError

app = Group("花名册。Rosters: a template, a check without a server, and sending one.")
Kind = Literal["origin_roster", "new_hires"]
KindOption = Annotated[Kind, typer.Option("--kind", help="origin_roster | new_hires")]
RosterFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=".xlsx .xls .csv")]
Account = Annotated[str, typer.Option("--account", help="以谁的身份  as whom")]
UNFINISHED: Final = frozenset({"received", "validating"})
POLL_INTERVAL_S: Final = 0.3


@app.command()
def template(
    *,
    out: Annotated[Path, typer.Option(help="存为  where to")] = Path("roster-template.xlsx"),
    kind: KindOption = "origin_roster",
    account: Account = "office-lincang",
    data: Data = DEFAULT_DATA,
) -> None:
    """下载模板。Save the template to fill in."""
    out.write_bytes(asyncio.run(_template(data, account, kind)))
    CONSOLE.print(str(out))


@app.command()
def check(
    file: RosterFile,
    *,
    kind: KindOption = "origin_roster",
    division: Annotated[str, typer.Option(help="单位的行政区划  of whom it comes")] = "530900",
    as_json: AsJson = False,
) -> None:
    """本地检查。Check a roster on this machine only; exit code 1 when a row is wrong."""
    found = check_file(file, kind, division, datetime.now(SHANGHAI).date())
    _show(found, as_json=as_json)
    if found["rejected_count"]:
        raise StackError(
            f"{found['rejected_count']} 行有误。", f"{found['rejected_count']} rows are wrong."
        )


@app.command()
def submit(  # noqa: PLR0913 (the options of a command)
    file: RosterFile,
    *,
    account: Account,
    drive_id: Annotated[str | None, typer.Option(help="招聘活动  for this drive")] = None,
    kind: KindOption = "origin_roster",
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """提交花名册。Send a roster, wait until it is checked, and show what is wrong with it."""
    fields = {"kind": kind} | ({"drive_id": drive_id} if drive_id else {})
    found = asyncio.run(_submit(data, account, (file.name, file.read_bytes()), fields))
    _show(found, as_json=as_json)
    if found["state"] == "rejected":
        raise StackError("没有一行可用。", "no row could be accepted.")


async def _template(data: Data, account: str, kind: str) -> bytes:
    async with Client.of(running_plan(data.absolute()), account) as client:
        path = "/v1/roster-template.xlsx"
        answer = await client.send(Request("GET", "registry", path, params={"kind": kind}))
        return answer.content


async def _submit(
    data: Data, account: str, file: tuple[str, bytes], fields: dict[str, str]
) -> dict[str, Any]:
    async with Client.of(running_plan(data.absolute()), account) as client:
        sent = await client.send(
            Request(
                "POST",
                "registry",
                "/v1/worker-batches",
                files={"file": file},
                data=fields,
            )
        )
        path = f"/v1/worker-batches/{sent.json()['batch_id']}"
        batch = await client.get("registry", path)
        while batch["state"] in UNFINISHED:
            await asyncio.sleep(POLL_INTERVAL_S)
            batch = await client.get("registry", path)
        issues = [one async for one in client.pages("registry", f"{path}/issues")]
        return {**batch, "issues": issues}


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
    if "refused" in found:
        refused = found["refused"]
        raise StackError(str(refused["detail"]), f"the file is refused: {refused['code']}.")
    if not as_json:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    counts = ("row_count", "accepted_count", "rejected_count", "duplicate_count", "warning_count")
    CONSOLE.print("  ".join(f"{name} {found[name]}" for name in counts))
    fields = ("row", "column", "header", "code", "severity", "value_masked", "message")
    columns = ("行 row", "列", "表头 header", "代码 code", "级别", "值(掩码)", "说明")
    show_table(columns, [[one.get(name) for name in fields] for one in found["issues"]])

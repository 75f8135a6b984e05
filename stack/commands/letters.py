"""`shanhai dead-letters`: what a service could not apply, and what becomes of it."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import typer

from stack.client import Client
from stack.commands.showing import DEFAULT_DATA, AsJson, Data, Group, show_json, show_table
from stack.runstate import running_plan

app = Group("死信。Records that a service has parked.")
Letter = Annotated[UUID, typer.Argument(help="死信编号  its id")]
_ACCOUNT = "coordinator"


@app.command("list")
def list_letters(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """列出死信。List what is parked at all services, oldest first."""
    found = asyncio.run(_list(data))
    if as_json:
        show_json(found)
        return
    fields = ("dead_letter_id", "service", "topic", "reason", "event_type", "subject")
    columns = ("编号 id", "服务 service", "主题 topic", "原因 reason", "类型 type", "对象 subject")
    show_table(columns, [[one.get(name) for name in fields] for one in found])


@app.command()
def show(letter: Letter, *, data: Data = DEFAULT_DATA) -> None:
    """查看死信。Show one with its content, masked, as JSON."""
    show_json(asyncio.run(_get(data, letter)))


@app.command()
def replay(letter: Letter, *, data: Data = DEFAULT_DATA) -> None:
    """重放死信。Let it take effect, and those that wait behind it."""
    show_json(asyncio.run(_decide(data, letter, "replay", None)))


@app.command()
def discard(
    letter: Letter,
    *,
    reason: Annotated[str, typer.Option(help="原因  why, for the audit")],
    data: Data = DEFAULT_DATA,
) -> None:
    """丢弃死信。Give it up for good; later records of its subject go on."""
    show_json(asyncio.run(_decide(data, letter, "discard", {"reason": reason})))


async def _list(data: Data) -> list[dict[str, Any]]:
    async with Client.of(running_plan(data.absolute()), _ACCOUNT) as client:
        return [one async for one in client.pages("console", "/v1/dead-letters")]


async def _get(data: Data, letter: UUID) -> object:
    async with Client.of(running_plan(data.absolute()), _ACCOUNT) as client:
        found: object = await client.get("console", f"/v1/dead-letters/{letter}")
        return found


async def _decide(data: Data, letter: UUID, step: str, body: dict[str, str] | None) -> object:
    async with Client.of(running_plan(data.absolute()), _ACCOUNT) as client:
        said: object = await client.post("console", f"/v1/dead-letters/{letter}/{step}", body)
        return said

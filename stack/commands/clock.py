"""`shanhai clock`: business time of a local stack."""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from shared.clock import SHANGHAI, real_now
from stack import clock
from stack.commands.showing import CONSOLE, DEFAULT_DATA, AsJson, Data, Group, show_json
from stack.runstate import running_plan
from stack.status import database_urls

app = Group("业务时钟。Business time, which a local stack may move on.")


@app.command()
def show(*, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """当前业务时间。Show business time and how far it is ahead."""
    _show(asyncio.run(clock.offset_s(database_urls(running_plan(data.absolute())))), as_json)


@app.command()
def advance(
    duration: Annotated[str, typer.Argument(help="5d、12h、1d12h")],
    *,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """向前拨动时钟。Move business time on in every service at once."""
    by = clock.duration(duration)
    urls = database_urls(running_plan(data.absolute()))
    _show(asyncio.run(clock.advance(urls, by)), as_json)


def _show(offset_s: int, as_json: bool) -> None:  # noqa: FBT001 (what the option said)
    now = (real_now() + timedelta(seconds=offset_s)).astimezone(SHANGHAI)
    if as_json:
        show_json({"clock_offset_s": offset_s, "business_now": now.isoformat(timespec="seconds")})
    else:
        CONSOLE.print(f"{now:%Y-%m-%d %H:%M:%S} (+{timedelta(seconds=offset_s)})")

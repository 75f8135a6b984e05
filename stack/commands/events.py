"""`shanhai events tail`: the topics as they grow."""

import asyncio
import base64
import json
import sys
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from aiokafka import ConsumerRecord

from stack.commands.showing import CONSOLE, DEFAULT_DATA, Data, Group
from stack.databases import SERVICES
from stack.reading import following, records
from stack.runstate import running_plan
from stack.trouble import WrongUsageError

app = Group("事件流。The events that services tell each other.")


@app.callback()
def _group() -> None: ...


@app.command()
def tail(
    *,
    service: Annotated[list[str] | None, typer.Option(help="只看该服务  of this service")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="从头  also the past")] = False,
    follow: Annotated[bool, typer.Option(help="持续  go on as they come")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="每行一条  a JSON object a line")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """跟踪事件。Print events as they come, until Ctrl-C; `--no-follow` ends with the last."""
    unknown = set(service or ()) - set(SERVICES)
    if unknown:
        raise WrongUsageError(f"没有服务 {unknown}。", f"the services are {', '.join(SERVICES)}.")
    topics = [f"{name}.events" for name in service or SERVICES]
    try:
        asyncio.run(_tail(data, topics, _Wish(from_start, follow, as_json)))
    except KeyboardInterrupt:
        return


@dataclass(frozen=True)
class _Wish:
    from_start: bool
    follow: bool
    as_json: bool


async def _tail(data: Data, topics: list[str], wish: _Wish) -> None:
    plan = running_plan(data.absolute())
    servers = plan.ports.kafka(plan.brokers).bootstrap_servers
    source = (
        following(servers, topics, from_start=wish.from_start)
        if wish.follow
        else records(servers, topics)
    )
    async with aclosing(source) as found:
        async for record in found:
            _print(record, as_json=wish.as_json)


def _print(record: ConsumerRecord, *, as_json: bool) -> None:
    headers = {name: _text(value) for name, value in record.headers}
    if as_json:
        said = {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": _text(record.key),
            "headers": headers,
            "body": _body(record.value),
        }
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        return
    CONSOLE.print(
        f"{headers.get('ce_time', '')}  {headers.get('ce_type', record.topic)}  "
        f"{headers.get('ce_subject', '')} #{headers.get('ce_sequence', '')}",
        highlight=False,
        markup=False,
    )


def _text(value: bytes | None) -> str | None:
    """Give bytes as text; what is no UTF-8 in base64."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def _body(value: bytes | None) -> Any:  # noqa: ANN401 (whatever the record holds)
    try:
        return json.loads(value or b"null")
    except ValueError:
        return _text(value)

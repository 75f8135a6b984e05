"""What a running stack looks like from outside: the figures of `shanhai status`."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stack import clock
from stack.databases import KEY_STORE
from stack.kafka import VERSION
from stack.plan import Plan
from stack.postgres import Postgres, server_version
from stack.runstate import RunState, running
from stack.services import is_ready
from stack.trouble import StackError


def status(data_dir: Path) -> dict[str, Any]:
    """Give the state of the stack on a data folder; raises `StackError` when none runs."""
    state = running(data_dir)
    if state is None:
        raise StackError(
            f"数据目录 {data_dir} 上没有运行中的系统。", f"no stack runs on {data_dir}."
        )
    plan = Plan.from_json(state.plan)
    urls = database_urls(plan)
    return {
        "data_dir": str(plan.data_dir),
        "phase": state.phase,
        "console": plan.ports.url("console"),
        "clock_offset_s": asyncio.run(clock.offset_s(urls)),
        "runner": {"pid": state.pid},
        "kafka": {
            "bootstrap_servers": plan.ports.kafka(plan.brokers).bootstrap_servers,
            "version": VERSION,
            "processes": _brokers(state),
        },
        "postgres": {
            "version": server_version(),
            "pid": state.processes.get("postgres"),
            "databases": urls,
            "key_store": superuser_url(plan, KEY_STORE),
        },
        "services": {name: _service(plan, state, name) for name in plan.services},
    }


def superuser_url(plan: Plan, dbname: str) -> str:
    """Give the connection string of the local superuser for a database."""
    return Postgres(plan.data_dir, plan.ports.postgres).superuser_url(dbname)


def database_urls(plan: Plan) -> dict[str, str]:
    """Give service -> the local superuser's connection string for its database."""
    return {name: superuser_url(plan, name) for name in plan.services}


def _brokers(state: RunState) -> list[dict[str, int]]:
    return [
        {"node_id": int(name.removeprefix("kafka-")), "pid": pid}
        for name, pid in sorted(state.processes.items())
        if name.startswith("kafka-")
    ]


def _service(plan: Plan, state: RunState, name: str) -> dict[str, Any]:
    processes = [
        {
            "pid": state.processes.get(f"{name}-{replica}"),
            "role": "all",
            "url": f"http://127.0.0.1:{plan.ports.service(name, replica)}",
        }
        for replica in range(1, plan.replicas + 1)
    ]
    ready = all(one["pid"] is not None and is_ready(str(one["url"])) for one in processes)
    return {"url": plan.ports.url(name), "ready": ready, "processes": processes}


def without_password(url: str) -> str:
    """Give a connection string as one may show it to somebody who looks over a shoulder."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()

"""Runs a stack whose services are started by `tests.chaos.entry`, and which has a witness."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import asyncpg

from stack import runner, watched
from stack.environment import Databases
from stack.plan import Plan
from stack.postgres import Postgres
from stack.services import ServiceProcess
from stack.trouble import StackError

#: Who dies for the tenth time is started again as soon as after the third: storms are short.
LONGEST_PAUSE_S = 0.5
SWITCHES = tuple(sys.argv[1:-1])
#: The folder in the data folder whose files name what must not be started.
HELD = "held"
_TABLE = """
CREATE TABLE IF NOT EXISTS witness (
    n bigserial PRIMARY KEY, event_id uuid NOT NULL, source text NOT NULL, subject text NOT NULL,
    sequence bigint NOT NULL
);
GRANT INSERT ON witness TO {0}_worker; GRANT USAGE ON witness_n_seq TO {0}_worker;
"""
_provision = runner._provisioned


def provisioned(superuser_url: str, services: Sequence[str]) -> Databases:
    """Make the databases, and in each the table that the consumers write their effects down in."""
    found = _provision(superuser_url, services)
    asyncio.run(_add_witness(superuser_url, services))
    return found


async def _add_witness(superuser_url: str, services: Sequence[str]) -> None:
    for service in services:
        conn = await asyncpg.connect(superuser_url, database=service)
        try:
            await conn.execute(_TABLE.format(service))
        finally:
            await conn.close()


def _hold(launch: Callable[[Postgres], None], data_dir: Path) -> Callable[[Postgres], None]:
    """Let PostgreSQL not be started while a file says so."""

    def launch_unless_held(server: Postgres) -> None:
        if (data_dir / HELD / "postgres").exists():
            raise StackError("PostgreSQL 暂不启动", "PostgreSQL is not to start now")
        launch(server)

    return launch_unless_held


def _program(process: ServiceProcess) -> Sequence[str]:
    return ("tests.chaos.entry", process.service, *SWITCHES)


if __name__ == "__main__":
    aim = Plan.from_json(sys.argv[-1]).data_dir / "aim"
    aim.mkdir(parents=True, exist_ok=True)
    os.environ["SHANHAI_AIM"] = str(aim)
    runner._provisioned = provisioned
    Postgres.launch = _hold(Postgres.launch, aim.parent)  # type: ignore[method-assign,assignment]
    watched.LONGEST_PAUSE_S = LONGEST_PAUSE_S  # type: ignore[misc]
    ServiceProcess.program = property(_program)  # type: ignore[assignment,method-assign]
    runner.main()

"""Runs a stack whose services are started by `tests.chaos.entry`, and which has a witness."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import asyncpg

from stack import runner, services, watched
from stack.environment import Databases, environment
from stack.kafka import Kafka
from stack.plan import Plan
from stack.postgres import Postgres
from stack.services import ServiceProcess
from stack.trouble import StackError
from tests.chaos import lines

#: Who dies for the tenth time is started again as soon as after the third: storms are short.
LONGEST_PAUSE_S = 0.5
#: With it all ways of the services lead over lines that can break (`tests.chaos.lines`).
LINES = "lines"
SWITCHES = tuple(word for word in sys.argv[1:-1] if word != LINES)
#: The folder in the data folder whose files name what must not be started.
HELD = "held"
#: The folder whose files name services that are of the later release (`tests.chaos.tomorrow`).
NEXT = "next"
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


def _over_lines(plan: Plan, databases: Databases, service: str, replica: int = 1) -> dict[str, str]:
    env = environment(plan, databases, service, replica)
    return lines.environment_over_lines(plan, service, env)


def _lead_over_lines(plan: Plan) -> None:
    write = Kafka._write_settings

    def write_both(kafka: Kafka, node: int, folder: Path) -> Path:
        path = write(kafka, node, folder)
        with path.open("a", encoding="utf-8") as file:
            file.write(lines.broker_settings(plan, node))
        return path

    services.environment = _over_lines
    Kafka._write_settings = write_both  # type: ignore[method-assign]


if __name__ == "__main__":
    aim = Plan.from_json(sys.argv[-1]).data_dir / "aim"
    aim.mkdir(parents=True, exist_ok=True)
    os.environ["SHANHAI_AIM"] = str(aim)
    runner._provisioned = provisioned
    Postgres.launch = _hold(Postgres.launch, aim.parent)  # type: ignore[method-assign,assignment]
    watched.LONGEST_PAUSE_S = LONGEST_PAUSE_S  # type: ignore[misc]
    if LINES in sys.argv:
        _lead_over_lines(Plan.from_json(sys.argv[-1]))
    ServiceProcess.program = property(_program)  # type: ignore[assignment,method-assign]
    runner.main()

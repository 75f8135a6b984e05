"""The command line: what it prints, and its exit codes 0, 1 and 2."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from stack import invariants
from stack.demo.quiet import wait_quiet
from stack.demo.rosters import ROSTERS, content
from stack.invariants.databases import QUERIES
from stack.plan import Plan
from stack.status import superuser_url
from tests.support.stack import People, people, stack

__all__ = ["people", "stack"]

# It starts the whole system.
pytestmark = pytest.mark.e2e


def shanhai(*words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "stack.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def told(plan: Plan, *words: str) -> Any:
    code, out, err = shanhai(*words, "--data", str(plan.data_dir), "--json")
    assert code == 0, err
    return json.loads(out)


def test_without_a_stack_a_command_fails_with_a_sentence(tmp_path: Path) -> None:
    code, out, err = shanhai("status", "--data", str(tmp_path))
    assert (code, out) == (1, "")
    assert "没有运行中的系统" in err
    assert "no stack runs" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "words",
    [
        ("up", "--brokers", "2"),
        ("up", "--nonsense"),
        ("clock", "advance", "tomorrow"),
        ("up", "--port", "kafka"),
        ("journeys", "list", "--state", "asleep"),
        ("nonsense",),
    ],
)
def test_wrong_usage_is_exit_code_2(words: tuple[str, ...]) -> None:
    assert shanhai(*words)[0] == 2


def test_status_names_the_jvm_of_kafka_and_a_real_postgresql(stack: Plan) -> None:
    found = told(stack, "status")
    assert set(found["services"]) == {"registry", "recruitment", "transport", "lodging", "console"}
    assert all(service["ready"] for service in found["services"].values())
    (broker,) = found["kafka"]["processes"]
    assert "kafka.Kafka" in psutil.Process(broker["pid"]).cmdline()
    assert psutil.Process(found["postgres"]["pid"]).name() == "postgres"
    assert set(found["postgres"]["databases"]) == set(found["services"])
    assert found["clock_offset_s"] >= 0


def test_accounts_are_those_that_every_local_stack_has(stack: Plan) -> None:
    found = told(stack, "accounts")
    assert [one["account"] for one in found] == [
        "office-lincang", "office-honghe", "office-fuyang", "enterprise-changxing",
        "enterprise-nanxiang", "inn-jiading", "inn-nanxiang", "coordinator", "auditor", "admin",
    ]  # fmt: skip
    keys = {"account", "password", "tenant_id", "tenant_kind", "roles", "division_code", "uscc"}
    assert all(keys | {"inn_ids"} <= set(one) for one in found)


def test_a_token_is_one_that_services_take(stack: Plan) -> None:
    code, out, _ = shanhai("token", "--account", "auditor", "--data", str(stack.data_dir))
    assert code == 0
    assert out.count(".") == 2
    assert shanhai("token", "--account", "nobody", "--data", str(stack.data_dir))[0] == 2


def test_a_roster_is_checked_without_a_server(tmp_path: Path) -> None:
    roster = ROSTERS[0]
    file = tmp_path / roster.filename
    file.write_bytes(content(roster, date(2026, 3, 2)))
    code, out, _ = shanhai("roster", "check", str(file), "--json")
    assert code == 1
    assert json.loads(out)["rejected_count"] == 10


async def test_the_invariants_hold_and_a_broken_one_is_found(stack: Plan) -> None:
    # What the console says at its first start may still be on its way.
    await wait_quiet(stack)
    assert [f for f in await invariants.check(stack) if f.broken] == []
    # A negative control: an account of nobody's, which the foreign key would refuse.
    conn = await asyncpg.connect(superuser_url(stack, "console"))
    undone = conn.transaction()
    await undone.start()
    try:
        await conn.execute("ALTER TABLE account DROP CONSTRAINT account_tenant_id_fkey")
        await conn.execute("UPDATE account SET tenant_id = gen_random_uuid()")
        assert len(await conn.fetch(QUERIES["console"]["an account is some tenant's"])) == 10
    finally:
        await undone.rollback()
        await conn.close()


async def test_dead_letters_and_journeys_are_listed(stack: Plan, people: People) -> None:
    assert isinstance(told(stack, "dead-letters", "list"), list)
    assert isinstance(told(stack, "journeys", "list"), list)

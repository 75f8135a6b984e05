"""Everything in its place: SQL, settings, broad excepts, clocks, tables with their rights."""

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT, SOURCES, calls, files, python, text, tree

SQL = re.compile(
    r"^\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+(\s+\w+)?\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+.*\sAS\s*"
    r"(NOT\s+)?(MATERIALIZED\s*)?\(|MERGE\s+INTO\s|TRUNCATE\s|CREATE\s+(TABLE|INDEX)\s|ALTER\s+TABLE\s"
    r"|LOCK\s+TABLE\s)",
    re.DOTALL,
)
#: Asks whether the connection lives; it speaks of no table.
PROBE = "SELECT 1"
SQL_PLACES = {"store", "views", "store.py", "views.py"}
MIGRATION = re.compile(r"[0-9]{4}_[a-z0-9_]+\.sql")

# Where a broad except may stand, and why.
BROAD_EXCEPTS = {
    "shared/consumer.py": "the consume edge: whatever it is, the record is parked or tried again",
    "shared/inbox.py": "the consume edge: a wave is bisected down to the record at fault",
    "shared/dead_letters.py": "the consume edge, when a parked record is fed in again",
    "shared/relay.py": "the relay's loop: the producer is thrown away on any failure",
    "shared/ticker.py": "a ticker's loop: the next round tries again",
    "shared/service.py": "a ticker's loop: the next round tries again",
    "shared/app.py": "the HTTP edge: a problem document instead of a stack trace",
    "services/registry/roster/nursery.py": "a child process: it may only answer or be silent",
}


# Loops with a query that are no loop over records, and what bounds them.
LOOPS = {
    "services/transport/handlers/boarding.py": "the trips whose grace has ended: a few an hour",
    "services/registry/handlers/erasing.py": "erasures: rare, and each destroys keys elsewhere too",
}
SLICES = re.compile(r"slices|chunks|replies")


def test_sql_stands_only_in_stores_views_and_shared() -> None:
    strays = [
        f"{path}:{node.lineno}"
        for path in python("services", "contracts")
        if not SQL_PLACES & set(path.parts)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if SQL.match(node.value) and node.value != PROBE
    ]
    assert strays == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "\n  INSERT INTO stay (x)",
        "UPDATE stay s SET x = 1",
        "WITH w AS (SELECT 1) DELETE FROM x",
        "WITH w (a, b) AS NOT MATERIALIZED (SELECT 1)",
    ],
)
def test_sql_would_be_recognised(statement: str) -> None:
    assert SQL.match(statement)
    assert not SQL.match("Select a stay with care")


def test_no_query_stands_in_a_loop_but_over_slices() -> None:
    strays = [
        (str(path), f"{query.lineno} over {ast.unparse(loop.iter)}")
        for path in python("services")
        for loop in ast.walk(tree(path))
        if isinstance(loop, ast.For | ast.AsyncFor)
        if not isinstance(loop.iter, ast.Tuple) and not SLICES.search(ast.unparse(loop.iter))
        for query in queries(loop)
    ]
    assert_only(LOOPS, strays)


def assert_only(allowed: Mapping[str, str], strays: Sequence[tuple[str, str]]) -> None:
    """Hold what was found to the exceptions: none other, and none that is needed no more."""
    assert [f"{path}:{where}" for path, where in strays if path not in allowed] == []
    assert allowed.keys() - {path for path, _ in strays} == set()


def queries(loop: ast.For | ast.AsyncFor) -> list[ast.Await]:
    return [
        node
        for part in loop.body
        for node in ast.walk(part)
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
        if ast.unparse(node.value.func).startswith("tx.")
        or any(isinstance(arg, ast.Name) and arg.id == "tx" for arg in node.value.args)
    ]


def test_a_query_in_a_loop_would_be_found() -> None:
    for text_of_loop in ("for x in xs:\n  await tx.fetch(x)", "for x in xs:\n  await find(tx, x)"):
        (loop,) = ast.parse(text_of_loop).body
        assert isinstance(loop, ast.For)
        assert len(queries(loop)) == 1


def test_a_broad_except_stands_only_at_an_edge() -> None:
    strays = [
        (str(path), str(node.lineno))
        for path in python(*SOURCES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and is_broad(node) and not ends_in_raise(node)
    ]
    assert_only(BROAD_EXCEPTS, strays)


def is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        one is None or (isinstance(one, ast.Name) and one.id in {"Exception", "BaseException"})
        for one in caught
    )


def ends_in_raise(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_settings_are_read_only_where_a_process_starts() -> None:
    strays = [
        f"{path}:{call.lineno}"
        for path in python("services", "shared")
        if path.name != "__main__.py"
        for name, call in calls(tree(path))
        if name == "Settings" or (name.endswith("Settings") and not call.args and not call.keywords)
    ]
    assert strays == []


def test_the_domain_takes_clock_chance_and_ids_as_arguments() -> None:
    told = {"now", "today", "utcnow", "time", "monotonic", "uuid4", "uuid7", "uuid1", "random"}
    strays = [
        f"{path}:{call.lineno} {name}"
        for path in python("services")
        if "domain" in path.parts or path.name == "domain.py"
        for name, call in calls(tree(path))
        if name in told and isinstance(call.func, ast.Attribute) and not call.args
        if isinstance(call.func.value, ast.Name)
        and call.func.value.id in {"datetime", "date", "time", "uuid", "random", "secrets"}
    ]
    assert strays == []


# Here a pause is what is done to the system, not a wait for it.
PAUSES = {
    "tests/chaos/storm.py": "a zombie is one that stands still for longer than its session",
    "tests/chaos/elements.py": "a line, a clock or a disk is at fault for that long",
    "tests/chaos/test_cluster.py": "all brokers are away for that long",
    "tests/chaos/test_outage.py": "PostgreSQL is away for that long",
    "tests/chaos/entry.py": "a consumer is slow before its offset, so that kills fall there",
}


def test_no_test_sleeps_but_in_a_loop_that_waits_for_a_condition() -> None:
    strays = []
    for path in python("tests"):
        waits = {
            id(call)
            for loop in ast.walk(tree(path))
            if isinstance(loop, ast.While | ast.For | ast.AsyncFor)
            for name, call in calls(loop)
            if name == "sleep"
        }
        strays += [
            (str(path), str(call.lineno))
            for name, call in calls(tree(path))
            if name == "sleep" and id(call) not in waits
        ]
    assert_only(PAUSES, strays)


def migrations() -> list[Path]:
    return [p for p in files() if p.suffix == ".sql" and p.parts[0] == "services"]


def test_migrations_are_numbered_one_after_the_other() -> None:
    for service in {path.parts[1] for path in migrations()}:
        names = [
            p.name for p in migrations() if p.parts[1] == service and p.parent.name == "migrations"
        ]
        assert all(MIGRATION.fullmatch(name) for name in names), names
        numbers = sorted(int(name[:4]) for name in names)
        assert numbers == list(range(1, len(names) + 1)), (service, names)


@pytest.mark.parametrize(
    "path", [p for p in migrations() if p.parent.name == "migrations"], ids=str
)
def test_every_table_of_a_service_is_protected(path: Path) -> None:
    sql = "\n".join(line.partition("--")[0] for line in text(path).splitlines())
    made = set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", sql))
    made -= set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)\s+PARTITION OF", sql))
    protected = set(re.findall(r"CALL protect\w*\(\s*'(\w+)'", sql))
    assert made <= protected, made - protected


def test_every_shared_module_has_its_row_in_the_readme() -> None:
    readme = (ROOT / "shared/README.md").read_text(encoding="utf-8")
    modules = {path.stem for path in python("shared") if path.stem != "__init__"}
    assert {module for module in modules if f"`{module}" not in readme} == set()


def test_every_service_says_what_it_is() -> None:
    services = {path.parts[1] for path in python("services") if len(path.parts) > 2}
    assert {s for s in services if not (ROOT / "services" / s / "README.md").is_file()} == set()


def test_a_decision_is_one_page_with_its_parts() -> None:
    decisions = [p for p in files() if p.parts[:2] == ("docs", "decisions")]
    assert decisions
    for path in decisions:
        told = text(path)
        assert re.fullmatch(r"[0-9]{4}-[a-z0-9-]+\.md", path.name)
        assert len(told.splitlines()) <= 60, path
        for part in ("## Context", "## Decision", "## Consequences", "## Alternatives"):
            assert part in told, (path, part)

"""Migrations that come after a release keep nobody from writing, and nothing from an old version.

Old and new processes run at the same time while a release is rolled out, and a lock that is held
for longer than a moment is an outage. What is here at the first release may do as it likes.
"""

import re
from pathlib import Path

import pytest

from shared.migrations import ALONE, SHARED_SQL
from tests.golden.release import RELEASES

SERVICES = Path("services")
#: The promise of whoever writes it that no released version uses this any more.
UNUSED = "-- unused since"
_VOLATILE = r"random|clock_timestamp|timeofday|nextval|uuid"
_REFUSED = {
    r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)": "an index is built CONCURRENTLY, in a file alone",
    r"DROP INDEX (?!CONCURRENTLY)": "an index is dropped CONCURRENTLY, in a file alone",
    r"REINDEX (?!.*CONCURRENTLY)": "an index is built anew CONCURRENTLY",
    rf"ADD (COLUMN )?.*DEFAULT [^,]*({_VOLATILE})": "a default that differs by row rewrites all",
    r"ADD (COLUMN )?.*(GENERATED ALWAYS|\b(BIG|SMALL)?SERIAL\b)": "it rewrites all rows",
    r"ALTER (COLUMN )?\w+ (SET DATA )?TYPE": "another type rewrites all rows",
    r"ALTER (COLUMN )?\w+ SET NOT NULL": "it reads all rows: check NOT VALID first, then validate",
    r"ADD (CONSTRAINT \w+ )?(CHECK|FOREIGN KEY|REFERENCES)(?!.*NOT VALID)": "it reads all rows",
    r"ADD (CONSTRAINT \w+ )?(UNIQUE|PRIMARY KEY)(?!.*USING INDEX)": "it builds an index",
    r"ADD (CONSTRAINT \w+ )?EXCLUDE": "it builds an index: make a new table",
    r"^(VACUUM|CLUSTER|LOCK|TRUNCATE)": "nobody else gets in meanwhile",
    r"^(UPDATE|DELETE)(?!.* WHERE )": "rows are changed in portions, by a ticker",
}
_BREAKING = r"DROP (TABLE|COLUMN|FUNCTION|PROCEDURE)|\bRENAME\b"


def migrations() -> list[Path]:
    return sorted([*SHARED_SQL.glob("*.sql"), *SERVICES.glob("*/migrations/*.sql")])


def name_of(path: Path) -> str:
    return f"{'shared' if path.parent.name == 'sql' else path.parent.parent.name}/{path.name}"


def objections(sql: str) -> list[str]:
    """Say what in a migration writers would wait for, or an old version would miss."""
    code = re.sub(r"--[^\n]*", "", sql)
    made = set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", code, re.IGNORECASE))
    found = []
    for one in code.split(";"):
        statement = " ".join(one.split())
        refused = [why for what, why in _REFUSED.items() if _has(what, statement)]
        found += [] if _about(statement) in made else refused
        if _has(_BREAKING, statement) and UNUSED not in sql:
            found.append(f"an old version may use it: {UNUSED} <version>, if none does")
    if "CONCURRENTLY" in code.upper() and not sql.startswith(ALONE):
        found.append(f"the file opens with {ALONE}")
    return found


def _about(statement: str) -> str:
    about = re.search(r"(?:ALTER TABLE|INDEX.* ON)(?: ONLY)? (\w+)", statement, re.IGNORECASE)
    return about.group(1) if about else ""


def _has(what: str, statement: str) -> bool:
    return re.search(what, statement, re.IGNORECASE) is not None


def test_no_migration_after_a_release_makes_writers_wait() -> None:
    released = RELEASES[0].migrations()
    later = [path for path in migrations() if name_of(path) not in released]
    found = {name_of(path): objections(path.read_text("utf-8")) for path in later}
    assert {name: said for name, said in found.items() if said} == {}


def test_no_released_migration_is_gone() -> None:
    there = {name_of(path) for path in migrations()}
    for release in RELEASES:
        assert set(release.migrations()) <= there


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX stay_inn ON stay (inn_id);",
        "create unique index stay_inn on stay (inn_id);",
        "CREATE INDEX CONCURRENTLY stay_inn ON stay (inn_id);",
        "DROP INDEX stay_inn;",
        "ALTER TABLE stay ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();",
        "ALTER TABLE stay ADD n bigint GENERATED ALWAYS AS IDENTITY;",
        "ALTER TABLE stay ADD COLUMN n bigserial;",
        "ALTER TABLE stay ALTER COLUMN nights TYPE bigint;",
        "ALTER TABLE stay ALTER nights SET NOT NULL;",
        "ALTER TABLE stay ADD CONSTRAINT positive CHECK (nights > 0);",
        "ALTER TABLE stay\n    ADD CONSTRAINT guest FOREIGN KEY (inn_id) REFERENCES inn;",
        "ALTER TABLE stay ADD UNIQUE (inn_id);",
        "ALTER TABLE stay ADD EXCLUDE USING gist (bed_id WITH =);",
        "ALTER TABLE stay DROP COLUMN nights;",
        "ALTER TABLE stay RENAME nights TO night_count;",
        "DROP TABLE stay;",
        "UPDATE stay SET nights = 1;",
        "LOCK TABLE stay;",
        "CREATE TABLE one (a int); CREATE INDEX other ON stay (inn_id);",
    ],
)
def test_what_would_make_them_wait_is_found(sql: str) -> None:
    """The negative control."""
    assert objections(sql) != []


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE stay ADD COLUMN nights int NOT NULL DEFAULT 1, ADD COLUMN word text;",
        "ALTER TABLE stay ADD CONSTRAINT positive CHECK (nights > 0) NOT VALID;",
        "ALTER TABLE stay VALIDATE CONSTRAINT positive;",
        "CREATE TABLE one (a int); CREATE INDEX one_a ON one (a); ALTER TABLE one ADD UNIQUE (a);",
        f"{ALONE}\nDROP INDEX CONCURRENTLY IF EXISTS i;\nCREATE INDEX CONCURRENTLY i ON stay (a);",
        f"{UNUSED} 1.0\nALTER TABLE stay DROP COLUMN nights;",
        "UPDATE stay SET nights = 1 WHERE stay_id = '0';",
    ],
)
def test_what_takes_a_moment_passes(sql: str) -> None:
    assert objections(sql) == []

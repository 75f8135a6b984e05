"""What a released version said, frozen: its event log, and the rows that services made of it.

`python -m tests.golden.record 1.1` adds a version's folder at its release:
`events.json.gz` (records in the order in which they were said), `rows.json.gz` (what each service
keeps and says after hearing them), `migrations.txt` (those of the release).
"""

import gzip
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg

import services.console.consumers
import services.lodging.consumers
import services.recruitment.consumers
import services.registry.consumers
import services.transport.consumers
from shared import tenants
from shared.consumer import Intake
from shared.database import Database
from shared.handlers import Handlers
from shared.inbox import Record
from stack.topics import HEARS

HERE: Final = Path(__file__).parent
PORTION: Final = 40
#: What was made or noted during a replay is another each time.
FRESH_ID, FRESH_TIME = "<id>", "<time>"
AROUND: Final = timedelta(seconds=10)
#: What says nothing about what events came to: the plumbing's own tables, and a secret.
LEFT_OUT: Final = {
    "migration",
    "business_clock",
    "inbox",
    "command_answer",
    "event_log",
    "ticket_key",
}
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)")
_HANDLERS: Final[Mapping[str, Handlers]] = {
    "registry": services.registry.consumers.HANDLERS,
    "recruitment": services.recruitment.consumers.HANDLERS,
    "transport": services.transport.consumers.HANDLERS,
    "lodging": services.lodging.consumers.HANDLERS,
    "console": services.console.consumers.HANDLERS,
}
_BYTES: Final = "\\x"
Row = dict[str, Any]
#: A service's rows by table.
Rows = dict[str, list[Row]]


@dataclass(frozen=True)
class Release:
    """A version's folder."""

    folder: Path

    def records(self) -> list[Record]:
        """Read the log, in the order in which it was said."""
        offsets: Counter[str] = Counter()
        found = []
        for one in self._read("events.json.gz"):
            headers = [(name, value.encode()) for name, value in one["headers"].items()]
            topic = f"{one['headers']['ce_source'].strip('/')}.events"
            body = json.dumps(one["body"], ensure_ascii=False).encode()
            found.append(Record(topic, 0, offsets[topic], one["key"].encode(), headers, body))
            offsets[topic] += 1
        return found

    def rows(self) -> dict[str, Rows]:
        """Read by service what its tables held after the log."""
        return dict(self._read("rows.json.gz"))

    def migrations(self) -> list[str]:
        """Read the names of the release's migrations, as `<service>/<file>`."""
        return (self.folder / "migrations.txt").read_text("utf-8").split()

    def write(self, records: Sequence[Record], rows: Mapping[str, Rows]) -> None:
        """Write log and rows."""
        told = [
            {
                "key": (one.key or b"").decode(),
                "headers": {name: (value or b"").decode() for name, value in one.headers},
                "body": json.loads(one.body or b"null"),
            }
            for one in records
        ]
        self._write("events.json.gz", told)
        self._write("rows.json.gz", rows)

    def _read(self, name: str) -> Any:
        return json.loads(gzip.decompress((self.folder / name).read_bytes()))

    def _write(self, name: str, what: object) -> None:
        text = json.dumps(what, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        (self.folder / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


RELEASES: Final = [Release(path.parent) for path in sorted(HERE.glob("*/migrations.txt"))]


async def replay(service: str, db: Database, superuser_url: str, records: Sequence[Record]) -> Rows:
    """Let a service hear a log at the business time of its end; give what it then holds, masked."""
    now = max(dict(one.headers)["ce_time"] or b"" for one in records).decode()
    began = datetime.now(UTC)
    conn = await asyncpg.connect(superuser_url)
    try:
        await conn.execute(
            "CREATE OR REPLACE FUNCTION business_now() RETURNS timestamptz LANGUAGE sql STABLE"
            f" AS $$ SELECT timestamptz '{now}' $$"
        )
        handlers = Handlers(service)
        handlers.merge(_HANDLERS[service])
        if service != "console":
            handlers.merge(tenants.HANDLERS)
        intake = Intake(db, handlers)
        heard = [one for one in records if one.topic.removesuffix(".events") in HEARS[service]]
        for start in range(0, len(heard), PORTION):
            await intake.take(heard[start : start + PORTION])
        return await _held(conn, _Mask(records, began))
    finally:
        await conn.close()


async def _held(conn: asyncpg.Connection, mask: "_Mask") -> Rows:
    tables = await conn.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"
    )
    found: Rows = {}
    for (table,) in tables:
        if table not in LEFT_OUT:
            texts = await conn.fetch(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            found[table] = sorted((mask.row(told) for (told,) in texts), key=_text)
    return {table: rows for table, rows in found.items() if rows}


class _Mask:
    """Takes out of rows what no two replays have in common: new ids, and real time."""

    def __init__(self, records: Sequence[Record], began: datetime) -> None:
        said = b"".join(part or b"" for one in records for part in (one.body, one.key))
        headers = b"".join(value or b"" for one in records for _, value in one.headers)
        text = (said + headers).decode()
        self._known = set(_UUID.findall(text))
        # The log's own times stay, however soon after it was said it is heard again.
        self._moments = {datetime.fromisoformat(found[0]) for found in _TIME.finditer(text)}
        self._from, self._to = began - AROUND, datetime.now(UTC) + AROUND

    def row(self, told: str) -> Row:
        row: Row = json.loads(told, object_hook=_readable)
        text = _UUID.sub(self._id, json.dumps(row, ensure_ascii=False))
        masked: Row = json.loads(_TIME.sub(self._time, text))
        return masked

    def _id(self, found: "re.Match[str]") -> str:
        return found[0] if found[0] in self._known else FRESH_ID

    def _time(self, found: "re.Match[str]") -> str:
        at = datetime.fromisoformat(found[0])
        is_fresh = at not in self._moments and self._from < at < self._to
        return FRESH_TIME if is_fresh else found[0]


def _readable(row: Row) -> Row:
    """Give bytes as the text that they are, and leave out in which slot a new id falls."""
    texts = {
        name: bytes.fromhex(value[2:]).decode(errors="backslashreplace")
        for name, value in row.items()
        if str(value).startswith(_BYTES)
    }
    return {k: v for k, v in (row | texts).items() if k != "slot"}


def changes(before: Rows, after: Rows) -> list[str]:
    """Say what is no longer as it was; tables and columns that came later are no change."""
    found = []
    for table, rows in before.items():
        columns = {name for row in rows for name in row}
        kept = [{k: v for k, v in row.items() if k in columns} for row in after.get(table, [])]
        old, new = _counted(rows), _counted(kept)
        found += [f"{table} lacks {row}" for row in (old - new).elements()]
        found += [f"{table} has {row}" for row in (new - old).elements()]
    return found


def _counted(rows: Sequence[Row]) -> Counter[str]:
    return Counter(map(_text, rows))


def _text(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True)

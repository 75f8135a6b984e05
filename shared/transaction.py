"""One open transaction: state, business time, and what is to be said when it commits."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from contracts import OWNER_TENANT_ID, Envelope, Event
from shared import outbox
from shared.clock import civil_date, real_now
from shared.ids import Ids

if TYPE_CHECKING:
    import asyncpg

# So many events are worth a table of their own.
ASIDE_MIN: Final = 1_000
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Cause(Protocol):
    """What made us speak: anything with the envelope of an event that was heard."""

    @property
    def envelope(self) -> Envelope:
        """The envelope of the event that was heard."""


class Tx:
    """An open transaction of one service; commit happens at the edge only.

    `now` is business time (UTC), read once; `today` its civil date in Asia/Shanghai. `command_id`
    names the command that caused the transaction: the causation of what has no other cause.
    """

    def __init__(
        self,
        conn: "asyncpg.Connection",
        service: str,
        now: datetime,
        ids: Ids,
        answer_timeout_s: float | None = None,
    ) -> None:
        self.conn = conn
        self.service = service
        self.now = now.astimezone(UTC)
        self.ids = ids
        self.command_id: UUID = ids.uuid7()
        self.traceparent: str | None = None
        # Behind the database's clock, the one of all replicas: later words bear a later time.
        self.clock_lag = timedelta()
        # None: the connection's own.
        self._timeout = answer_timeout_s
        self._said: list[outbox.Said] = []
        self._rows: list[outbox.Row] = []
        self._is_aside = False
        self.woken: set[str] = set()

    @property
    def today(self) -> date:
        """Business time's civil date in Asia/Shanghai."""
        return civil_date(self.now)

    def say(
        self,
        event: Event,
        *,
        tenant_id: UUID | None,
        journey_id: UUID | None = None,
        cause: Cause | None = None,
        is_first: bool = False,
    ) -> UUID:
        """Put an event into the outbox at commit; give its id.

        `tenant_id` owns the fact (None: the bureau that runs the system). The journey is the given
        one, else the cause's, else the aggregate's own id. `is_first`: this transaction has made
        the aggregate (cheaper). Raises `RecordTooLargeError` for a body that no topic takes.
        """
        body = event.to_body()
        outbox.check_size(body, event.wire_type)
        heard = cause.envelope if cause else None
        key = event.aggregate_id
        envelope = Envelope(
            id=self.ids.uuid7(),
            type=event.wire_type,
            source=f"/{self.service}",
            subject=f"{event.noun}/{key}",
            sequence=0,
            tenant_id=tenant_id or OWNER_TENANT_ID,
            correlation_id=journey_id or (heard.correlation_id if heard else None) or UUID(key),
            causation_id=heard.id if heard else self.command_id,
            time=real_now() + self.clock_lag,
            traceparent=(heard.traceparent if heard else None) or self.traceparent,
        )
        topic, headers = f"{self.service}.events", envelope.to_texts()
        said = outbox.Said(envelope.id, topic, key, envelope.subject, headers, body, is_first)
        self._said.append(said)
        return envelope.id

    def put(self, row: outbox.Row) -> None:
        """Put a finished row (a dead letter's copy) into the outbox at commit."""
        self._rows.append(row)

    def wake(self, ticker_name: str) -> None:
        """Start that ticker as soon as this transaction has committed."""
        self.woken.add(ticker_name)

    async def flush(self) -> bool:
        """Write what was said into the outbox, just before commit; tell whether there was any."""
        said, rows, is_aside = self._said, self._rows, self._is_aside
        if not (said or rows or is_aside):
            return False
        self._said, self._rows, self._is_aside = [], [], False
        await self.as_worker()
        if is_aside:
            await outbox.take_in(self.conn)
        await outbox.write(self.conn, said, rows)
        return True

    async def set_aside(self, least: int = ASIDE_MIN) -> None:
        """Let the database keep what was said so far, if it is much: memory stays flat."""
        if len(self._said) >= least:
            # What is said meanwhile waits for the next time.
            said, self._said, self._is_aside = self._said, [], True
            await self.as_worker()
            await outbox.set_aside(self.conn, said)

    async def unsay(self, subjects: Sequence[str]) -> None:
        """Take back everything said about aggregates that this transaction has made.

        Raises LookupError for one that others know.
        """
        if subjects:
            await self.set_aside(0)
            await outbox.take_back(self.conn, subjects)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what was done and said inside when it raises, nothing else; the error goes on."""
        before = [*self._said], [*self._rows], set(self.woken), self._is_aside
        try:
            async with self.conn.transaction():
                yield
        except BaseException:
            self._said, self._rows, self.woken, self._is_aside = before
            raise

    async def as_worker(self) -> None:
        """Go on with the service's own rights: effects cross tenants, row security decided."""
        await self.conn.execute(f"SET LOCAL ROLE {self.service}_worker")

    async def as_caller(self) -> None:
        """Go back to the caller's row security."""
        await self.conn.execute(f"SET LOCAL ROLE {self.service}_api")

    async def fetch(self, sql: str, *args: Any) -> list["asyncpg.Record"]:  # noqa: ANN401 (asyncpg's own)
        """Fetch all rows."""
        return await self.conn.fetch(sql, *args, timeout=self._timeout)

    async def fetchrow(self, sql: str, *args: Any) -> "asyncpg.Record | None":  # noqa: ANN401
        """Fetch one row or None."""
        return await self.conn.fetchrow(sql, *args, timeout=self._timeout)

    async def fetchval(self, sql: str, *args: Any) -> Any:  # noqa: ANN401
        """Fetch one value or None."""
        return await self.conn.fetchval(sql, *args, timeout=self._timeout)

    async def execute(self, sql: str, *args: Any) -> str:  # noqa: ANN401
        """Execute a statement; give PostgreSQL's command tag."""
        return await self.conn.execute(sql, *args, timeout=self._timeout)

    async def insert(
        self,
        table: str,
        columns: Mapping[str, str],
        records: Iterable[Sequence[object]],
        same: Mapping[str, object] = _NOTHING,
    ) -> None:
        """Insert records that cannot conflict by one statement: row security forbids COPY.

        `columns` maps the records' columns, in their order, to types; `same` are columns with one
        value in all of them.
        """
        values = zip(*records, strict=True)
        lists = [
            [_array(v) for v in column] if kind.endswith("[]") else column
            for kind, column in zip(columns.values(), values, strict=False)
        ]
        if lists:
            sql = _insert(table, tuple(columns.items()), tuple(same))
            await self.conn.execute(sql, *lists, *same.values(), timeout=self._timeout)


@cache
def _insert(table: str, columns: tuple[tuple[str, str], ...], same: tuple[str, ...]) -> str:
    # Arrays of arrays would be flattened by unnest: each array comes as a text.
    texts = {name: kind for name, kind in columns if kind.endswith("[]")}
    lists = ", ".join(
        f"${i}::{'text' if name in texts else kind}[]" for i, (name, kind) in enumerate(columns, 1)
    )
    names = [name for name, _ in columns]
    chosen = [f"u.{n}::{texts[n]}" if n in texts else f"u.{n}" for n in names]
    chosen += [f"${i}" for i, _ in enumerate(same, len(columns) + 1)]
    return (
        f"INSERT INTO {table} ({', '.join((*names, *same))})"
        f" SELECT {', '.join(chosen)} FROM unnest({lists}) AS u ({', '.join(names)})"
    )


def _array(values: Any) -> str | None:  # noqa: ANN401 (a column of a record)
    """Give PostgreSQL's text of a one-dimensional array."""
    if values is None:
        return None
    quoted = (str(v).replace("\\", "\\\\").replace('"', '\\"') for v in values)
    return "{" + ",".join(f'"{q}"' for q in quoted) + "}"

"""One open transaction: state, business time, and what is to be said when it commits."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from contracts import OWNER_TENANT_ID, Envelope, Event
from shared import outbox
from shared.clock import civil_date, real_now
from shared.ids import Ids

if TYPE_CHECKING:
    import asyncpg


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

    def __init__(self, conn: "asyncpg.Connection", service: str, now: datetime, ids: Ids) -> None:
        self.conn = conn
        self.service = service
        self.now = now.astimezone(UTC)
        self.ids = ids
        self.command_id: UUID = ids.uuid7()
        self.traceparent: str | None = None
        self._said: list[outbox.Said] = []
        self._rows: list[outbox.Row] = []
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
    ) -> UUID:
        """Put an event into the outbox at commit; give its id.

        `tenant_id` owns the fact (None: the bureau that runs the system). The journey is the given
        one, else the cause's, else the aggregate's own id. Raises `RecordTooLargeError` for a body
        that no topic takes.
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
            time=real_now(),
            traceparent=(heard.traceparent if heard else None) or self.traceparent,
        )
        topic, headers = f"{self.service}.events", envelope.to_texts()
        said = outbox.Said(envelope.id, topic, key, envelope.subject, headers, body)
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
        if not (self._said or self._rows):
            return False
        await self.as_worker()
        await outbox.write(self.conn, self._said, self._rows)
        self._said, self._rows = [], []
        return True

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what was done and said inside when it raises, nothing else; the error goes on."""
        said, rows, woken = [*self._said], [*self._rows], set(self.woken)
        try:
            async with self.conn.transaction():
                yield
        except BaseException:
            self._said, self._rows, self.woken = said, rows, woken
            raise

    async def as_worker(self) -> None:
        """Go on with the service's own rights: effects cross tenants, row security decided."""
        await self.conn.execute(f"SET LOCAL ROLE {self.service}_worker")

    async def as_caller(self) -> None:
        """Go back to the caller's row security."""
        await self.conn.execute(f"SET LOCAL ROLE {self.service}_api")

    async def fetch(self, sql: str, *args: Any) -> list["asyncpg.Record"]:  # noqa: ANN401 (asyncpg's own)
        """Fetch all rows."""
        return await self.conn.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> "asyncpg.Record | None":  # noqa: ANN401
        """Fetch one row or None."""
        return await self.conn.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:  # noqa: ANN401
        """Fetch one value or None."""
        return await self.conn.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:  # noqa: ANN401
        """Execute a statement; give PostgreSQL's command tag."""
        return await self.conn.execute(sql, *args)

    async def copy(
        self, table: str, columns: Sequence[str], records: Iterable[Sequence[object]]
    ) -> None:
        """Insert many rows in one go, for rows that cannot conflict; row security forbids COPY."""
        places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        await self.conn.executemany(sql, records)

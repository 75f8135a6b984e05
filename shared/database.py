"""A service's database: a pool, and transactions in one of the service's two roles."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, Self

import asyncpg
from pydantic_core import from_json, to_json

from shared.clock import real_now
from shared.ids import Ids
from shared.transaction import Tx

if TYPE_CHECKING:
    from shared.identity import Identity

Role = Literal["api", "worker"]

CONNECT_TIMEOUT_S = 2.5
# A caller's statement that runs longer has gone wrong; batches of the worker may take their time.
API_STATEMENT_TIMEOUT_MS = 20_000
# The server ends a caller's statement before: who hears nothing for so long has a line that hangs.
ANSWER_TIMEOUT_S = 22.0
WORKER_ANSWER_TIMEOUT_S = 60.0
# Who is gone without a word (a cut cable, a host that lost its power) is given up after about 10 s.
_LINE_OPTIONS = {
    "SO_KEEPALIVE": (socket.SOL_SOCKET, 1),
    "TCP_KEEPIDLE": (socket.IPPROTO_TCP, 4),
    "TCP_KEEPINTVL": (socket.IPPROTO_TCP, 2),
    "TCP_KEEPCNT": (socket.IPPROTO_TCP, 3),
    "TCP_USER_TIMEOUT": (socket.IPPROTO_TCP, 10_000),
}
# The same at the server's end, whose default is two hours: so long a dead host's locks would stay.
_SERVER_LINE_OPTIONS = {
    "tcp_keepalives_idle": "4",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
#: `LISTEN outbox`: something was said; `LISTEN ticker`: the payload is the name of one that is due.
OUTBOX_CHANNEL = "outbox"
TICKER_CHANNEL = "ticker"
# NOTIFY in each transaction costs 40 % of the inserts; a relay once woken polls for longer.
NOTIFY_INTERVAL_S = 0.05

_SET_IDENTITY = """
SELECT set_config('app.tenant_id', $1, true), set_config('app.account_id', $2, true),
       set_config('app.tenant_kind', $3, true), set_config('app.roles', $4, true),
       set_config('app.division_code', $5, true), set_config('app.inn_ids', $6, true),
       business_now() AS now, clock_timestamp() AS real_now
"""
_NOW = "SELECT business_now() AS now, clock_timestamp() AS real_now"

# Another process may have the number by now: only one of ours is ended, who then connects anew.
_END_ORPHANS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = ANY($1::int[]) AND pid <> pg_backend_pid() AND usename = session_user
  AND application_name = current_setting('application_name')
"""

_NOTIFY = (
    "SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) u(channel, payload)"
)


class Database:
    """Connections to one service's database; every use is a transaction in a role."""

    def __init__(self, pool: "asyncpg.Pool[Any]", service: str, ids: Ids) -> None:
        self.pool = pool
        self.service = service
        self.ids = ids
        self._notified_at = 0.0
        # The server's processes behind connections that were given up.
        self._orphans: set[int] = set()

    @classmethod
    async def open(cls, url: str, *, service: str, size: int = 10, ids: Ids | None = None) -> Self:
        """Open a pool of at most `size` connections; none is made before it is needed.

        So a service starts without PostgreSQL, and each use raises OSError or asyncpg's errors.
        """
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=size,
            init=prepare,
            reset=nothing_to_reset,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=ANSWER_TIMEOUT_S,
            server_settings={
                "application_name": f"shanhai-{service}",
                "jit": "off",
                **_SERVER_LINE_OPTIONS,
            },
        )
        return cls(pool, service, ids or Ids())

    async def close(self) -> None:
        """Close all connections, waiting for transactions in flight."""
        await self.pool.close()

    @asynccontextmanager
    async def transaction(
        self, *, role: Role, identity: "Identity | None" = None, read_only: bool = False
    ) -> AsyncIterator[Tx]:
        """Open a transaction; commit at the end with all that was said, roll back on an exception.

        In role `api` forced row security shows what `identity` may see; `worker` sees every tenant.
        """
        async with AsyncExitStack() as stack:
            acquired = self.pool.acquire(timeout=CONNECT_TIMEOUT_S)
            conn: Any = await stack.enter_async_context(acquired)
            await self._end_orphans(conn)
            # What stands behind the proxy is asked: it is there when the proxy is gone.
            stack.callback(self._note_orphan, conn._con, conn.get_server_pid())  # noqa: SLF001
            await stack.enter_async_context(_begun(conn, read_only=read_only))
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                tx = await self._begin(conn, role, identity)
            yield tx
            await self._notify(tx, said=await tx.flush())

    @asynccontextmanager
    async def session(self) -> AsyncIterator["asyncpg.Connection"]:
        """Lend a connection in the worker role for as long as needed: session locks, LISTEN.

        It is closed at the end, so that nothing of the session outlives it.
        """
        conn: Any = await self.pool.acquire(timeout=CONNECT_TIMEOUT_S)
        line, pid = conn._con, conn.get_server_pid()  # noqa: SLF001 (as in `_begun`)
        try:
            await self._end_orphans(conn)
            await conn.execute(f"SET ROLE {self.service}_worker")
            yield conn
        except Exception:
            self._orphans.add(pid)
            raise
        finally:
            line.terminate()
            await self.pool.release(conn)

    def _note_orphan(self, conn: "asyncpg.Connection", pid: int) -> None:
        if conn.is_closed():
            self._orphans.add(pid)

    async def _end_orphans(self, conn: Any) -> None:  # noqa: ANN401
        """End what a line that fell silent left at the server: its locks would stand in our way."""
        if self._orphans:
            orphans, self._orphans = self._orphans, set()
            try:
                await conn.execute(_END_ORPHANS, [*orphans], timeout=CONNECT_TIMEOUT_S)
            except BaseException:
                self._orphans |= orphans
                raise

    async def _notify(self, tx: Tx, *, said: bool) -> None:
        notices = [(TICKER_CHANNEL, name) for name in sorted(tx.woken)]
        if said and time.monotonic() - self._notified_at > NOTIFY_INTERVAL_S:
            self._notified_at = time.monotonic()
            notices.append((OUTBOX_CHANNEL, ""))
        if notices:
            channels, payloads = zip(*notices, strict=True)
            await tx.execute(_NOTIFY, channels, payloads)

    async def _begin(self, conn: Any, role: Role, identity: "Identity | None") -> Tx:  # noqa: ANN401
        await conn.execute(f"SET LOCAL ROLE {self.service}_{role}")
        if identity is None:
            timeout, row = WORKER_ANSWER_TIMEOUT_S, await conn.fetchrow(_NOW)
        else:
            await conn.execute(f"SET LOCAL statement_timeout = {API_STATEMENT_TIMEOUT_MS}")
            timeout, row = None, await conn.fetchrow(
                _SET_IDENTITY, str(identity.tenant_id), str(identity.account_id),
                identity.tenant_kind, ",".join(sorted(identity.roles)),
                identity.division_code or "", ",".join(str(i) for i in identity.inn_ids),
            )  # fmt: skip
        tx = Tx(conn, self.service, row["now"], self.ids, timeout)
        tx.clock_lag = row["real_now"] - real_now()
        return tx


@asynccontextmanager
async def _begun(conn: Any, *, read_only: bool) -> AsyncIterator[None]:  # noqa: ANN401
    """Begin, and commit or roll back at the end; a line that hangs is dropped, not waited for."""
    # The proxy is empty as soon as the connection is closed, by the kernel or by the server.
    line, transaction = conn._con, conn.transaction(readonly=read_only)  # noqa: SLF001
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await transaction.start()
        try:
            yield
        except TimeoutError:
            raise
        except BaseException:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await transaction.rollback()
            except (asyncpg.InterfaceError, asyncpg.InternalClientError):
                # The server is at its end: it rolls back by itself, and the first error says why.
                line.terminate()
            raise
        await transaction.commit()
    except TimeoutError:
        # Waiting for the server to take the cancellation would hang as well.
        line.terminate()
        raise


async def prepare(conn: Any) -> None:  # noqa: ANN401 (asyncpg gives a proxy here)
    """Let a new line notice a dead end, and teach it our types: jsonb is a Python object."""
    line = conn._transport.get_extra_info("socket")  # noqa: SLF001 (nothing public has it)
    if line.family != socket.AF_UNIX:
        for name, (level, value) in _LINE_OPTIONS.items():
            # Not every system has all of them.
            if option := getattr(socket, name, None):
                line.setsockopt(level, option, value)
    await conn.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )


async def nothing_to_reset(_: object) -> None:
    """Save a statement each time: what we set is set LOCAL, and a session is closed."""


def _to_jsonb(value: object) -> bytes:
    # The first byte is the version of jsonb's binary form.
    return b"\x01" + to_json(value)


def _from_jsonb(data: bytes) -> object:
    return from_json(data[1:])

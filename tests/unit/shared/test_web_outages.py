"""What is said of a connection that broke is an outage: 503 for a caller, no record's fault."""

import asyncpg
import pytest

from shared.inbox import trouble_of
from shared.problem import refusal

BROKEN = [
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
    asyncpg.InterfaceError(
        "cannot call Connection.fetch(): connection has been released back to the pool"
    ),
    asyncpg.InternalServerError('could not extend file "base/1/2": File too large'),
    asyncpg.DataCorruptedError("could not read block 7"),
    TimeoutError("the line is silent"),
]


@pytest.mark.parametrize("error", BROKEN, ids=str)
def test_a_broken_connection_or_disk_is_told_to_come_again_and_parks_nothing(
    error: Exception,
) -> None:
    assert refusal(error).status == 503
    assert trouble_of(error) is None


def test_a_client_that_was_asked_wrongly_is_our_own_fault() -> None:
    error = asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed")
    assert refusal(error).status == 500
    assert trouble_of(error) is not None

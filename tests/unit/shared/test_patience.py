"""An outage of many hours: whoever tries again and again still does when it is over."""

import asyncio

import pytest

from shared import ticker
from shared.ticker import Ticker, Tickers
from shared.transaction import Tx
from stack.trouble import StackError
from stack.watched import LONGEST_PAUSE_S, Watched

#: A ticker fails as often in ten hours, a process that can't be started in four.
FAILURES = 1_200


class Failing(Tickers):
    """Tickers without a database, whose first tries all fail."""

    tries = 0

    async def _once(self, ticker: Ticker) -> int:
        self.tries += 1
        if self.tries <= FAILURES:
            raise OSError
        await self.stop()
        return 0


async def _nothing(_: Tx) -> int:
    return 0


async def test_a_ticker_outlives_any_number_of_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticker, "RETRY_DELAY_S_MAX", 0.0)
    one = Ticker("one", 1e-9, _nothing)
    told: list[str] = []
    tickers = Failing(None, [one], lambda _, result: told.append(result))  # type: ignore[arg-type]
    await asyncio.wait_for(tickers._repeat(one), 60)
    assert told == ["failed"] * FAILURES


def test_what_cannot_be_started_for_hours_is_still_tried_again() -> None:
    def refuse() -> None:
        raise StackError("磁盘已满", "the disk is full")

    one, now = Watched("postgres", refuse, lambda: None), 100.0
    for _ in range(FAILURES):
        assert one.look(now)
        now = one.due_at or 0.0
    assert one.due_at
    one.look(one.due_at)
    assert one.due_at - now == LONGEST_PAUSE_S

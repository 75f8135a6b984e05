"""Whoever is shut out while a stream is open reads no more of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contracts import OWNER_TENANT_ID
from services.console.api import events
from services.console.handlers.tenants import revoke
from services.console.pages import live
from services.console.pages.live import Live
from services.console.pages.visit import Visit
from services.console.settings import ConsoleSettings
from services.console.store.accounts import Session
from services.console.views.events import EventFilter
from services.console.words import EN, Words
from shared.http import Call, House
from shared.identity import Identity
from shared.ids import Ids
from tests.support.http import app_client
from tests.support.postgres import ServiceDb

IDS = Ids()
Frames = AsyncIterator[bytes]


async def _stays() -> bool:
    return False


REQUEST: Any = SimpleNamespace(is_disconnected=_stays)


def on_a_page(house: House, who: Identity) -> Frames:
    visit = Visit(REQUEST, house, Session(who, "c", "bureau", "t"), Words(EN), "auto")
    return Live(visit, EventFilter(), 0).frames()


def by_a_program(house: House, who: Identity) -> Frames:
    return events._entries(Call(REQUEST, who, house), EventFilter(), None)


@pytest.mark.parametrize("opened", [on_a_page, by_a_program])
async def test_a_stream_ends_when_its_reader_is_shut_out_and_no_other(
    service_db: ServiceDb,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    opened: Callable[[House, Identity], Frames],
) -> None:
    for module in (live, events):
        monkeypatch.setattr(module, "KEEP_ALIVE_S", 0.01)
    db = await service_db("console")
    settings = ConsoleSettings.model_construct(
        signing_key_file=tmp_path / "signing.pem", local_stack=True, issuer_url="http://issuer",
        registry_url="", recruitment_url="", transport_url="", lodging_url="", seed_file=None,
    )  # fmt: skip
    mine, other = (
        Identity(IDS.uuid7(), OWNER_TENANT_ID, "bureau", frozenset({"coordinator"}))
        for _ in range(2)
    )
    async with app_client("console", db, settings=settings) as client:
        house: House = client._transport.app.state.house  # type: ignore[attr-defined]
        frames, others = opened(house, mine), opened(house, other)
        async with asyncio.timeout(60):
            for _ in range(4):
                assert await anext(frames)
                assert await anext(others)
            async with db.transaction(role="worker") as tx:
                await revoke(tx, OWNER_TENANT_ID, mine.account_id)
            # It ends, or this waits for ever.
            [_ async for _ in frames]
            assert await anext(others)

"""Follows the journeys until none is moving, and answers meanwhile what people are asked."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stack.demo.loading import Demo, batches, each
from stack.demo.quiet import wait_quiet

SETTLE_TIMEOUT_S: Final = 240.0

Show = Callable[[Counter[str]], None]


@dataclass
class Settling:
    """Waits for rest, as the office and the enterprise whose answers are waited for."""

    demo: Demo
    show: Show
    declined: bool = False

    async def wait(self) -> None:
        """Wait until every journey is known and none moves; raises `StackError` after long."""
        expected = sum(b["accepted_count"] for b in await batches(self.demo))

        async def at_rest() -> bool:
            if await self.answer():
                return False
            states = await journeys(self.demo)
            self.show(states)
            return states.total() >= expected and not (states["moving"] or states["stuck"])

        await wait_quiet(self.demo.plan, at_rest, timeout_s=SETTLE_TIMEOUT_S)

    async def answer(self) -> int:
        """Accept what is offered (declining the very first), confirm what is held; count it."""
        return await self._answer_offers() + await self._confirm_holds()

    async def anyone_moves(self) -> bool:
        """Tell whether any journey is moving."""
        page = await self.demo.coordinator.get("console", "/v1/journeys", state="moving", limit=1)
        return bool(page["items"])

    async def _answer_offers(self) -> int:
        office = self.demo.clients["office-fuyang"]
        offers = [o async for o in office.pages("recruitment", "/v1/offers", state="made")]
        for i, offer in enumerate(offers):
            decline = i == 0 and not self.declined
            self.declined = True
            path = f"/v1/offers/{offer['offer_id']}/{'decline' if decline else 'accept'}"
            await office.post("recruitment", path, {"reason": "declined"} if decline else None)
        return len(offers)

    async def _confirm_holds(self) -> int:
        client = self.demo.clients["enterprise-nanxiang"]
        stays = [s async for s in client.pages("lodging", "/v1/stays", state="held")]
        await each(stays, lambda s: client.post("lodging", f"/v1/stays/{s['stay_id']}/confirm"))
        return len(stays)


async def journeys(demo: Demo) -> Counter[str]:
    """Count all journeys by their states."""
    pages = demo.coordinator.pages("console", "/v1/journeys")
    return Counter([j["state"] async for j in pages])

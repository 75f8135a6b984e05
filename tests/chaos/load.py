"""The same load each time: rosters, claims, cancellations, a delay; its totals are known."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from stack import client
from tests.support.world import Campaign, Wanted, World

ROSTERS, ROWS = 4, 12
ASKED = 12
ACCEPTED = 8
CANCELLED = 5
LATE = 8
CAMPAIGNS = 3
#: So many loads have days of their own.
DAYS_APART = 4
EVERY_S = 0.4
Fact = dict[str, Any]


_SEND_ONCE = client.Client._send_once


async def _send_once(
    self: client.Client, request: client.Request, headers: Mapping[str, str]
) -> httpx2.Response:
    """Take "who are you" for "not now", as a browser does that signs in again: clocks go wrong."""
    answer = await _SEND_ONCE(self, request, headers)
    if answer.status_code != httpx2.codes.UNAUTHORIZED:
        return answer
    self._token_ends = 0.0
    return httpx2.Response(client.BUSY)


class Load:
    """People come, are offered jobs, answer, are cancelled and delayed; all over HTTP.

    Whoever it hits, the totals are always the same: all of a campaign want the same.
    """

    def __init__(self, world: World) -> None:
        client.Client._send_once = _send_once  # type: ignore[method-assign]
        self.world = world
        self.acknowledged = 0

    async def run(self) -> None:
        """Do everything; ends when all of it has been acknowledged."""
        world = self.world
        # Not more days than a new hire has a right to a bed in: loads share them, there are enough.
        world.rewind(len(world.campaigns) % (CAMPAIGNS * DAYS_APART))
        placed = await world.campaign(Wanted(openings=(40, 40), trips=2))
        asked = await world.campaign(
            Wanted("341200", openings=(30,), acceptance="by_office", runs_transport=False)
        )
        late = await world.campaign(Wanted("532500"))
        async with asyncio.TaskGroup() as people:
            people.create_task(self._send_rosters(placed))
            people.create_task(self._cancel_some(placed))
            people.create_task(self._answer(asked))
            people.create_task(self._delay(late))

    @staticmethod
    def totals() -> dict[str, Any]:
        """Give what comes of it: seats and beds for whoever is placed, the rest stays unplaced."""
        seated = ROSTERS * ROWS + LATE - CANCELLED
        placed = seated + ACCEPTED
        return {
            "nominated": ROSTERS * ROWS + LATE + ASKED,
            "placed": placed,
            "unplaced": {"cancelled": CANCELLED, "offered_before": ASKED - ACCEPTED},
            "unanswered": 0,
            "withdrawn": 0,
            "seated": seated,
            "waiting_for_seat": 0,
            "travelling_alone": ACCEPTED,
            "needing_bed": placed,
            "bedded": placed,
        }

    async def _roster(self, campaign: Campaign, rows: int) -> None:
        await self.world.roster(campaign, rows, form="csv", bed_share=1.0, boarding_share=1.0)
        self.acknowledged += rows

    async def _send_rosters(self, campaign: Campaign) -> None:
        for _ in range(ROSTERS):
            await self._roster(campaign, ROWS)
            await asyncio.sleep(4 * EVERY_S)

    async def _cancel_some(self, campaign: Campaign) -> None:
        """Cancel as soon as there is something to cancel: also what others haven't heard of yet."""
        done: set[str] = set()
        async for placement in self._new("recruitment", "/v1/placements", campaign, "confirmed"):
            path = f"/v1/placements/{placement['placement_id']}/cancel"
            await self.world.coordinator.post("recruitment", path, {"reason": "other"})
            done.add(placement["placement_id"])
            self.acknowledged += 1
            if len(done) == CANCELLED:
                return

    async def _answer(self, campaign: Campaign) -> None:
        """Accept most offers and decline the rest, the office's and twice: one answer counts."""
        await self._roster(campaign, ASKED)
        office, answered = self.world.people[campaign.office], 0
        async for offer in self._new("recruitment", "/v1/offers", campaign, "made"):
            answer = "accept" if answered < ACCEPTED else "decline"
            path = f"/v1/offers/{offer['offer_id']}/{answer}"
            await office.post("recruitment", path, {"reason": "declined"})
            answered += 1
            self.acknowledged += 1
            if answered == ASKED:
                return

    async def _delay(self, campaign: Campaign) -> None:
        await self._roster(campaign, LATE)
        path = f"/v1/trips/{campaign.trips[0]}/delay"
        for minutes in (30, 26 * 60):
            body = {"delay_minutes": minutes, "reason": "weather"}
            await self.world.coordinator.post("transport", path, body)
            self.acknowledged += 1
            await asyncio.sleep(EVERY_S)

    async def _new(
        self, service: str, path: str, campaign: Campaign, state: str
    ) -> AsyncIterator[Fact]:
        """Give what comes to be in this state, each once, for as long as one asks."""
        seen: set[str] = set()
        key = f"{path.rpartition('/')[2].removesuffix('s')}_id"
        while True:
            params = {"drive_id": campaign.drive_id, "state": state}
            for item in await self.world.all(service, path, **params):
                if item[key] not in seen:
                    seen.add(item[key])
                    yield item
            await asyncio.sleep(EVERY_S)

"""Boarding and check-in on a phone without a network, in a real browser on the real stack."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
import segno
from playwright.async_api import Page, Route

from services.transport.domain.ticket import Ticket
from stack import web_assets
from stack.status import database_urls
from tests.browser.conftest import DESKTOP, PHONE, Desk, Office, Town, a_chromium
from tests.browser.test_access import faults
from tests.support.world import Campaign, Wanted, eventually

DEADLINE_MS = 60_000
PASSWORD = "a long enough password"
FIRST, SECOND = "341202-00", "341221-00"
NETWORK_GONE = "ERR_INTERNET_DISCONNECTED"
# Whatever a browser keeps for this origin, as text; bytes as far as they are text.
KEPT = """async () => {
  const told = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
  const said = (value) => JSON.stringify(value, (name, part) =>
    part instanceof ArrayBuffer || ArrayBuffer.isView(part)
      ? new TextDecoder().decode(part) : part);
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((good, bad) => {
      const asked = indexedDB.open(name);
      asked.onsuccess = () => good(asked.result);
      asked.onerror = () => bad(asked.error);
    });
    for (const store of db.objectStoreNames) {
      const all = db.transaction(store).objectStore(store).getAll();
      await new Promise((good) => { all.onsuccess = good; });
      for (const one of all.result) told.push(`${name}/${store} ${said(one)}`);
    }
    db.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const asked of await cache.keys()) {
      const answer = await cache.match(asked);
      told.push(`cache ${asked.url} ${await answer.text()}`);
    }
  }
  return told;
}"""
KEY_LEAVES = """async () => {
  const db = await new Promise((good) => {
    const asked = indexedDB.open("shanhai-lists");
    asked.onsuccess = () => good(asked.result);
  });
  const all = db.transaction("list").objectStore("list").getAll();
  await new Promise((good) => { all.onsuccess = good; });
  db.close();
  return crypto.subtle.exportKey("raw", all.result[0].key).then(() => "it does", (e) => e.name);
}"""


@dataclass
class Coach:
    """A trip with its escort, its passengers' bookings, and how their tickets are signed."""

    campaign: Campaign
    trip: str
    account: str
    bookings: list[dict[str, Any]]
    key: bytes

    @property
    def names(self) -> set[str]:
        return {row["姓名"] for row in self.campaign.rows}

    def ticket(self, booking: dict[str, Any]) -> str:
        stops = booking["board_stop"], booking["alight_stop"]
        ids = UUID(booking["trip_id"]), UUID(booking["booking_id"])
        return Ticket(*ids, *stops).signed(self.key)


async def an_escort(town: Town, trip: str) -> str:
    """Add an account that may see this trip only."""
    name = f"escort-{uuid4().hex[:8]}"
    body = {"account": name, "password": PASSWORD, "roles": ["escort"]}
    made = await town.world.people["admin"].post("console", "/v1/accounts", body)
    path = f"/v1/trips/{trip}/change"
    await town.world.coordinator.post("transport", path, {"escort": made["account_id"]})
    return name


async def ticket_key(town: Town) -> bytes:
    connection = await asyncpg.connect(database_urls(town.world.plan)["transport"])
    try:
        key: bytes = await connection.fetchval("SELECT key FROM ticket_key")
        return key
    finally:
        await connection.close()


async def bookings(town: Town, trip: str) -> list[dict[str, Any]]:
    return await town.world.all("transport", "/v1/bookings", trip_id=trip)


@pytest_asyncio.fixture(scope="module")
async def coach(town: Town) -> Coach:
    """A coach with six passengers at its first stop and two at its second; nobody has boarded."""
    campaign = await town.world.campaign(Wanted("341200", openings=(10,), also=(SECOND,)))
    await town.world.roster(campaign, 8, boarding_share=1.0, bed_share=1.0)
    await town.world.settled(campaign)
    trip = campaign.trips[0]
    for booking in (await bookings(town, trip))[6:]:
        path = f"/v1/bookings/{booking['booking_id']}/change"
        await town.world.coordinator.post("transport", path, {"board_stop": SECOND})
    await town.world.rest()
    seated = sorted(await bookings(town, trip), key=lambda b: b["board_stop"] == SECOND)
    assert Counter(b["board_stop"] for b in seated) == {FIRST: 6, SECOND: 2}
    return Coach(campaign, trip, await an_escort(town, trip), seated, await ticket_key(town))


@pytest_asyncio.fixture(scope="module")
async def guests(town: Town) -> list[dict[str, Any]]:
    """Three new hires with a bed from tonight on."""
    world = town.world
    batch = await world.hires("enterprise-changxing", 3)
    await world.batch(batch)
    path = f"/v1/worker-batches/{batch}/workers"
    enterprise = world.people["enterprise-changxing"]
    workers = [w["worker_id"] async for w in enterprise.pages("registry", path)]
    body = {
        "programme": "YOUJIA", "check_in_on": str(await world.today()), "nights": 3,
        "guests": [{"worker_id": w} for w in workers], "together": False, "wait": True,
    }  # fmt: skip

    async def asked() -> bool:
        try:
            await enterprise.post("lodging", "/v1/stay-requests", body)
        except Exception as error:  # noqa: BLE001 (lodging may not have heard of them yet)
            return "404" not in str(error)
        return True

    await eventually(asked, "the beds are asked for")

    async def bedded() -> list[dict[str, Any]]:
        stays = await world.all(
            "lodging", "/v1/stays", state="confirmed", on=str(await world.today())
        )
        mine = [s for s in stays if s["worker_id"] in workers]
        return mine if len(mine) == len(workers) else []

    found: list[dict[str, Any]] = await eventually(bedded, "three guests have their beds")
    return found


async def sign_in(desk: Desk, account: str, password: str) -> None:
    await desk.page.fill("[name=account]", account)
    await desk.page.fill("[name=password]", password)
    await desk.page.click("button.primary")
    await desk.page.wait_for_selector("nav.nav")


async def take(desk: Desk, path: str) -> None:
    """Open a page and take its list along."""
    await desk.open(path)
    await desk.page.wait_for_selector("[data-ready]")
    await desk.page.click("form[data-take] button")
    await desk.page.wait_for_selector("[data-carried=yes]")


async def leave_network(desk: Desk) -> None:
    """Go where there is no network, and open the page anew there."""
    await desk.context.set_offline(True)
    await desk.page.reload()
    await desk.page.wait_for_selector("[data-link][data-state=off]")


async def come_back(desk: Desk) -> None:
    """Come back to a network, and wait until everything is told."""
    await desk.context.set_offline(False)
    await desk.page.wait_for_selector("[data-link][data-state=on]", timeout=DEADLINE_MS)
    await waits_for(desk.page, 0)


async def waits_for(page: Page, n: int) -> None:
    await page.wait_for_function(
        "n => document.querySelector('[data-waiting]').textContent === String(n)",
        arg=n, timeout=DEADLINE_MS,
    )  # fmt: skip


async def type_in(page: Page, text: str) -> None:
    await page.fill("[data-find]", text)
    await page.press("[data-find]", "Enter")


async def kept(desk: Desk) -> str:
    """Give all that the browser keeps for our origin."""
    return "\n".join(await desk.page.evaluate(KEPT))


async def noted(desk: Desk) -> list[dict[str, Any]]:
    """Give what the phone has noted and not forgotten."""
    lines = await desk.page.evaluate(KEPT)
    found = [line.partition(" ")[2] for line in lines if line.startswith("shanhai-queue/entry")]
    return [json.loads(one) for one in found]


async def shown_names(page: Page) -> list[str]:
    return [name.strip() for name in await page.locator(".people .who b").all_inner_texts()]


async def findable(page: Page, *but: str) -> tuple[str, str]:
    """Give somebody of the list whose name is nobody else's, and the name."""
    rows = await page.evaluate(
        "[...document.querySelectorAll('.people li')].map("
        "row => [row.dataset.person, row.querySelector('b').textContent.trim()])"
    )
    names = [name for _, name in rows]
    return next((i, n) for i, n in rows if i not in but and sum(n in m for m in names) == 1)


async def names_kept(desk: Desk, names: set[str]) -> set[str]:
    """Give the names that stand in clear in what the browser keeps."""
    found = await kept(desk)
    return {name for name in names if name in found}


async def list_is_kept(desk: Desk) -> bool:
    return "shanhai-lists/list" in await kept(desk)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def at_peace(desk: Desk) -> None:
    """Leave only complaints that aren't about the network that we took away."""
    desk.complaints[:] = [one for one in desk.complaints if NETWORK_GONE not in one]


async def board_by_hand(desk: Desk, town: Town, coach: Coach) -> None:
    """Board one by ticket and one by name, try a ticket twice and one of another coach."""
    page = desk.page
    first = coach.bookings[0]
    await type_in(page, coach.ticket(first))
    await waits_for(page, 1)
    await type_in(page, coach.ticket(first))
    assert "已核验过" in await page.inner_text("[data-said]")
    elsewhere = (await bookings(town, town.placed.trips[0]))[0]
    await type_in(page, coach.ticket(elsewhere))
    assert "不是这一班的票" in await page.inner_text("[data-said]")
    await waits_for(page, 2)
    _, name = await findable(page, first["booking_id"])
    # By keyboard alone: the name, Enter, and Enter on the button that it leads to.
    await type_in(page, name)
    await page.keyboard.press("Enter")
    await waits_for(page, 3)
    assert await page.input_value("[data-find]") == ""


async def board_all_but_one(desk: Desk) -> str:
    """Tick one as absent, board all others, and finish the stop; give who was left out."""
    page = desk.page
    absent = page.locator(".people li", has=page.locator("[data-absent]:visible")).first
    left_out = await absent.get_attribute("data-person")
    await absent.locator("[data-absent]").check()
    await page.click("[data-board-all]")
    await waits_for(page, 6)
    await page.click("[data-stop-done]")
    await waits_for(page, 7)
    assert left_out
    return left_out


async def board_second_stop(desk: Desk, coach: Coach, first: list[str]) -> None:
    """Go on to the second stop, where the page then opens by itself, and board who is there."""
    page = desk.page
    assert await page.input_value("[data-stop]") == FIRST
    await page.reload()
    await page.wait_for_selector("[data-ready]")
    assert await page.input_value("[data-stop]") == SECOND
    names = await shown_names(page)
    assert len(names) == 2
    assert set(names).isdisjoint(first)
    # A ticket says who it is, wherever it is shown.
    await type_in(page, coach.ticket(coach.bookings[-1]))
    await waits_for(page, 8)
    await page.click("[data-board-all]")
    await waits_for(page, 9)
    await page.click("[data-stop-done]")
    await waits_for(page, 10)


async def test_a_coach_is_boarded_without_a_network_and_told_later(
    desks: Office, town: Town, coach: Coach
) -> None:
    """INVARIANT: what was noted without a network counts once, with the time it was noted."""
    async with desks.of(None, PHONE) as desk:
        page = desk.page
        await sign_in(desk, coach.account, PASSWORD)
        await take(desk, f"/trips/{coach.trip}/boarding")
        names = await shown_names(page)
        assert set(names) <= coach.names
        assert len(names) == 6
        assert await page.evaluate(KEY_LEAVES) == "InvalidAccessError"

        await leave_network(desk)
        assert await shown_names(page) == names
        await board_by_hand(desk, town, coach)
        left_out = await board_all_but_one(desk)
        await board_second_stop(desk, coach, names)
        assert not any(b["boarded_at"] for b in await bookings(town, coach.trip))
        assert await names_kept(desk, coach.names) == set()
        assert await list_is_kept(desk)
        times = {one["person"]: one["at"] for one in await noted(desk)}

        await come_back(desk)
        told = {b["booking_id"]: b["boarded_at"] for b in await bookings(town, coach.trip)}
        assert told.pop(left_out) is None
        assert {i: moment(at) for i, at in told.items()} == {i: moment(times[i]) for i in told}
        refused = page.locator("[data-conflicts] li")
        assert await refused.count() == 1
        assert "请其改乘所属班次" in await refused.inner_text()
        other = await refused.locator("[data-go]").get_attribute("href")
        assert other == f"/trips/{town.placed.trips[0]}/boarding"
        assert await names_kept(desk, coach.names) == set()
        assert not await list_is_kept(desk)
        at_peace(desk)
    await town.world.rest()
    kind = "transport.passenger-boarded.v1"
    said = await town.world.all("console", "/v1/events", type=kind)
    counted = Counter(e["subject"] for e in said)
    assert {counted[f"booking/{i}"] for i in told} == {1}
    assert counted[f"booking/{left_out}"] == 0


async def test_guests_are_checked_in_without_a_network_and_told_later(
    desks: Office, town: Town, guests: list[dict[str, Any]]
) -> None:
    inn_id = guests[0]["inn_id"]
    account = next(
        n for n in ("inn-jiading", "inn-nanxiang")
        if inn_id in town.world.people[n].account.inn_ids
    )  # fmt: skip
    async with desks.of(account, PHONE, locale="en-US") as desk:
        page = desk.page
        await take(desk, f"/inn/{inn_id}/desk")
        names = set(await shown_names(page))
        everyone = {row["姓名"] for row in town.world.rows}
        assert names
        assert names <= everyone
        await leave_network(desk)
        assert "Offline" in await page.inner_text("[data-link]")
        guest, name = await findable(page)
        await type_in(page, name)
        await page.keyboard.press("Enter")
        await waits_for(page, 1)
        assert await names_kept(desk, names) == set()
        (entry,) = await noted(desk)

        # The answer to the first telling is lost: it is told again, and counts once.
        lost: list[int] = []

        async def lose_once(route: Route) -> None:
            answer = await route.fetch()
            if lost:
                await route.fulfill(response=answer)
                return
            lost.append(answer.status)
            await route.abort()

        await desk.context.route("**/desk/check-ins", lose_once)
        await desk.context.set_offline(False)
        await eventually(lambda: _true(lost), "the first telling")
        await page.click("[data-send]")
        await come_back(desk)
        assert lost == [200]
        stay = await town.world.coordinator.get("lodging", f"/v1/stays/{guest}")
        assert stay["state"] == "checked_in"
        assert moment(stay["checked_in_at"]) == moment(entry["at"])
        assert await names_kept(desk, names) == set()
        assert not await list_is_kept(desk)
        # The next list has only who has not come yet.
        await page.click("form[data-take] button")
        await page.wait_for_selector("[data-carried=yes]")
        assert await page.locator(f"[data-person='{guest}']").count() == 0
        assert await page.locator("[data-do]:visible").count() >= 2
        at_peace(desk)
        desk.complaints[:] = [c for c in desk.complaints if "ERR_FAILED" not in c]


async def _true(value: object) -> bool:
    return bool(value)


async def test_signing_out_takes_the_list_away_and_leaves_what_is_to_be_told(
    desks: Office, town: Town, coach: Coach
) -> None:
    async with desks.of("coordinator", PHONE) as desk:
        page = desk.page
        trip = town.placed.trips[0]
        await take(desk, f"/trips/{trip}/boarding")
        await desk.context.set_offline(True)
        await type_in(page, coach.ticket(coach.bookings[0]))
        await waits_for(page, 1)
        # Somebody signs out before anything was sent.
        await desk.context.route("**/boarding/scans", lambda route: route.abort())
        await desk.context.set_offline(False)
        await desk.open("/trips")
        assert "1 项离线记录待同步" in await page.inner_text("[data-left]")
        await page.click(".menu summary")
        await page.click(".menu-in button")
        await page.wait_for_selector(".gate-form")
        await eventually(lambda: _gone(desk), "the list is deleted")
        assert "1 项离线记录待同步" in await page.inner_text("[data-left]")
        at_peace(desk)
        # The next account on this phone sends nothing of it under its own name.
        await desk.context.unroute("**/boarding/scans")
        await sign_in(desk, coach.account, PASSWORD)
        await desk.open(f"/trips/{coach.trip}/boarding")
        await page.wait_for_selector("[data-ready]")
        assert "另有 1 项由别的账号记录" in await page.inner_text("[data-link]")
        assert [one["state"] for one in await noted(desk)] == ["waiting"]
        desk.complaints[:] = [c for c in desk.complaints if "ERR_FAILED" not in c]


async def _gone(desk: Desk) -> bool:
    left = await kept(desk)
    return "shanhai-lists/list" not in left and "/boarding " not in left


async def test_a_name_that_were_kept_in_clear_would_be_found(desks: Office, coach: Coach) -> None:
    async with desks.of("coordinator", PHONE) as desk:
        name = min(coach.names)
        await desk.page.evaluate(
            """async (name) => {
              const cache = await caches.open("x");
              await cache.put("/x", new Response(`<li>${name}</li>`));
            }""",
            name,
        )
        assert await names_kept(desk, coach.names) == {name}


@pytest.mark.parametrize(("size", "locale"), [(PHONE, "zh-CN"), (DESKTOP, "en-US")])
async def test_nothing_serious_stands_in_the_way_where_there_is_no_network(
    desks: Office, town: Town, coach: Coach, size: tuple[int, int], locale: str
) -> None:
    axe = await asyncio.to_thread(web_assets.browser().axe.read_text, "utf-8")
    async with desks.of("coordinator", size, locale=locale) as desk:
        await take(desk, f"/trips/{town.placed.trips[0]}/boarding")
        await leave_network(desk)
        await type_in(desk.page, coach.ticket(coach.bookings[0]))
        await waits_for(desk.page, 1)
        assert await faults(desk, axe) == []
        await come_back(desk)
        await desk.page.wait_for_selector("[data-conflicts]:visible")
        assert await faults(desk, axe) == []
        at_peace(desk)


def film(text: str, path: Path) -> None:
    """Write what a camera sees that looks at a QR code."""
    still = [list(row) for row in segno.make(text, error="m").matrix_iter(scale=8, border=6)]
    light = bytes(16 if dark else 235 for row in still for dark in row)
    colour = bytes([128]) * (len(still) // 2 * (len(still[0]) // 2) * 2)
    head = f"YUV4MPEG2 W{len(still[0])} H{len(still)} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + 10 * (b"FRAME\n" + light + colour))


@asynccontextmanager
async def seeing(desks: Office, text: str, path: Path) -> AsyncIterator[Office]:
    """Give a browser whose camera sees a QR code."""
    film(text, path / "ticket.y4m")
    arguments = (
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={path / 'ticket.y4m'}",
    )  # fmt: skip
    async with a_chromium(*arguments) as chromium:
        yield Office(chromium, desks.plan)


async def test_a_camera_reads_the_ticket_of_another_coach(
    desks: Office, town: Town, coach: Coach, tmp_path: Path
) -> None:
    async with (
        seeing(desks, coach.ticket(coach.bookings[0]), tmp_path) as office,
        office.of("coordinator", PHONE) as desk,
    ):
        page = desk.page
        await take(desk, f"/trips/{town.placed.trips[0]}/boarding")
        await leave_network(desk)
        await page.click("[data-camera]")
        await waits_for(page, 1)
        assert "不是这一班的票" in await page.inner_text("[data-said]")
        await page.click("[data-camera]")
        assert await page.locator("[data-video]").is_hidden()
        at_peace(desk)


COACH_TICKET = """
INSERT INTO fact (source, subject, journey_id, noun, state, since, made_at, data)
SELECT 'transport', 'booking/' || $2::text, journey_id, 'booking', 'handed_over', since,
    made_at, data
FROM fact WHERE subject = 'stay/' || $1::text
"""


@asynccontextmanager
async def came_by_coach(town: Town, stay_id: str, booking_id: str) -> AsyncIterator[None]:
    """Let the console have heard that a guest came by coach: the world's coaches leave later."""
    connection = await asyncpg.connect(database_urls(town.world.plan)["console"])
    try:
        await connection.execute(COACH_TICKET, stay_id, booking_id)
        yield
        await connection.execute("DELETE FROM fact WHERE subject = $1", f"booking/{booking_id}")
    finally:
        await connection.close()


async def test_the_front_desk_s_camera_reads_a_guest_s_coach_ticket_without_a_network(
    desks: Office, town: Town, guests: list[dict[str, Any]], coach: Coach, tmp_path: Path
) -> None:
    inn_id = guests[0]["inn_id"]
    awaited = await town.world.all("lodging", "/v1/stays", state="confirmed", inn_id=inn_id)
    guest = next(s["stay_id"] for s in awaited if s["stay_id"] in {g["stay_id"] for g in guests})
    ticket = Ticket(UUID(coach.trip), uuid4(), FIRST, "310114-00")
    async with (
        came_by_coach(town, guest, str(ticket.booking_id)),
        seeing(desks, ticket.signed(coach.key), tmp_path) as office,
        office.of("coordinator", PHONE) as desk,
    ):
        page = desk.page
        await take(desk, f"/inn/{inn_id}/desk")
        # The inn learns no booking: what it takes along knows the ticket by a digest only.
        assert str(ticket.booking_id) not in await kept(desk)
        await leave_network(desk)
        await type_in(page, coach.ticket(coach.bookings[0]))
        assert await page.inner_text("[data-waiting]") == "0"
        await page.click("[data-camera]")
        await waits_for(page, 1)
        assert [one["person"] for one in await noted(desk)] == [guest]
        await page.click("[data-camera]")
        await come_back(desk)
        at_peace(desk)
    stay = await town.world.coordinator.get("lodging", f"/v1/stays/{guest}")
    assert stay["state"] == "checked_in"

"""Counts where everything stands as a coordinator sees it: from lists over HTTP alone."""

from stack.totals import Nomination, Placement, Standing
from tests.support.world import World


async def from_http(world: World) -> Standing:
    """Read nominations, offers, placements, bookings and stays from the services' lists."""
    nominations = await world.all("registry", "/v1/nominations")
    standing = Standing({n["nomination_id"]: Nomination(n.get("reason")) for n in nominations})
    await _add_matches(world, standing)
    for p in await world.all("recruitment", "/v1/placements"):
        standing.placements[p["placement_id"]] = Placement(
            p["nomination_id"], p["state"], p["needs_seat"], p["needs_bed"]
        )
    await _add_travel(world, standing)
    return standing


async def _add_matches(world: World, standing: Standing) -> None:
    for drive in await world.all("recruitment", "/v1/drives"):
        path = f"/v1/drives/{drive['drive_id']}/matches"
        for match in await world.all("recruitment", path):
            if match["unplaced"]:
                known = standing.nominations[match["nomination_id"]]
                known.unplaced_for = match["unplaced"]["reason"]
    for offer in await world.all("recruitment", "/v1/offers"):
        if offer["state"] == "made" or offer["pending"]:
            standing.nominations[offer["nomination_id"]].has_open_offer = True


async def _add_travel(world: World, standing: Standing) -> None:
    bookings = await world.all("transport", "/v1/bookings")
    stays = await world.all("lodging", "/v1/stays")
    # Ids rise with time: the newest of a placement comes last.
    for booking in sorted(bookings, key=lambda b: str(b["booking_id"])):
        standing.bookings.append(booking["state"])
        standing.placements[booking["placement_id"]].booking = booking["state"]
    for stay in sorted(stays, key=lambda s: str(s["stay_id"])):
        standing.stays.append(stay["state"])
        if stay["stay_request_id"]:
            standing.direct.append(stay["state"])
        else:
            standing.placements[stay["placement_id"]].stay = stay["state"]

"""Where a person's journey stands, from its facts.

Events of different services come in any order; so nothing here looks at the order in which facts
were heard.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from services.console.domain.fact import Fact, Facts

ARRIVING: Final = frozenset({"requested", "held", "confirmed", "waitlisted"})
NOT_RECEIVED: Final = frozenset({"not_arrived", "left_early"})
# Reasons of a release after which lodging decides anew once the person has a seat.
SEAT_LOST: Final = frozenset({"seat_released", "passenger_missed"})


@dataclass(frozen=True, slots=True)
class Owed:
    """A service owes the next event."""

    service: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """The world owes something: `what` is a vacancy, an answer, a seat, ...; `service` takes it."""

    what: str
    service: str


@dataclass(frozen=True, slots=True)
class Fine:
    """This part is as it should be."""


Part = Owed | Awaited | Fine
FINE: Final = Fine()


@dataclass(frozen=True, slots=True)
class Standing:
    """A journey's state; `stuck` is no state of its own but moving for too long."""

    state: str
    waiting_for: str | None = None
    service: str | None = None


SETTLED: Final = Standing("settled")
DONE: Final = Standing("done")
COMPENSATED: Final = Standing("compensated")


def stand(facts: Facts) -> Standing:
    """Tell where a journey stands."""
    if not facts.direct_stays:
        return _nominated(facts)
    direct = _summed((_stay_part(s, seated=True) for s in facts.direct_stays), _direct_rest(facts))
    nominated = facts.nomination or facts.unplaced or facts.placement
    return _joined(_nominated(facts), direct) if nominated else direct


def _nominated(facts: Facts) -> Standing:
    placement = facts.placement
    if placement is None:
        return _without_placement(facts)
    if placement.state == "confirmed":
        return _summed(_confirmed(facts, placement), SETTLED)
    if placement.state == "started":
        return _summed(_started(facts, placement), _rest(facts.stay_of(placement), DONE))
    return _over(facts, placement)


def _summed(parts: Iterable[Part], rest: Standing) -> Standing:
    """Moving when anything is owed, else waiting for the first thing awaited, else the rest."""
    known = list(parts)
    for part in known:
        if isinstance(part, Owed):
            return Standing("moving", None, part.service)
    for part in known:
        if isinstance(part, Awaited):
            return Standing("waiting", part.what, part.service)
    return rest


def _joined(own: Standing, direct: Standing) -> Standing:
    """Of two standings the one with more left to do."""
    order = ("moving", "waiting", "settled", "done", "compensated")
    return min(own, direct, key=lambda s: order.index(s.state))


def _confirmed(facts: Facts, placement: Fact) -> Iterator[Part]:
    seat = seat_part(placement, facts.booking_of(placement))
    yield seat
    if placement.says("needs_bed"):
        yield _bed_part(facts, placement, seated=isinstance(seat, Fine))


def seat_part(placement: Fact, booking: Fact | None) -> Part:
    """Tell how a confirmed placement's seat stands."""
    if not placement.says("needs_seat"):
        return FINE
    if booking is None or (booking.state == "released" and booking.says("rebooked_as")):
        return Owed("transport")
    if booking.state == "waitlisted" and booking.says("reason") == "below_minimum":
        return Awaited("minimum_load", "transport")
    if booking.state in {"waitlisted", "released"}:
        return Awaited("seat", "transport")
    if booking.state == "missed" or booking.says("outcome") in NOT_RECEIVED:
        return Awaited("decision", "recruitment")
    return FINE


def _bed_part(facts: Facts, placement: Fact, *, seated: bool) -> Part:
    stay = facts.stay_of(placement)
    if stay is None:
        return Owed("lodging")
    if facts.is_asked_anew(stay):
        return FINE
    if stay.state == "released" and stay.says("reason") == "hold_expired":
        return Awaited("bed", "lodging")
    return _stay_part(stay, seated=seated)


def _stay_part(stay: Fact, *, seated: bool) -> Part:
    if stay.state in {"rejected", "missed"} or stay.says("reason") == "no_bed_in_town":
        return Awaited("decision", "lodging")
    if stay.state == "waitlisted":
        return Awaited("bed", "lodging")
    if stay.state == "held" and stay.says("expires_at"):
        return Awaited("confirmation", "lodging")
    lost = stay.state == "released" and stay.says("reason") in SEAT_LOST
    decides = seated and (stay.state == "requested" or lost)
    return Owed("lodging") if decides or stay.state == "held" else FINE


def _started(facts: Facts, placement: Fact) -> Iterator[Part]:
    nomination = facts.nomination
    if nomination is not None and nomination.state == "active":
        yield Owed("registry")
    stay = facts.stay_of(placement)
    if stay is not None and stay.state in {"held", "waitlisted"}:
        yield _stay_part(stay, seated=True)


def _rest(stay: Fact | None, otherwise: Standing) -> Standing:
    return SETTLED if stay is not None and stay.state in {"confirmed", "checked_in"} else otherwise


def _over(facts: Facts, placement: Fact) -> Standing:
    """Tell how a journey stands whose last placement was cancelled or has ended."""
    rest = COMPENSATED if placement.state == "cancelled" else DONE
    booking, stay = facts.booking_of(placement), facts.stay_of(placement)
    if booking is not None and booking.state in {"waitlisted", "booked"}:
        return Standing("moving", None, "transport")
    if stay is not None and stay.state in ARRIVING:
        return Standing("moving", None, "lodging")
    if placement.state == "ended" or _has_ended(facts):
        return _rest(stay, rest)
    return _after_cancellation(facts, placement)


def _after_cancellation(facts: Facts, placement: Fact) -> Standing:
    last = facts.offers[-1] if facts.offers else None
    if last is not None and last.made_at > placement.since:
        return _offered(facts, last)
    unplaced = facts.unplaced
    if unplaced is None or (
        unplaced.says("reason") != "cancelled" and unplaced.since < placement.since
    ):
        return Standing("moving", None, "recruitment")
    return COMPENSATED if unplaced.says("reason") == "cancelled" else _unplaced(unplaced)


def _without_placement(facts: Facts) -> Standing:
    if facts.nomination is None and facts.unplaced is None:
        # A hire asks for nothing by itself; else events came before their nomination.
        return DONE if facts.hires or facts.stays else Standing("moving", None, "registry")
    if _has_ended(facts):
        return DONE
    if facts.offers and facts.offers[-1].state in {"made", "accepted"}:
        return _offered(facts, facts.offers[-1])
    if facts.unplaced is not None:
        return _unplaced(facts.unplaced)
    return Standing("moving", None, "recruitment")


def _offered(facts: Facts, offer: Fact) -> Standing:
    waits = offer.says("acceptance") not in {None, "on_nomination"}
    if offer.state == "made" and waits:
        return Standing("waiting", "answer", "recruitment")
    if offer.state == "accepted" and waits and offer.says("group_id"):
        # The other members' answers decide about the group.
        return Standing("waiting", "answer", "recruitment")
    if offer.state in {"made", "accepted"} or facts.unplaced is None:
        return Standing("moving", None, "recruitment")
    return _unplaced(facts.unplaced)


def _unplaced(unplaced: Fact) -> Standing:
    if unplaced.says("reason") == "drive_closed":
        return Standing("moving", None, "registry")
    return Standing("waiting", "vacancy", "recruitment")


def _has_ended(facts: Facts) -> bool:
    return facts.nomination is not None and facts.nomination.state == "ended"


def _direct_rest(facts: Facts) -> Standing:
    states = {s.state for s in facts.direct_stays}
    if states & {"confirmed", "checked_in"}:
        return SETTLED
    return DONE if "checked_out" in states else COMPENSATED

"""What time brings: rounds, expiries, a drive's first and last day, checks that fall due."""

from functools import partial

from services.recruitment.handlers.drives import follow_calendar
from services.recruitment.handlers.houserules import DEFAULT, HouseRules
from services.recruitment.handlers.offers import expire_offers
from services.recruitment.handlers.rounds import match_due
from services.recruitment.store import marks, retention
from shared.ticker import Ticker


def tickers(house_rules: HouseRules = DEFAULT) -> list[Ticker]:
    """List recruitment's tickers under these rules."""
    return [
        Ticker(marks.TICKER, interval_s=0.5, run=partial(match_due, house_rules)),
        Ticker("expire-offers", interval_s=1.0, run=expire_offers),
        Ticker("drive-days", interval_s=5.0, run=follow_calendar),
        Ticker("retention-due", interval_s=5.0, run=retention.mark_due),
    ]

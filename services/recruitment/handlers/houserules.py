"""What an operator may set about rounds and offers."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from services.recruitment.matching.problem import Policy


@dataclass(frozen=True, slots=True)
class HouseRules:
    """How long offers stand (business time), and how rounds are solved."""

    offer_stands: timedelta = timedelta(hours=48)
    policy: Policy = field(default_factory=Policy)


DEFAULT: Final = HouseRules()

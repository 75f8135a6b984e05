"""A lodging programme's rules in one version, and the key list's entry of an enterprise."""

from dataclasses import dataclass
from datetime import date, time
from typing import Final, Literal

from services.lodging.domain.calendar import Nights

YOUJIA: Final = "YOUJIA"

CreditLevel = Literal["A", "B", "C", "revoked"]
LEVELS: Final[tuple[CreditLevel, ...]] = ("A", "B", "C", "revoked")
NO_SHOWS_PER_LEVEL: Final = 2


@dataclass(frozen=True, slots=True)
class Programme:
    """The rules of a programme in one version; the units are in the names."""

    code: str
    rule_version: int
    hire_window_days: int = 90
    night_cap: int = 15
    hold_minutes: int = 30
    cut_off: time = time(22)
    #: As the bureau set them; `domain/line.py` reads them.
    priorities: object = ()


@dataclass(frozen=True, slots=True)
class KeyEnterprise:
    """An enterprise's entry on the list of those served; `valid_to` is the last day."""

    credit_level: CreditLevel
    valid_from: date
    valid_to: date | None = None

    def covers(self, nights: Nights) -> bool:
        """Tell whether the list names the enterprise on every night."""
        return self.valid_from <= nights.check_in_on and (
            self.valid_to is None or nights.last_night <= self.valid_to
        )


def lowered(level: CreditLevel, steps: int) -> CreditLevel:
    """Give the level some steps down; the last is `revoked`."""
    return LEVELS[min(LEVELS.index(level) + steps, len(LEVELS) - 1)]


def steps_down(no_shows: int, overstays: int) -> int:
    """Give how far unpunished breaches lower a level: two no-shows one step, each overstay one."""
    return no_shows // NO_SHOWS_PER_LEVEL + overstays

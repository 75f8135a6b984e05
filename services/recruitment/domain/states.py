"""The state machines of recruitment: tables of (state, step) -> state, and how to draw them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class IllegalStepError(Exception):
    """A step that a state doesn't allow; it changes nothing."""

    def __init__(self, noun: str, state: str, step: str) -> None:
        super().__init__(f"{noun} {state}: no {step}")
        self.noun = noun
        self.state = state
        self.step = step


@dataclass(frozen=True, slots=True)
class Machine:
    """A noun's states; `first` is the one it is born in, what isn't in `steps` is refused."""

    noun: str
    first: str
    steps: Mapping[tuple[str, str], str]

    def after(self, state: str, step: str) -> str:
        """Give the state after a step; raises `IllegalStepError`."""
        try:
            return self.steps[state, step]
        except KeyError:
            raise IllegalStepError(self.noun, state, step) from None

    def allows(self, state: str, step: str) -> bool:
        """Tell whether a state allows a step."""
        return (state, step) in self.steps

    def sources(self, step: str) -> tuple[str, ...]:
        """List the states that allow a step, for statements that make it for many rows at once."""
        return tuple(sorted({state for state, known in self.steps if known == step}))

    def drawing(self) -> str:
        """Draw the table as a Mermaid state diagram."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.first}"]
        lines += [f"    {state} --> {to}: {step}" for (state, step), to in self.steps.items()]
        leaving = {state for state, _ in self.steps}
        last = sorted({to for to in self.steps.values() if to not in leaving})
        return "\n".join([*lines, *(f"    {state} --> [*]" for state in last)])


DRIVE: Final = Machine(
    "drive",
    "announced",
    {
        ("announced", "open"): "open",
        ("announced", "close"): "closed",
        ("open", "close"): "closed",
    },
)

VACANCY: Final = Machine(
    "vacancy",
    "posted",
    {
        ("posted", "fill"): "filled",
        ("filled", "free"): "posted",
        ("posted", "withdraw"): "withdrawn",
        ("filled", "withdraw"): "withdrawn",
    },
)

NOMINATION: Final = Machine(
    "nomination",
    "waiting",
    {
        ("waiting", "offer"): "offered",
        ("offered", "offer"): "offered",
        ("set_aside", "offer"): "offered",
        ("offered", "lose"): "waiting",
        ("accepted", "lose"): "waiting",
        ("offered", "accept"): "accepted",
        ("accepted", "place"): "placed",
        ("placed", "set_aside"): "set_aside",
        ("placed", "rematch"): "waiting",
        ("waiting", "close"): "closed",
        ("offered", "close"): "closed",
        ("accepted", "close"): "closed",
        ("placed", "close"): "closed",
        ("set_aside", "close"): "closed",
        ("waiting", "end"): "ended",
        ("offered", "end"): "ended",
        ("accepted", "end"): "ended",
        ("placed", "end"): "ended",
        ("set_aside", "end"): "ended",
        ("closed", "end"): "ended",
    },
)

# `take_back` is the system's own: the group broke, another offer was accepted, the drive closed,
# the person is gone.
OFFER: Final = Machine(
    "offer",
    "made",
    {
        ("made", "accept"): "accepted",
        ("made", "decline"): "declined",
        ("made", "expire"): "expired",
        ("made", "withdraw"): "withdrawn",
        ("made", "take_back"): "withdrawn",
        ("accepted", "take_back"): "withdrawn",
    },
)

PLACEMENT: Final = Machine(
    "placement",
    "confirmed",
    {
        ("confirmed", "change"): "confirmed",
        ("confirmed", "start"): "started",
        ("confirmed", "cancel"): "cancelled",
        ("started", "end"): "ended",
    },
)

RETENTION_CHECK: Final = Machine(
    "retention_check",
    "scheduled",
    {
        ("scheduled", "fall_due"): "due",
        ("scheduled", "answer"): "answered",
        ("due", "answer"): "answered",
        ("answered", "answer"): "answered",
        ("scheduled", "drop"): "dropped",
        ("due", "drop"): "dropped",
    },
)

MACHINES: Final = (DRIVE, VACANCY, NOMINATION, OFFER, PLACEMENT, RETENTION_CHECK)


def document() -> str:
    """Give docs/recruitment-states.md: every machine, drawn from its table."""
    parts = [
        "# States of recruitment",
        "",
        "Drawn from `services/recruitment/domain/states.py` (a test holds them equal);",
        "what has no arrow is refused with `wrong_state`. In an offer, `take_back` is the system's",
        "own step, and ends an accepted offer only while its group isn't whole.",
    ]
    for machine in MACHINES:
        parts += ["", f"## {machine.noun}", "", "```mermaid", machine.drawing(), "```"]
    return "\n".join([*parts, ""])

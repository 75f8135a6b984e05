"""Rules of web hooks: who may be told what, how often a delivery is tried, how it is signed."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from contracts import EVENTS, Event

#: Who may have hooks, and the fields by which an event names such a tenant.
NAMED_BY: Final[Mapping[str, frozenset[str]]] = {
    "office": frozenset({"office_id", "origins"}),
    "enterprise": frozenset({"enterprise_id", "enterprises"}),
}
HOOKS_MAX: Final = 10
URL_LENGTH_MAX: Final = 500
#: Nobody is to be flooded in our name.
TRIALS_A_MINUTE_MAX: Final = 10
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 (the prefix of all secrets)
SECRET_BYTES: Final = 32
#: The old secret signs beside the new one for so long.
OVERLAP_S: Final = 86_400
#: Pauses between the attempts of one delivery, each a fifth shorter or longer by chance.
DELAYS_S: Final = (5.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0)
JITTER: Final = 0.2
#: A hook that answers nothing but failures rests between its attempts, at most this long ...
REST_S_MIN: Final = 2.0
REST_S_MAX: Final = 300.0
#: ... and is paused after three days: a weekend is no reason.
PAUSED_AFTER_S: Final = 3 * 86_400
#: Deliveries are kept for so long, sent or not.
KEPT_DAYS: Final = 30
GONE: Final = 410
#: What a trial is called: of no event's type, so that nobody takes it for a fact.
TRIAL: Final = "console.web-hook-tried.v1"

State = Literal["waiting", "delivered", "failed"]


def kind_of(wire_type: str) -> str:
    """Give an event's type without its version."""
    head, mark, version = wire_type.rpartition(".v")
    return head if mark and version.isdigit() else wire_type


@cache
def kinds_for(tenant_kind: str) -> tuple[str, ...]:
    """List the kinds of events that a tenant of this kind may come to see (events.md, Who sees it).

    Which of these events it then sees is decided for each by who is named in it.
    """
    named_by = NAMED_BY.get(tenant_kind, frozenset())
    return tuple(sorted({kind_of(t) for t, m in EVENTS.items() if named_by and _may(m, named_by)}))


def _may(event: type[Event], named_by: frozenset[str]) -> bool:
    fields = event.model_fields.keys()
    of_itself = event.service == "console" and "tenant_id" in fields
    # A trip is seen by those who have somebody aboard.
    of_trips = event.service == "transport" and event.noun == "trip"
    return of_itself or of_trips or not named_by.isdisjoint(fields)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: an HTTP status, or a code of ours that says why there is none."""

    status: int | None = None
    error: str | None = None
    retry_after_s: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the receiver has taken it: any 2xx and nothing else."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 (HTTP's own)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery; `after_s` is the pause before its next attempt."""

    state: State
    after_s: float = 0.0


def judge(outcome: Outcome, attempt_count: int, chance: float, *, trial: bool = False) -> Verdict:
    """Decide after an attempt; `chance` is in [0, 1). A trial is tried once."""
    if outcome.good:
        return Verdict("delivered")
    if trial or outcome.status == GONE or attempt_count > len(DELAYS_S):
        return Verdict("failed")
    delay = DELAYS_S[attempt_count - 1] * (1 - JITTER + 2 * JITTER * chance)
    return Verdict("waiting", min(max(delay, outcome.retry_after_s), DELAYS_S[-1] * (1 + JITTER)))


def rest_s(failure_count: int) -> float:
    """Give how long a hook rests after so many rounds of nothing but failures."""
    doublings = min(failure_count - 1, 10)
    return float(min(REST_S_MAX, REST_S_MIN * 2**doublings))


def signature(secrets: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Give the header `webhook-signature` (Standard Webhooks 1.0): one `v1,` for each secret."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    macs = (hmac.new(secret, signed, hashlib.sha256).digest() for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs)


def spelt(secret: bytes) -> str:
    """Give a secret as people copy it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()

"""A stream of events that somebody reads: open until its reader leaves, or may read no more."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from fastapi import Request

from shared.clock import real_now
from shared.http import House
from shared.identity import Identity
from shared.tokens import Access

# A comment this often tells both ends that the other is still there.
KEEP_ALIVE_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class OpenStream:
    """One reader, who was let in when the stream began."""

    house: House
    request: Request
    identity: Identity
    begun_at: datetime = field(default_factory=real_now)

    async def is_open(self) -> bool:
        """Ask before each turn: whoever was shut out since, or whose tenant was, reads no more."""
        if self.house.stopping.is_set() or await self.request.is_disconnected():
            return False
        return await self.house.resource(Access).allows(self.identity, self.begun_at)

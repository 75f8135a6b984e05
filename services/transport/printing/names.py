"""Asks the registry for names at the moment of printing, with the token of whoever prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from uuid import UUID

import httpx2
from pydantic import BaseModel, ConfigDict

from shared.problem import Forbidden, Problem, unavailable

IDS_MAX: Final = 2_000
TIMEOUT_S: Final = 20.0
PURPOSE: Final = "乘车名单 manifest"
FIELDS: Final = ("name", "resident_id")


class Person(BaseModel):
    """What is printed of a person, and kept nowhere."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    worker_id: UUID
    name: str | None = None
    resident_id: str | None = None


class _Shown(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    items: list[Person]


@dataclass(frozen=True, slots=True)
class Names:
    """The registry, as far as names go; it decides itself who may see whom."""

    http: httpx2.AsyncClient

    async def of(
        self, trip_id: UUID, worker_ids: Sequence[UUID], authorization: str
    ) -> dict[UUID, Person]:
        """Give the persons of a trip whom the caller may see; others are left out.

        Raises a `Problem`: 403 when the registry refuses the caller, 503 when it is away.
        """
        found: dict[UUID, Person] = {}
        for n in range(0, len(worker_ids), IDS_MAX):
            body: dict[str, object] = {
                "worker_ids": [str(w) for w in worker_ids[n : n + IDS_MAX]],
                "fields": FIELDS,
                "purpose": PURPOSE,
                "scope": {"trip_id": str(trip_id)},
            }
            shown = _Shown.model_validate_json(await self._asked(body, authorization))
            found |= {p.worker_id: p for p in shown.items}
        return found

    async def _asked(self, body: dict[str, object], authorization: str) -> bytes:
        try:
            answer = await self.http.post(
                "/v1/reveals", json=body, headers={"Authorization": authorization}
            )
        except httpx2.HTTPError:
            raise _away() from None
        if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise Forbidden
        if answer.status_code != HTTPStatus.OK:
            raise _away()
        return answer.content


def _away() -> Problem:
    return unavailable("花名册服务暂时不可用，请稍后重试。The registry is away; try again.")

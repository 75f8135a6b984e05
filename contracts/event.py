"""What every event has: a frozen model, its wire type, and the aggregate it speaks about."""

import re
from typing import Any, ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

EVENTS: Final[dict[str, "type[Event]"]] = {}

# The bureau that runs the system; facts that belong to no office, enterprise or inn are its own.
OWNER_TENANT_ID: Final = UUID("01890000-0000-7000-8000-000000000001")

_WORD: Final = re.compile(r"(?<!^)(?=[A-Z])")


class Event(BaseModel):
    """A fact of the past. Unknown fields are ignored, so that a version may grow.

    A concrete event names its speaker and its aggregate: `class StayHeld(StayFact,
    service="lodging", noun="stay", key="stay_id")`; its wire type follows from its name:
    `lodging.stay-held.v1`.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True
    )

    service: ClassVar[str]
    noun: ClassVar[str]
    key: ClassVar[str]
    version: ClassVar[int] = 1
    wire_type: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        *,
        service: str = "",
        noun: str = "",
        key: str = "",
        version: int = 1,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Enter a concrete event (one that names its service) into the catalogue."""
        super().__pydantic_init_subclass__(**kwargs)
        if not service:
            return
        cls.service, cls.noun, cls.key, cls.version = service, noun, key, version
        cls.wire_type = f"{service}.{_WORD.sub('-', cls.__name__).lower()}.v{version}"
        EVENTS[cls.wire_type] = cls

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401
        """Keep the catalogue's words away from pydantic's own configuration."""
        for word in ("service", "noun", "key", "version"):
            kwargs.pop(word, None)
        super().__init_subclass__(**kwargs)

    @property
    def aggregate_id(self) -> str:
        """The aggregate's id as text: the record's key."""
        return str(getattr(self, self.key))

    @property
    def subject(self) -> str:
        """`<noun>/<id>`: what the sequence counts by."""
        return f"{self.noun}/{self.aggregate_id}"

    def to_body(self) -> bytes:
        """Give the record's value: JSON without absent fields."""
        # The model's own serializer gives the bytes, which `model_dump_json` makes a text of.
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)


class PersonFact(Event):
    """The ids of every fact about a person's way; known ids are never left out."""

    worker_id: UUID
    office_id: UUID | None = None
    enterprise_id: UUID | None = None
    nomination_id: UUID | None = None
    hire_id: UUID | None = None
    placement_id: UUID | None = None

"""Brings a checked row's plain values back to the domain's words."""

from datetime import date
from typing import Any

from services.registry.domain import Wishes


def wishes_of(values: dict[str, Any]) -> Wishes:
    """Give what a row wishes; None where it says nothing."""
    return Wishes(
        available_from=day_of(values.get("available_from")),
        boarding_place_code=values.get("boarding_point"),
        needs_bed=values.get("needs_bed"),
    )


def day_of(text: str | None) -> date | None:
    """Give the day of an ISO date."""
    return date.fromisoformat(text) if text else None

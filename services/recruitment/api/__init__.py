"""Recruitment over HTTP."""

from fastapi import APIRouter

from services.recruitment.api import (
    drives,
    offers,
    placements,
    retention,
    statistics,
    vacancies,
    vacancy_sheets,
)

router = APIRouter()
for part in (drives, vacancies, vacancy_sheets, offers, placements, retention, statistics):
    router.include_router(part.router)

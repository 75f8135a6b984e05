"""Recruitment over HTTP."""

from fastapi import APIRouter

from services.recruitment.api import drives, offers, placements, retention, vacancies

router = APIRouter()
for part in (drives, vacancies, offers, placements, retention):
    router.include_router(part.router)

"""The console's routes."""

from fastapi import APIRouter

from services.console.api import accounts, events, journeys, letters, tokens, web_hooks

ROUTER = APIRouter()
for part in (tokens, accounts, journeys, events, letters, web_hooks):
    ROUTER.include_router(part.router)

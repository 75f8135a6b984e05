"""Identifies callers of the API: programs by their token, our own pages' scripts by the session."""

from typing import Final

from fastapi import Request

from services.console.handlers.sign_in import owed
from services.console.pages.forms import from_elsewhere, refused_form
from services.console.pages.visit import find_session
from shared.http import House, by_bearer
from shared.identity import Identity

#: A script of ours sends the session's form token along with whatever changes something.
_PROOF: Final = "x-form-token"
_SAFE: Final = frozenset({"GET", "HEAD"})


async def by_token_or_session(house: House, request: Request) -> Identity:
    """Give the caller of a bearer token, else of the browser's session.

    Raises a `Problem`: 401, or 403 for a command that another site's page may have sent.
    """
    if "authorization" in request.headers:
        return await by_bearer(house, request)
    session = await find_session(house, request)
    if session is None:
        return await by_bearer(house, request)
    if request.method not in _SAFE and (
        from_elsewhere(request) or request.headers.get(_PROOF) != session.form_token
    ):
        raise refused_form()
    if problem := owed(session, factor_required=house.settings.factor_required):
        raise problem
    return session.identity

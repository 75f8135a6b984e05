"""Our stylesheet, scripts and drawings, each under an address that changes with its content."""

import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Response
from starlette.requests import Request

from services.console.pages.fonts import Fonts
from shared.http import House
from shared.problem import NotFound

router = APIRouter(include_in_schema=False)

_FOLDER: Final = Path(__file__).parents[1] / "static"
FOREVER: Final = "public, max-age=31536000, immutable"
#: The worker may ask our own origin, and nobody else.
WORKER_POLICY: Final = "default-src 'none'; script-src 'self'; connect-src 'self'"
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Read what there is: content and digest by name; nothing else is ever served."""
    read = {p.name: p.read_bytes() for p in _FOLDER.iterdir() if p.is_file()}
    return {n: (data, hashlib.sha256(data).hexdigest()[:12]) for n, data in read.items()}


def asset(name: str) -> str:
    """Give the address of an asset."""
    return f"/static/{_files()[name][1]}/{name}"


@router.get("/static/{digest}/{name}")
async def static(digest: str, name: str) -> Response:
    """Serve an asset; an address with another digest is an older page's, and gets the new one."""
    if name not in _files():
        raise NotFound
    data, now = _files()[name]
    caching = FOREVER if digest == now else "no-cache"
    kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
    return Response(data, headers={"Cache-Control": caching}, media_type=kind)


@router.get("/worker.js")
async def worker() -> Response:
    """Serve the service worker at the root: it may answer for pages below its own address only."""
    data, _ = _files()["worker.js"]
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": WORKER_POLICY}
    return Response(data, headers=headers, media_type=_TYPES[".js"])


@router.get("/fonts/{name}")
async def font(name: str, request: Request) -> Response:
    """Serve what npm brought: a Chinese web font, or the reader of QR codes."""
    house: House = request.app.state.house
    found = house.resource(Fonts).find(name)
    if found is None:
        raise NotFound
    kind = _TYPES.get(found.suffix, "font/woff2")
    return Response(
        found.read_bytes(), headers={"Cache-Control": "public, max-age=86400"}, media_type=kind
    )

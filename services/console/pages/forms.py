"""Reads forms: from our own pages only, and files never in clear on a disk."""

from collections.abc import Callable
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser

from shared.problem import Fault, Problem

FILES_MAX: Final = 1
FIELDS_MAX: Final = 2_500
#: The edge refuses larger bodies; so a file that is being read always stays in memory.
MEMORY_BYTES_MAX: Final = 64 * 1024 * 1024
_OURS: Final = frozenset({"same-origin", "none"})


class InMemoryForms(MultiPartParser):
    """A parser that never writes an uploaded file to a disk."""

    spool_max_size = MEMORY_BYTES_MAX

    @classmethod
    async def of(cls, request: Request) -> FormData:
        """Read a request's form; raises a `Problem` (422) for one that is none."""
        try:
            if request.headers.get("content-type", "").startswith("multipart/form-data"):
                return await cls._of(request).parse()
            return await request.form(max_files=0, max_fields=FIELDS_MAX)
        except MultiPartException:
            detail = "表单无法读取。The form cannot be read."
            raise Problem(422, "invalid", detail, [Fault("/", "wrong_form", detail)]) from None

    @classmethod
    def _of(cls, request: Request) -> Self:
        return cls(request.headers, request.stream(), max_files=FILES_MAX, max_fields=FIELDS_MAX)


def from_elsewhere(request: Request) -> bool:
    """Tell whether another site's page sent this request, as far as the browser says."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OURS
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")


def refused_form() -> Problem:
    """Give the refusal of a form that is not one of this session's."""
    detail = "页面已过期，请刷新后重试。This page is out of date; load it again and try once more."
    return Problem(403, "wrong_form_token", detail)


K = TypeVar("K")


def field(form: FormData, name: str, kind: Callable[[str], K]) -> K | None:
    """Read a field; an empty one is None. Raises a `Problem` (422) for one that is no such kind."""
    text = str(form.get(name) or "").strip()
    try:
        return kind(text) if text else None
    except ValueError:
        raise wrong_field(name) from None


def fields(form: FormData, name: str, kind: Callable[[str], K]) -> list[K]:
    """Read a field that may occur many times, each value once."""
    try:
        return list(dict.fromkeys(kind(str(value)) for value in form.getlist(name)))
    except ValueError:
        raise wrong_field(name) from None


def wrong_field(name: str) -> Problem:
    """Give the refusal of a field; its value is not repeated."""
    detail = "内容有误，请检查后重试。Something in the form is wrong; check it and try again."
    return Problem(422, "invalid", detail, [Fault(f"/{name}", "wrong_form", detail)])


def local_path(given: object, default: str = "/") -> str:
    """Give a path of ours that a form or an address names; anything else is the default."""
    text = str(given or "")
    return text if text.startswith("/") and not text.startswith(("//", "/\\")) else default

"""Refusals that a caller sees: RFC 9457 problem details with a code and a place, never a value."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import asyncpg
from fastapi import Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from shared.outbox import RecordTooLargeError
from shared.telemetry import masked

FAULTS_MAX: Final = 50
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
# What says that PostgreSQL is away, too busy or shutting down, not that a statement is wrong.
AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # What a pool's connection says whose server was killed in the middle of another call.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.PostgresSystemError,
    # A write that its disk refused, a page that can't be read: never what was asked for.
    asyncpg.InternalServerError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
)

_LOST: Final = ("clos", "another operation is in progress", "released back to the pool")
_HTTP: Final = {
    400: ("malformed", "请求无法读懂。The request cannot be read."),
    401: ("missing_token", "请先登录。Sign in first."),
    403: ("forbidden", "没有权限。You lack the right to do this."),
    405: ("method_not_allowed", "此地址不支持该方法。The method is not allowed here."),
    413: ("too_large", "内容过大。The body is too large."),
    415: ("unsupported_media_type", "不支持的内容类型。The content type is not supported."),
}
# pydantic's error types, by how they begin or end, as codes of ours.
_KINDS: Final = (
    (re.compile("^missing"), "required", "缺少此项。This is required."),
    (re.compile("^extra_forbidden"), "unknown_field", "没有此项。There is no such field."),
    (re.compile("^(string|list|tuple|set|frozenset|bytes)?_?too_(long|short)"), "wrong_length",
     "长度不符。The length is out of range."),
    (re.compile("than|finite|multiple_of|date_from_datetime_inexact"), "out_of_range",
     "超出范围。The value is out of range."),
    (re.compile("pattern|enum|literal|union_tag|parsing|timezone|uuid|url"), "wrong_form",
     "格式不符。The value is not of its form."),
    (re.compile("type|unicode"), "wrong_type", "类型不符。The value is of another type."),
)  # fmt: skip
_DETAILS: Final = {
    "personal_data": "名称中不得含有7位以上数字（可能是证件号或电话）。"
    "A title must not hold 7 digits in a row: it may be an ID number or a phone.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an input: where (a JSON pointer), its code, and what to do about it."""

    pointer: str
    code: str
    detail: str


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 (the standard's own word)
    """A refusal with its HTTP status; `detail` is for people and never echoes a personal value."""

    status: int
    code: str
    detail: str
    errors: Sequence[Fault] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"


class NotFound(Problem):
    """The thing isn't there, or isn't the caller's: nobody learns which."""

    def __init__(self, detail: str = "没有找到。Not found.") -> None:
        super().__init__(404, "not_found", detail)


class Forbidden(Problem):
    """The caller lacks the right."""

    def __init__(self, detail: str = "没有权限。You lack the right to do this.") -> None:
        super().__init__(403, "forbidden", detail)


class WrongState(Problem):
    """The thing is in a state in which this isn't possible."""

    def __init__(self, detail: str) -> None:
        super().__init__(409, "wrong_state", detail)


def unavailable(
    detail: str = "数据库暂时不可用，请稍后重试。The database is away; try again.",
) -> Problem:
    """Give the refusal of an outage that will pass."""
    return Problem(503, "unavailable", detail, headers={"Retry-After": "2"})


def is_line_lost(error: Exception) -> bool:
    """Tell whether the client says so of a connection whose server ended in the middle of a call.

    Between the server's last word and its end the call stays "in progress".
    """
    said = str(error) if isinstance(error, asyncpg.InterfaceError) else ""
    return any(words in said for words in _LOST)


def refusal(error: Exception) -> Problem:
    """Give the problem that a caller sees; the unknown is `internal`, without a word of it."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _invalid(error.errors())
        case HTTPException():
            return _http(error)
        case asyncpg.InterfaceError() if not is_line_lost(error):
            return _odd(error)
        case _ if isinstance(error, AWAY):
            return unavailable()
        case _:
            return _odd(error)


def _texts(*names: str) -> dict[str, Any]:
    return {name: {"type": "string"} for name in names}


_FAULT_SCHEMA: Final = {"type": "object", "properties": _texts("pointer", "code", "detail")}
#: What OpenAPI says about every refusal.
PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "description": "RFC 9457 problem details",
    "content": {"application/problem+json": {"schema": {
        "type": "object",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            **_texts("type", "title", "code", "detail", "instance"),
            "status": {"type": "integer"},
            "errors": {"type": "array", "items": _FAULT_SCHEMA},
        },
    }}},
}  # fmt: skip


def as_response(problem: Problem, request_id: object = None) -> Response:
    """Give RFC 9457's `application/problem+json`."""
    body: dict[str, object] = {
        "type": f"urn:shanhai:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = [
            {"pointer": f.pointer, "code": f.code, "detail": f.detail} for f in problem.errors
        ]
    if request_id:
        body["instance"] = f"urn:uuid:{request_id}"
    return Response(
        to_json(body), problem.status, dict(problem.headers), "application/problem+json"
    )


def _odd(error: Exception) -> Problem:
    match error:
        case RecordTooLargeError():
            return Problem(413, *_HTTP[413])
        case asyncpg.DataError():
            return Problem(422, "invalid", "内容无效。A value is out of range or not text.")
        case _:
            return Problem(500, "internal", "系统内部错误。Something went wrong on our side.")


def _http(error: HTTPException) -> Problem:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return NotFound()
    phrase = HTTPStatus(error.status_code).phrase
    code, detail = _HTTP.get(error.status_code, (phrase.lower().replace(" ", "_"), f"{phrase}."))
    return Problem(error.status_code, code, detail, headers=dict(error.headers or {}))


def _invalid(errors: Sequence[Any]) -> Problem:
    if any(e["loc"][:1] == ("path",) for e in errors):
        return NotFound()
    if any(e["type"] == "json_invalid" for e in errors):
        return Problem(400, "malformed_json", "内容不是有效的 JSON。The body is not valid JSON.")
    faults = [_fault(e) for e in errors[:FAULTS_MAX]]
    code = "personal_data" if any(f.code == "personal_data" for f in faults) else "invalid"
    detail = _DETAILS.get(code, "内容有误，见 errors。The input is invalid; see errors.")
    return Problem(422, code, detail, faults)


def _fault(error: Any) -> Fault:  # noqa: ANN401 (pydantic's own dictionaries)
    code, detail = _kind(error)
    return Fault(_pointer(error["loc"][1:]), code, detail)


def _kind(error: Any) -> tuple[str, str]:  # noqa: ANN401
    if error["type"] == "value_error":
        code = str(error.get("ctx", {}).get("error", ""))
        if _CODE.fullmatch(code):
            return code, _DETAILS.get(code, "内容不符合规定。The value is against a rule.")
        return "invalid", "内容无效。The value is invalid."
    for form, code, detail in _KINDS:
        if form.search(error["type"]):
            return code, detail
    return "invalid", "内容无效。The value is invalid."


def _pointer(places: Sequence[object]) -> str:
    # A caller's own key may hold a number that is nobody's business.
    parts = (masked(str(p)[:60]).replace("~", "~0").replace("/", "~1") for p in places)
    return "".join(f"/{part}" for part in parts)

"""Refusals that a caller sees: RFC 9457 problem details with a stable code."""

from collections.abc import Sequence
from dataclasses import dataclass, field


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

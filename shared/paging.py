"""Lists page by page: a limit, and an opaque cursor that holds the last row's sort key."""

import base64
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import TypeAdapter, ValidationError

from shared.commands import rendered
from shared.problem import Fault, Problem

LIMIT_MAX: Final = 200
LIMIT_DEFAULT: Final = 50

#: A list's `limit`; write `limit: Limit = LIMIT_DEFAULT`.
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
#: A list's `cursor`, as `next_cursor` gave it; write `cursor: Cursor = None`.
Cursor = Annotated[str | None, Query(max_length=500)]


def page(rows: Sequence[Any], limit: int, *key: str) -> dict[str, object]:
    """Give a page of rows that were asked for with LIMIT `limit` + 1: one too many tells of more.

    `key` names the columns that the rows are sorted by; they end with a unique one.
    """
    items: list[Mapping[str, Any]] = [dict(row) for row in rows[:limit]]
    last = [items[-1][name] for name in key] if len(rows) > limit else None
    cursor = base64.urlsafe_b64encode(rendered(last)).decode().rstrip("=") if last else None
    return {"items": items, "next_cursor": cursor}


def after(cursor: str | None, *kinds: Any) -> tuple[Any, ...]:  # noqa: ANN401 (types of any kind)
    """Read a cursor back into its key's values, of these types; all None at the first page.

    Raises a `Problem` (422) for a cursor that `page` never gave.
    """
    if cursor is None:
        return (None,) * len(kinds)
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        form: Any = tuple.__class_getitem__(kinds)
        values: tuple[Any, ...] = TypeAdapter(form).validate_json(text)
    except (ValidationError, ValueError):
        detail = "游标无效，请从第一页开始。The cursor is not one of ours; start at the first page."
        fault = Fault("/cursor", "invalid_cursor", detail)
        raise Problem(422, "invalid", detail, [fault]) from None
    return values

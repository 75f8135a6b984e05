"""The words of a receipt, Chinese first; of persons only what issues show, which is masked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from services.registry.roster.messages import english

TITLE: Final = "花名册批次回执 Roster receipt"
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_KINDS: Final = {"origin_roster": "输出地花名册 origin roster", "new_hires": "新入职名单 new hires"}
_STATES: Final = {
    "accepted": "全部接收 accepted",
    "partly_accepted": "部分接收 partly accepted",
    "rejected": "未接收 rejected",
}
_SEVERITIES: Final = {"error": "错误 error", "warning": "提醒 warning", "info": "告知 notice"}
_COUNTS: Final = (
    ("row_count", "总行数 rows"),
    ("accepted_count", "接收 accepted"),
    ("rejected_count", "退回 rejected"),
    ("duplicate_count", "重复 duplicate"),
    ("warning_count", "提醒 warnings"),
    ("nominated_count", "报送 nominated"),
    ("group_count", "同行组 groups"),
)


class Kind(NamedTuple):
    """All issues of one code: how many, in how many rows, and how to mend them."""

    code: str
    severity: str
    issue_count: int
    row_count: int
    advice: str


class Fault(NamedTuple):
    """One issue that left a row out; the value is masked."""

    row: int | None
    column: str
    header: str
    code: str
    advice: str
    value_masked: str


class Receipt(NamedTuple):
    """A receipt as it is printed: facts and counts as (caption, text).

    `unlisted` faults more are only counted. It is JSON as it stands: an array.
    """

    title: str
    facts: list[tuple[str, str]]
    counts: list[tuple[str, int]]
    kinds: list[Kind]
    faults: list[Fault]
    unlisted: int

    @classmethod
    def from_json(cls, told: Sequence[Any]) -> Self:
        """Give the receipt that was told as an array."""
        title, facts, counts, kinds, faults, unlisted = told
        return cls(
            title, facts, counts, [Kind(*k) for k in kinds], [Fault(*f) for f in faults], unlisted
        )


def receipt_of(
    batch: Mapping[str, Any],
    issues_by_code: Sequence[Mapping[str, Any]],
    errors: Sequence[Mapping[str, Any]],
) -> Receipt:
    """Put a finished batch's receipt together; `errors` may be only the first of them."""
    return Receipt(
        TITLE,
        [
            ("单位 tenant", batch["tenant_name"] or ""),
            ("批次 batch", str(batch["batch_id"])),
            ("类别 kind", _KINDS[batch["kind"]]),
            ("结果 state", _STATES[batch["state"]]),
            ("提交时间 submitted", _told(batch["submitted_at"])),
            ("完成时间 finished", _told(batch["finished_at"])),
        ],
        [(caption, batch[name]) for name, caption in _COUNTS],
        [_kind(row) for row in issues_by_code],
        [
            Fault(
                r["row_number"], r["column_letter"] or "", r["header"] or "", r["code"],
                r["message"] + english(r["code"]), r["value_masked"] or "",
            )
            for r in errors
        ],
        sum(r["issue_count"] for r in issues_by_code if r["severity"] == "error") - len(errors),
    )  # fmt: skip


def _kind(row: Mapping[str, Any]) -> Kind:
    severity = _SEVERITIES[row["severity"]]
    return Kind(row["code"], severity, row["issue_count"], row["row_count"], row["message"])


def _told(instant: datetime) -> str:
    return f"{instant.astimezone(_ZONE):%Y-%m-%d %H:%M}"

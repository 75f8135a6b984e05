"""Gives the answer that a server would give to a file, as far as the file itself decides it."""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, Final

from services.registry.roster.example import NOT_READ
from services.registry.roster.fields import Kind
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from services.registry.roster.settle import Outcome, Standing, settle
from services.registry.roster.told import issues_of
from services.registry.roster.work import Job, checked_rows, opened_file

_LIMITS: Final = Limits()


def check_file(path: Path | str, kind: Kind, division_code: str, today: date) -> dict[str, Any]:
    """Check a roster without a server: `{state, row_count, ..., issues}`, or `{refused: {...}}`.

    `state` and counts are those of a batch whose persons nobody has brought before; a refused file
    gives `refused` with the `status`, `code` and `detail` of the POST's answer. An empty template
    is good here; a server refuses it, for nobody is in it.
    """
    path = Path(path)
    job = Job(path.name, kind, division_code, today, _LIMITS)
    try:
        return _checked(path.read_bytes(), job)
    except FileRefused as refused:
        told = {"status": refused.status, "code": refused.code, "detail": refused.told}
        return {"file": path.name, "kind": kind, "refused": told}


def _checked(data: bytes, job: Job) -> dict[str, Any]:
    opened = opened_file(data, job)
    layout, rows = opened.layout, list(checked_rows(opened, job))
    # A template that nobody has filled in yet has no fault to mend.
    if not rows and NOT_READ not in {n.code for n in layout.notices}:
        raise FileRefused("no_rows", "表头之下没有人员。")
    standings = [
        Standing(
            row=r.row,
            person=(r.values.get("resident_id") or "").encode() or None,
            has_error=r.has_error,
            name=r.values.get("name") or "",
            companions=r.values.get("companions") or "",
        )
        for r in rows
    ]
    settled = settle(standings, group_members_max=job.limits.group_members_max)
    issues = list(layout.notices)
    warnings = 0
    for row, one in zip(rows, settled, strict=True):
        told = issues_of(row, one, layout)
        issues += told
        if one.outcome is Outcome.ACCEPTED:
            warnings += sum(i.severity == "warning" for i in told)
    count = Counter(one.outcome for one in settled)
    return {
        "file": job.filename,
        "kind": job.kind,
        "state": _state(count),
        "row_count": len(rows),
        "accepted_count": count[Outcome.ACCEPTED],
        "rejected_count": count[Outcome.REJECTED],
        "duplicate_count": count[Outcome.DUPLICATE],
        "warning_count": warnings,
        "issues": [issue.as_dict() for issue in issues],
    }


def _state(count: Counter[Outcome]) -> str:
    if not count[Outcome.REJECTED]:
        return "accepted"
    return "partly_accepted" if count[Outcome.ACCEPTED] else "rejected"

"""The demo's rosters: invented persons of several counties a file, some rows wrong on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal

from stack.demo.world import FREE_ON
from stack.people import HEADERS, HIRE_HEADERS, Format, RosterSpec, Row, invented_rows, written

_GROUP: Final = "同行人(组)"


@dataclass(frozen=True)
class Part:
    """So many persons of one county; the county follows from the seed."""

    count: int
    seed: int
    faults: Mapping[str, int]


@dataclass(frozen=True)
class Roster:
    """A file that an office or an enterprise sends."""

    name: str
    account: str
    drive: str | None
    division_code: str
    form: Format
    parts: tuple[Part, ...]
    kind: Literal["origin_roster", "new_hires"] = "origin_roster"
    group_share: float = 0.1
    #: Who gets one of few jobs is nobody's plan: there all need a bed and a seat, or none.
    alike: bool = False

    @property
    def filename(self) -> str:
        """What the file is called."""
        return f"{self.name}.{self.form.split('-')[0]}"


# 530902 and 530922; 532502 and 532527; 341202 and 341226: the counties where the vehicles stop.
ROSTERS: Final = (
    Roster(
        "临沧花名册", "office-lincang", "lincang", "530900", "xlsx",
        (
            Part(300, 5, {"id_checksum": 4, "phone_missing": 3, "duplicate_in_file": 2}),
            Part(160, 7, {"name_missing": 2, "id_old_format": 1, "gender_mismatch": 3}),
        ),
    ),
    Roster(
        "红河花名册", "office-honghe", "honghe", "532500", "xls",
        (
            Part(180, 11, {"id_length": 2, "phone_invalid": 3}),
            Part(150, 13, {"under_age": 1, "date_invalid": 2, "value_unclear": 2}),
        ),
    ),
    Roster(
        "阜阳花名册", "office-fuyang", "fuyang", "341200", "csv-gb18030",
        (
            Part(140, 15, {"id_birthdate": 2, "duplicate_in_file": 1}),
            Part(110, 19, {"id_checksum": 2, "phone_missing": 1}),
        ),
    ),
    Roster(
        "南翔小专场花名册", "office-fuyang", "scarce", "341200", "csv",
        (Part(30, 20, {"id_checksum": 1}),), group_share=0.0, alike=True,
    ),
)  # fmt: skip

HIRES: Final = (
    Roster(
        "长兴新录用", "enterprise-changxing", None, "341282", "xlsx", (Part(30, 1, {}),),
        "new_hires", 0.0,
    ),
    Roster(
        "南翔新录用", "enterprise-nanxiang", None, "341282", "csv", (Part(18, 2, {}),),
        "new_hires", 0.0,
    ),
)  # fmt: skip


def content(roster: Roster, today: date) -> bytes:
    """Write a roster's file; the same day gives the same bytes."""
    rows = [row for part in roster.parts for row in _rows(roster, part, today)]
    for i, row in enumerate(rows, 1):
        row["序号"] = str(i)
    headers = HIRE_HEADERS if roster.kind == "new_hires" else HEADERS
    return written(headers, rows, roster.form)


def _rows(roster: Roster, part: Part, today: date) -> list[Row]:
    spec = RosterSpec(
        part.count,
        part.seed,
        roster.division_code,
        roster.kind,
        part.faults,
        available_from=today + timedelta(days=FREE_ON),
        hired_on=today,
        group_share=roster.group_share,
    )
    rows = invented_rows(replace(spec, bed_share=1.0, boarding_share=1.0) if roster.alike else spec)
    for row in rows:
        # Two parts of a file may each have a first group.
        if row[_GROUP]:
            row[_GROUP] = f"{part.seed}-{row[_GROUP]}"
    return rows

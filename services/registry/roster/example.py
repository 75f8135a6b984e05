"""The example row of the template: it shows how to fill a row in, and is nobody."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.registry.roster.fields import NAME, RESIDENT_ID
from services.registry.roster.header import Header
from services.registry.roster.ids import EXAMPLE_ID
from services.registry.roster.issue import Issue
from services.registry.roster.messages import message
from services.registry.roster.sheet import Value
from services.registry.roster.text import clean

NOT_READ: Final = "example_not_read"
EXAMPLE: Final[Mapping[str, str]] = {
    "serial": "1",
    NAME: "（示例）张三",
    "gender": "男",
    RESIDENT_ID: EXAMPLE_ID,
    "ethnicity": "汉族",
    "education": "初中",
    "registered_residence": "云南省临沧市临翔区",
    "present_residence": "云南省临沧市临翔区",
    "phone": "13800000000",
    "emergency_contact": "李四",
    "emergency_phone": "13900000000",
    "poverty_lifted_worker": "否",
    "monitored_person": "否",
    "certificates": "电工证",
    "preferred_occupation": "焊工",
    "preferred_pay": "5000-7000",
    "available_from": "2027-03-01",
    "companions": "第1组",
    "boarding_point": "客运站",
    "needs_bed": "是",
    "hired_on": "2027-03-01",
    "site": "嘉定工业区",
    "notes": "请删除本示例行",
}


def is_example(row: Sequence[Value], header: Header) -> bool:
    """Tell whether a row is the template's own, forgotten: name and number are as printed there."""
    return all(
        column is not None and column < len(row) and clean(row[column]) == clean(EXAMPLE[field])
        for field in (NAME, RESIDENT_ID)
        for column in (header.column_of(field),)
    )


def not_read(number: int) -> Issue:
    """Make the notice of an example left out; `number` is its row from 0."""
    told = message(NOT_READ, row=number + 1)
    return Issue(None, None, None, None, NOT_READ, "info", told)

"""Finds the persons of rosters in any bytes: names, ID numbers, phones, what was typed of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from stack.people import Row

_ID = re.compile(rb"(?=(\d{17}[\dXx]))")
_PHONE = re.compile(rb"(?=(1[3-9]\d{9}))")
_HAN = re.compile(r"[\u4e00-\u9fff]{3,}")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
NAME_LENGTH = 3
#: Stands in the remarks of every row.
CANARY = "金丝雀"


@dataclass
class Persons:
    """Everything personal of some roster rows; `found_in` gives what of it some bytes hold."""

    numbers: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=lambda: {CANARY})

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Persons":
        found = cls()
        for row in rows:
            found.numbers |= {row["身份证号"], row["联系电话"], row["紧急联系电话"]} - {""}
            found.names |= {row["姓名"], row["紧急联系人"]} - {""}
        return found

    def found_in(self, data: bytes) -> set[str]:
        """Give what is found, also where the text is written in JSON's escapes."""
        numbers = {m.decode().upper() for m in (*_ID.findall(data), *_PHONE.findall(data))}
        text = data.decode("utf-8", "ignore")
        if "\\u" in text:
            text += "\n" + _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)
        windows = {
            run[i : i + NAME_LENGTH]
            for run in set(_HAN.findall(text))
            for i in range(len(run) - NAME_LENGTH + 1)
        }
        return (numbers & self.numbers) | (windows & self.names)

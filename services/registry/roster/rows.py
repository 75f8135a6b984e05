"""Which rows below the header are people, and which are blank, totals or signatures."""

from collections.abc import Collection, Sequence
from typing import Final

from services.registry.roster.sheet import Value
from services.registry.roster.text import clean

_FOOTERS: Final = (
    "合计", "总计", "小计", "填表", "制表", "审核", "单位", "联系人", "说明",
    "备注", "注:", "以下空白",
)  # fmt: skip


def is_counted(
    row: Sequence[Value],
    persons: Sequence[int],
    serial: int | None,
    computed: Collection[int] = (),
) -> bool:
    """Tell whether a row is a person's (rosters.md, "rows not counted").

    `persons` are the columns of names and numbers, `computed` those with formulas in this row. What
    a formula shows is not trusted, an empty text as little as another: one for the name or the
    number makes a person's row of all but a footer.
    """
    # Nearly every row is a person's: whoever has a name or a number is one, whatever else is there.
    for column in persons:
        if column < len(row) and column not in computed and clean(row[column]):
            return True
    claimed = any(c in computed for c in persons)
    filled = [(i, clean(v)) for i, v in enumerate(row) if v is not None and v != ""]
    filled = [(i, text) for i, text in filled if text and not (claimed and i in computed)]
    # Words are often spread over their cell: 合　计.
    if filled and filled[0][1].replace(" ", "").startswith(_FOOTERS):
        return False
    return claimed or any(i != serial for i, _ in filled)

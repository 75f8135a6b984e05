"""How large a roster may be, and what reading it may cost."""

from dataclasses import dataclass
from typing import Final

#: A header stands among so many rows at the top.
SEARCHED_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one roster file (rosters.md, "The file"); each is a setting of the registry."""

    file_bytes_max: int = 20 * 1024 * 1024
    unpacked_bytes_max: int = 200 * 1024 * 1024
    # Below this size a high compression ratio is a plain office habit, not a bomb.
    ratio_from_bytes: int = 10 * 1024 * 1024
    ratio_max: int = 100
    members_max: int = 2000
    rows_max: int = 200_000
    columns_max: int = 100
    csv_line_bytes_max: int = 64 * 1024
    xml_depth_max: int = 100
    group_members_max: int = 20
    child_memory_bytes_max: int = 1024 * 1024 * 1024
    child_cpu_s_max: int = 120
    # A first look is bounded in work; on a busy machine sound files take many times its seconds.
    preflight_cpu_s_max: int = 12
    preflight_s_max: float = 45.0

    @property
    def sheet_rows_max(self) -> int:
        """How many rows of a sheet may have something in them: the header's own beside people's."""
        return self.rows_max + SEARCHED_ROWS

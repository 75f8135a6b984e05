"""What must always hold over stays, beds and guests."""

from collections.abc import Mapping
from typing import Final

#: Name of an invariant -> a query whose every row is a violation (one text column).
INVARIANTS: Final[Mapping[str, str]] = {
    "a bed holds one guest a night": """
        SELECT a.bed_id::text FROM occupancy a JOIN occupancy b
        ON a.bed_id = b.bed_id AND a.nights && b.nights AND a.stay_id < b.stay_id""",
    "a guest lies in one bed a night": """
        SELECT a.worker_id::text FROM occupancy a JOIN occupancy b
        ON a.worker_id = b.worker_id AND a.nights && b.nights AND a.stay_id < b.stay_id""",
    "a room-night holds one gender": """
        SELECT DISTINCT a.room_id::text FROM occupancy a JOIN occupancy b
        ON a.room_id = b.room_id AND a.nights && b.nights AND a.gender < b.gender
        AND a.family_id <> b.family_id""",
    "a confirmed stay has its bed": """
        SELECT stay_id::text FROM stay WHERE state IN ('held', 'confirmed') AND NOT EXISTS
            (SELECT FROM occupancy o WHERE o.stay_id = stay.stay_id AND o.bed_id = stay.bed_id)
        """,
    "a stay is some known tenants'": """
        SELECT stay_id::text FROM stay s
        WHERE NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = s.enterprise_id)
        OR (s.office_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = s.office_id))""",
    "a released stay holds no bed": """
        SELECT stay_id::text FROM stay JOIN occupancy USING (stay_id)
        WHERE state IN ('requested', 'waitlisted', 'rejected', 'released')""",
}

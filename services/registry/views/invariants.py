"""What must always hold over people, batches and nominations."""

from collections.abc import Mapping
from typing import Final

#: Name of an invariant -> a query whose every row is a violation (one text column).
INVARIANTS: Final[Mapping[str, str]] = {
    "rows of a batch = accepted + rejected + duplicate": """
        SELECT batch_id::text FROM worker_batch
        WHERE row_count <> accepted_count + rejected_count + duplicate_count""",
    "a person has one active nomination": """
        SELECT worker_id::text FROM nomination WHERE state = 'active'
        GROUP BY worker_id HAVING count(*) > 1""",
    "a relation is one tenant's": """
        SELECT relation_id::text FROM relation r
        WHERE NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = r.tenant_id)""",
}

"""What must always hold over accounts."""

from collections.abc import Mapping
from typing import Final

#: Name of an invariant -> a query whose every row is a violation (one text column).
INVARIANTS: Final[Mapping[str, str]] = {
    "an account is some tenant's": """
        SELECT account_id::text FROM account a
        WHERE NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = a.tenant_id)""",
}

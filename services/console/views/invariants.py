"""What must always hold over accounts, and over what web hooks are told."""

from collections.abc import Mapping
from typing import Final

#: Name of an invariant -> a query whose every row is a violation (one text column).
INVARIANTS: Final[Mapping[str, str]] = {
    "an account is some tenant's": """
        SELECT account_id::text FROM account a
        WHERE NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = a.tenant_id)""",
    # The newest only: it is asked every few minutes.
    "a web hook is told of what names its tenant": """
        SELECT d.event_id::text FROM hook_delivery d JOIN event e USING (event_id)
        WHERE d.made_at > clock_timestamp() - interval '1 hour'
        AND e.audience <> '{}' AND e.origins = '{}' AND NOT d.tenant_id = ANY (e.audience)""",
}

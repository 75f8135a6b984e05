"""Invariants inside one service's database: each is a query that finds what must not be."""

from collections.abc import Mapping
from typing import Final

from services.console.views.invariants import INVARIANTS as CONSOLE
from services.lodging.views.invariants import INVARIANTS as LODGING
from services.recruitment.views import INVARIANTS as RECRUITMENT
from services.registry.views.invariants import INVARIANTS as REGISTRY
from services.transport.views import INVARIANTS as TRANSPORT
from shared.ops import INVARIANTS as PLUMBING

#: Service -> name of the invariant -> a query whose every row is a violation (one text column).
QUERIES: Final[Mapping[str, Mapping[str, str]]] = {
    "registry": REGISTRY,
    "recruitment": RECRUITMENT,
    "transport": TRANSPORT,
    "lodging": LODGING,
    "console": CONSOLE,
}
EVERYWHERE: Final[Mapping[str, str]] = {
    **PLUMBING,
    "sequences of what was said have no gap": """
        SELECT subject FROM (SELECT subject, sequence FROM event_log WHERE topic !~ '[.]dlt$'
            UNION SELECT subject, sequence FROM outbox WHERE topic !~ '[.]dlt$') said
        GROUP BY subject HAVING count(*) <> max(sequence) OR min(sequence) <> 1""",
}

"""What the console shows, each under the caller's row security."""

from services.console.views.events import last_feed_id, list_events, read_on
from services.console.views.journeys import get_journey, list_journeys, list_tasks
from services.console.views.tenants import get_account, get_tenant, list_accounts, list_tenants

__all__ = [
    "get_account",
    "get_journey",
    "get_tenant",
    "last_feed_id",
    "list_accounts",
    "list_events",
    "list_journeys",
    "list_tasks",
    "list_tenants",
    "read_on",
]

"""Rules of accounts and sign-in: names, passwords, roles, and how often one may guess."""

import re
from typing import Final

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")
PASSWORD_LENGTH_MIN: Final = 12
PASSWORD_LENGTH_MAX: Final = 200
ROLES: Final = frozenset({"coordinator", "escort", "admin"})
# Ten wrong passwords within a quarter of an hour, then the name rests.
FAILURES_MAX: Final = 10
FAILURES_WINDOW_S: Final = 900
TOKEN_LIFETIME_S: Final = 300
SESSION_LIFETIME_S: Final = 12 * 3600
RECOVERY_CODES: Final = 10
#: Who may have names shown to them; the rights themselves are the registry's.
_SEES_NAMES: Final = frozenset({"office", "enterprise", "inn"})
_ROLES_THAT_SEE: Final = frozenset({"coordinator", "escort"})


def is_name(text: str) -> bool:
    """Tell whether a text may be an account's name."""
    return NAME.fullmatch(text) is not None


def may_see_names(tenant_kind: str, roles: frozenset[str]) -> bool:
    """Tell whether an account may come to see names: then it needs a second factor."""
    return tenant_kind in _SEES_NAMES or bool(roles & _ROLES_THAT_SEE)


def roles_of(tenant_kind: str) -> frozenset[str]:
    """Give the roles that accounts of such a tenant may have."""
    return ROLES if tenant_kind == "bureau" else frozenset({"admin"})


def roles_fit(tenant_kind: str, roles: frozenset[str]) -> bool:
    """Tell whether a tenant of this kind may have accounts with these roles.

    Only a bureau coordinates and escorts; every tenant may have administrators of its own accounts.
    """
    return roles <= roles_of(tenant_kind)

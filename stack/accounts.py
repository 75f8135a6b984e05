"""The tenants and accounts that a local stack has from its first start; it invents passwords."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from stdnum.cn import uscc as uscc_rules

from contracts import OWNER_TENANT_ID
from stack.files import write_secret

PASSWORD_BYTES: Final = 12
_TENANT_BASE: Final = UUID("01890000-0000-7000-8000-000000000100").int
_INN_BASE: Final = UUID("01890000-0000-7000-8000-000000000200").int
# An enterprise registered in Shanghai: how the codes of our invented ones begin.
_USCC_PREFIX: Final = "91310000MA1K"


@dataclass(frozen=True)
class Account:
    """One account and the tenant it belongs to, as `shanhai accounts --json` prints it."""

    account: str
    password: str
    tenant_id: str
    tenant_kind: str
    tenant_name: str
    roles: tuple[str, ...] = ()
    division_code: str = "310000"
    uscc: str | None = None
    inn_ids: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the account as JSON's kinds of values."""
        return {**asdict(self), "roles": list(self.roles), "inn_ids": list(self.inn_ids)}


def invented_uscc(number: int) -> str:
    """Make the valid code (GB 32100) of an invented enterprise; `number` up to 99,999."""
    body = f"{_USCC_PREFIX}{number:05d}"
    return body + str(uscc_rules.calc_check_digit(body))


def tenant_id(number: int) -> UUID:
    """Give the fixed id of the local stack's n-th tenant."""
    return UUID(int=_TENANT_BASE + number)


def inn_id(number: int) -> UUID:
    """Give the fixed id of the local stack's n-th inn."""
    return UUID(int=_INN_BASE + number)


@dataclass(frozen=True)
class _Tenant:
    account: str
    kind: str
    name: str
    division_code: str
    uscc: str | None = None
    inn_ids: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    tenant_id: UUID | None = None


_TENANTS: Final = (
    _Tenant("office-lincang", "office", "临沧市人力资源和社会保障局", "530900"),
    _Tenant("office-honghe", "office", "红河州人力资源和社会保障局", "532500"),
    _Tenant("office-fuyang", "office", "阜阳市人力资源和社会保障局", "341200"),
    _Tenant("enterprise-changxing", "enterprise", "长兴海工装备", "310151", invented_uscc(1)),
    _Tenant("enterprise-nanxiang", "enterprise", "南翔点心食品", "310114", invented_uscc(2)),
    _Tenant("inn-jiading", "inn", "嘉定有嘉客栈", "310114", inn_ids=(str(inn_id(1)),)),
    _Tenant("inn-nanxiang", "inn", "南翔有嘉客栈", "310114", inn_ids=(str(inn_id(2)),)),
    _Tenant(
        "coordinator", "bureau", "上海市人力资源和社会保障局", "310000",
        roles=("coordinator",), tenant_id=OWNER_TENANT_ID,
    ),
    _Tenant("auditor", "auditor", "审计", "310000"),
    _Tenant(
        "admin", "bureau", "上海市人力资源和社会保障局", "310000",
        roles=("admin",), tenant_id=OWNER_TENANT_ID,
    ),
)  # fmt: skip


def ensure_accounts(path: Path) -> list[Account]:
    """Read the accounts of a local stack; invent passwords and write the file when missing."""
    if not path.exists():
        made = [_account(i, tenant) for i, tenant in enumerate(_TENANTS, 1)]
        write_secret(path, json.dumps([a.to_json() for a in made], ensure_ascii=False, indent=1))
    return read_accounts(path)


def read_accounts(path: Path) -> list[Account]:
    """Read the accounts that a local stack was made with."""
    return [
        Account(**{**one, "roles": tuple(one["roles"]), "inn_ids": tuple(one["inn_ids"])})
        for one in json.loads(path.read_text("utf-8"))
    ]


def _account(number: int, tenant: _Tenant) -> Account:
    return Account(
        account=tenant.account,
        password=secrets.token_urlsafe(PASSWORD_BYTES),
        tenant_id=str(tenant.tenant_id or tenant_id(number)),
        tenant_kind=tenant.kind,
        tenant_name=tenant.name,
        roles=tenant.roles,
        division_code=tenant.division_code,
        uscc=tenant.uscc,
        inn_ids=tenant.inn_ids,
    )

"""Who may sign in, and what a token says."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import jwt
import pyotp
import pytest
import pytest_asyncio

from contracts import OWNER_TENANT_ID
from services.console.domain.account import FAILURES_MAX
from services.console.handlers.seed import seed
from services.console.settings import ConsoleSettings
from services.console.signing import AUDIENCE
from shared.clock import real_now
from shared.database import Database
from shared.ids import Ids
from shared.tokens import Access
from tests.support.http import an_admin, an_office, app_client, bearer
from tests.support.postgres import ServiceDb

PASSWORD = "a long enough password"
IDS = Ids()
LINCANG: dict[str, Any] = {
    "account": "office-lincang",
    "password": PASSWORD,
    "tenant_id": str(IDS.uuid7()),
    "tenant_kind": "office",
    "tenant_name": "临沧市人社局",
    "roles": [],
    "division_code": "530900",
}
BUREAU: dict[str, Any] = {
    "account": "admin",
    "password": PASSWORD,
    "tenant_id": str(OWNER_TENANT_ID),
    "tenant_kind": "bureau",
    "tenant_name": "上海市人社局",
    "roles": ["admin"],
    "division_code": "310000",
}


@pytest_asyncio.fixture
async def db(service_db: ServiceDb) -> Database:
    return await service_db("console")


@pytest_asyncio.fixture
async def client(db: Database, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    settings = ConsoleSettings.model_construct(
        signing_key_file=tmp_path / "signing.pem", local_stack=True, issuer_url="http://issuer",
        registry_url="http://registry", recruitment_url="", transport_url="", lodging_url="",
        seed_file=None,
    )  # fmt: skip
    async with app_client("console", db, settings=settings) as opened:
        yield opened


async def sign_in(client: httpx2.AsyncClient, **given: str) -> httpx2.Response:
    return await client.post("/v1/tokens", json={"password": PASSWORD} | given)


async def said(db: Database) -> list[str]:
    async with db.transaction(role="worker") as tx:
        rows = await tx.fetch("SELECT headers->>'ce_type' AS t FROM outbox ORDER BY outbox_id")
    return [r["t"] for r in rows]


async def test_a_seed_registers_each_tenant_and_account_once(db: Database) -> None:
    second = LINCANG | {"account": "office-lincang-2"}
    for _ in range(2):
        await seed(db, [LINCANG, BUREAU, second])
    assert await said(db) == ["console.tenant-registered.v1"] * 2
    async with db.transaction(role="worker") as tx:
        assert await tx.fetchval("SELECT count(*) FROM account") == 3


async def test_a_token_is_proven_by_the_published_keys(
    db: Database, client: httpx2.AsyncClient
) -> None:
    await seed(db, [LINCANG])
    token = (await sign_in(client, account="office-lincang")).json()["access_token"]
    keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert set(keys[0]) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    claims = jwt.decode(
        token, jwt.PyJWK(keys[0]), algorithms=["ES256"], audience=AUDIENCE, issuer="http://issuer"
    )
    assert claims["tenant_id"] == LINCANG["tenant_id"]
    assert (claims["tenant_kind"], claims["division_code"]) == ("office", "530900")
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.parametrize("given", [{"account": "nobody"}, {"password": "another password"}])
async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(
    db: Database, client: httpx2.AsyncClient, given: dict[str, str]
) -> None:
    await seed(db, [LINCANG])
    answer = await sign_in(client, **({"account": "office-lincang"} | given))
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")


async def test_guessing_is_stopped_and_the_right_password_waits_too(
    db: Database, client: httpx2.AsyncClient
) -> None:
    await seed(db, [LINCANG])
    for _ in range(FAILURES_MAX):
        await sign_in(client, account="office-lincang", password="a wrong password")
    answer = await sign_in(client, account="office-lincang")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_failures")
    assert answer.headers["Retry-After"] == "900"


async def test_a_second_factor_is_asked_for_once_it_is_set(
    db: Database, client: httpx2.AsyncClient
) -> None:
    await seed(db, [LINCANG, BUREAU])
    admin = bearer(await an_admin(db))
    accounts = (await client.get("/v1/accounts", headers=admin)).json()["items"]
    mine = next(a for a in accounts if a["account"] == "office-lincang")
    assert mine["second_factor"] is False
    secret = pyotp.random_base32()
    await client.patch(
        f"/v1/accounts/{mine['account_id']}", json={"totp_secret": secret}, headers=admin
    )
    without = await sign_in(client, account="office-lincang")
    assert (without.status_code, without.json()["code"]) == (401, "second_factor")
    code = pyotp.TOTP(secret).now()
    assert (await sign_in(client, account="office-lincang", totp=code)).status_code == 200


async def test_an_account_that_is_shut_signs_in_no_more_and_its_tokens_are_void(
    db: Database, client: httpx2.AsyncClient
) -> None:
    await seed(db, [LINCANG, BUREAU])
    admin = bearer(await an_admin(db))
    accounts = (await client.get("/v1/accounts", headers=admin)).json()["items"]
    mine = next(a for a in accounts if a["account"] == "office-lincang")
    url = f"/v1/accounts/{mine['account_id']}"
    office = await an_office(
        db, account_id=UUID(mine["account_id"]), tenant_id=UUID(LINCANG["tenant_id"])
    )
    issued_at = real_now()
    assert await Access(db).allows(office, issued_at)
    assert (await client.patch(url, json={"active": False}, headers=admin)).status_code == 200
    assert (await sign_in(client, account="office-lincang")).status_code == 401
    assert (await said(db))[-1] == "console.access-revoked.v1"
    # The console doesn't hear itself, and is asked with the same tokens as the others.
    assert not await Access(db).allows(office, issued_at)
    assert await Access(db).allows(office, real_now())


async def test_an_office_keeps_no_tenants_and_sees_only_its_own(
    db: Database, client: httpx2.AsyncClient
) -> None:
    await seed(db, [LINCANG, BUREAU])
    office = bearer(await an_office(db))
    assert (await client.get("/v1/accounts", headers=office)).json()["items"] == []
    body = {"kind": "office", "name": "保山市人社局", "division_code": "530500"}
    assert (await client.post("/v1/tenants", json=body, headers=office)).status_code == 403
    foreign = f"/v1/tenants/{LINCANG['tenant_id']}"
    assert (await client.get(foreign, headers=office)).status_code == 404


async def test_a_slip_in_a_code_or_in_a_fields_name_registers_and_shuts_nobody(
    db: Database, client: httpx2.AsyncClient
) -> None:
    admin = bearer(await an_admin(db))
    body = {"kind": "enterprise", "name": "试点企业", "division_code": "310114"}
    code = "91350100M000100Y43"
    slip = await client.post("/v1/tenants", json=body | {"uscc": f"{code[:-1]}4"}, headers=admin)
    assert (slip.status_code, slip.json()["errors"][0]["code"]) == (422, "uscc_checksum")
    made = await client.post("/v1/tenants", json=body | {"uscc": code}, headers=admin)
    url = f"/v1/tenants/{made.json()['tenant_id']}"
    typed = await client.put(url, json=body | {"uscc": code, "actve": False}, headers=admin)
    assert (typed.status_code, typed.json()["errors"][0]["pointer"]) == (422, "/actve")
    assert await said(db) == ["console.tenant-registered.v1"]


async def test_a_registered_tenant_is_told_to_everyone(
    db: Database, client: httpx2.AsyncClient
) -> None:
    admin = bearer(await an_admin(db))
    body = {"kind": "office", "name": "保山市人社局", "division_code": "530500"}
    made = await client.post("/v1/tenants", json=body, headers=admin)
    assert made.status_code == 201
    url = f"/v1/tenants/{made.json()['tenant_id']}"
    changed = await client.put(url, json=body | {"active": False}, headers=admin)
    assert changed.json()["active"] is False
    assert await said(db) == [
        "console.tenant-registered.v1", "console.tenant-changed.v1", "console.access-revoked.v1",
    ]  # fmt: skip

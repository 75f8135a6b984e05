"""Whose token counts, and that a forged, foreign, late or revoked one does not."""

import time
from typing import Any
from uuid import UUID, uuid4

import httpx2
import jwt
import pytest
import pytest_asyncio

from contracts.console import AccessRevoked, TenantRegistered
from shared import tenants, tokens
from shared.clock import real_now
from shared.database import Database
from shared.problem import Problem
from shared.tokens import Access, Keys, Tokens
from tests.support.http import an_office
from tests.support.issuer import ISSUER, Issuer
from tests.support.postgres import ServiceDb


@pytest.fixture
def issuer() -> Issuer:
    made = Issuer()
    made.add_key("k1")
    return made


@pytest_asyncio.fixture
async def db(service_db: ServiceDb) -> Database:
    return await service_db("lodging")


@pytest_asyncio.fixture
async def verifier(issuer: Issuer, db: Database, monkeypatch: pytest.MonkeyPatch) -> Tokens:
    monkeypatch.setattr(tokens, "KEYS_RETRY_S", 0.0)
    monkeypatch.setattr(tokens, "ACCESS_FRESH_S", 0.0)
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(issuer.answer))
    return Tokens(ISSUER, Keys(ISSUER, client), Access(db))


async def refused(verifier: Tokens, token: str) -> Problem:
    with pytest.raises(Problem) as caught:
        await verifier.verify(token)
    return caught.value


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
@pytest.mark.parametrize("discovery", [False, True])
async def test_a_signed_token_names_its_caller(
    issuer: Issuer,
    verifier: Tokens,
    algorithm: str,
    discovery: bool,  # noqa: FBT001
) -> None:
    issuer.discovery = discovery
    issuer.add_key("k2", algorithm)
    account, tenant, inn = uuid4(), uuid4(), uuid4()
    token = issuer.token(
        "k2", sub=str(account), tenant_id=str(tenant), tenant_kind="inn", inn_ids=[str(inn)],
        roles=["escort", "root"],
    )  # fmt: skip
    identity = await verifier.verify(token)
    assert (identity.account_id, identity.tenant_id) == (account, tenant)
    assert identity.inn_ids == (inn,)
    assert identity.roles == {"escort"}


async def test_another_issuers_subject_that_is_no_uuid_is_the_same_account_each_time(
    issuer: Issuer, verifier: Tokens
) -> None:
    names = [await verifier.verify(issuer.token(sub=sub)) for sub in ("li", "li", "wang")]
    assert names[0].account_id == names[1].account_id != names[2].account_id


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": None},
        {"iat": 32_503_680_000},
        {"iat": 1_700_000_000},
        {"aud": "another"},
        {"aud": None},
        {"iss": "http://evil.test"},
        {"sub": None},
        {"tenant_id": None},
        {"tenant_id": "no uuid"},
        {"tenant_kind": "emperor"},
    ],
    ids=str,
)
async def test_a_token_with_a_wrong_claim_is_refused(
    issuer: Issuer, verifier: Tokens, claims: dict[str, Any]
) -> None:
    problem = await refused(verifier, issuer.token(**claims))
    assert (problem.status, problem.code) == (401, "invalid_token")
    assert problem.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_a_token_without_a_signature_of_ours_is_refused(
    issuer: Issuer, verifier: Tokens
) -> None:
    good = issuer.token()
    said = jwt.decode(good, options={"verify_signature": False})
    public = issuer.private["k1"][1].public_key().public_bytes_raw()
    forger = Issuer()
    forger.add_key("k1")
    forged = {
        "none": jwt.encode(said, None, "none", headers={"kid": "k1"}),
        "its public key as a secret": jwt.encode(said, public, "HS256", headers={"kid": "k1"}),
        "another key of that name": forger.token("k1"),
        "cut": good[:-4],
        "no token": "garbage",
        "long": good + "x" * 9_000,
        "kid of another kind": issuer.token(header={"kid": "../../etc"}),
    }
    for what, token in forged.items():
        assert (await refused(verifier, token)).status == 401, what


async def test_a_new_key_counts_at_once_and_an_old_one_while_the_issuer_is_away(
    issuer: Issuer, verifier: Tokens
) -> None:
    await verifier.verify(issuer.token())
    issuer.add_key("k2")
    await verifier.verify(issuer.token("k2"))
    issuer.away = True
    await verifier.verify(issuer.token("k1"))
    await verifier.verify(issuer.token("k2"))


async def test_invented_key_ids_do_not_become_requests_to_the_issuer(
    issuer: Issuer, verifier: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(issuer.token())
    monkeypatch.setattr(tokens, "KEYS_RETRY_S", 60.0)
    before = issuer.asked
    for number in range(20):
        assert (await refused(verifier, issuer.token(header={"kid": f"x{number}"}))).status == 401
    assert issuer.asked == before


async def test_an_issuer_that_was_never_reached_is_an_outage_and_not_a_refusal(
    issuer: Issuer, verifier: Tokens
) -> None:
    issuer.away = True
    problem = await refused(verifier, issuer.token())
    assert (problem.status, problem.headers["Retry-After"]) == (503, "2")


async def test_revoked_tokens_are_refused_and_newer_ones_count(
    issuer: Issuer, verifier: Tokens, db: Database
) -> None:
    account, tenant = uuid4(), uuid4()
    ids = {"sub": str(account), "tenant_id": str(tenant)}
    old = issuer.token(**ids, iat=time.time() - 10)
    colleague = issuer.token(tenant_id=str(tenant), iat=time.time() - 10)
    await verifier.verify(old)
    await _revoke(db, tenant, account)
    assert (await refused(verifier, old)).code == "access_revoked"
    await verifier.verify(issuer.token(**ids))
    await verifier.verify(colleague)
    await _revoke(db, tenant, None)
    assert (await refused(verifier, colleague)).code == "access_revoked"
    await verifier.verify(issuer.token(**ids))


async def test_an_inactive_tenant_is_refused_whatever_its_token_says(
    issuer: Issuer, verifier: Tokens, db: Database
) -> None:
    office = await an_office(db)
    token = issuer.token(tenant_id=str(office.tenant_id))
    await verifier.verify(token)
    gone = TenantRegistered(
        tenant_id=office.tenant_id, kind="office", name="临沧", division_code="530900", active=False
    )
    async with db.transaction(role="worker") as tx:
        await tenants.keep_tenants(tx, [gone])
    assert (await refused(verifier, token)).code == "access_revoked"


async def test_tenants_are_kept_whole_with_their_inns(db: Database) -> None:
    inns = (uuid4(), uuid4())
    facts = [
        TenantRegistered(
            tenant_id=uuid4(), kind="inn", name="南翔客栈", division_code="310114",
            inn_ids=kept, active=True,
        )
        for kept in (inns, ())
    ]  # fmt: skip
    async with db.transaction(role="worker") as tx:
        await tenants.keep_tenants(tx, facts)
        await tenants.keep_tenants(tx, facts)
        rows = await tx.fetch("SELECT tenant_id, inn_ids FROM tenant")
    assert {r["tenant_id"]: tuple(r["inn_ids"]) for r in rows} == {
        facts[0].tenant_id: inns,
        facts[1].tenant_id: (),
    }


async def _revoke(db: Database, tenant: UUID, account: UUID | None) -> None:
    revoked = AccessRevoked(tenant_id=tenant, account_id=account, before=real_now())
    async with db.transaction(role="worker") as tx:
        await tenants.keep_revocations(tx, [revoked])

"""A roster goes in whole, once, and every fault comes back."""

from shared.identity import Identity
from tests.integration.registry.world import Registry
from tests.support.rosters import a_roster


async def test_an_uploaded_roster_becomes_nominations_with_their_events(
    registry: Registry, office: Identity
) -> None:
    batch = await registry.imported(office, a_roster(50, 1))
    assert batch["state"] == "accepted"
    assert batch["row_count"] == batch["accepted_count"] == 50
    said = await registry.said()
    kinds = [s.type.split(".")[1] for s in said]
    assert kinds.count("worker-registered") == kinds.count("worker-nominated") == 50
    assert kinds[0] == "worker-batch-submitted"
    assert kinds[-1] == "worker-batch-validated"
    nominated = [s for s in said if s.type == "registry.worker-nominated.v1"]
    for one in nominated:
        assert one.headers["ce_correlationid"] == one.body["nomination_id"]
        assert one.headers["ce_tenantid"] == one.body["office_id"] == str(office.tenant_id)
    items = await registry.items(office, "/v1/nominations?state=active")
    assert {i["nomination_id"] for i in items} == {s.body["nomination_id"] for s in nominated}

"""One effect and one answer per Idempotency-Key, and nobody's rows but the caller's."""

import asyncio
from typing import Any

import asyncpg
import pytest

from shared.database import Database
from stack.databases import at_database
from stack.postgres import Postgres
from tests.support.desk import SERVICE, desk
from tests.support.flow import DEADLINE_S
from tests.support.http import (
    a_coordinator,
    an_auditor,
    an_enterprise,
    an_office,
    app_client,
    bearer,
)

__all__ = ["desk"]

NOTE = {"title": "南翔春风行动"}


def key(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


async def notes_in(db: Database) -> int:
    async with db.transaction(role="worker") as tx:
        return int(await tx.fetchval("SELECT count(*) FROM note"))


async def test_twenty_concurrent_requests_with_one_key_have_one_effect_and_one_answer(
    desk: Database,
) -> None:
    """INVARIANT: a key has one effect, however many requests carry it at once."""
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        slow = NOTE | {"seconds": 0.3}
        answers = await asyncio.gather(
            *(client.post("/v1/notes", json=slow, headers=key("k1")) for _ in range(20))
        )
    assert {a.status_code for a in answers} == {201}
    assert len({a.content for a in answers}) == 1
    assert sum("idempotency-replayed" not in a.headers for a in answers) == 1
    assert await notes_in(desk) == 1


async def test_without_a_key_each_request_has_its_own_effect(desk: Database) -> None:
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        answers = [await client.post("/v1/notes", json=NOTE) for _ in range(2)]
    assert answers[0].json()["note_id"] != answers[1].json()["note_id"]
    assert await notes_in(desk) == 2


async def test_a_key_with_another_body_is_refused_and_changes_nothing(desk: Database) -> None:
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        await client.post("/v1/notes", json=NOTE, headers=key("k1"))
        other = await client.post("/v1/notes", json={"title": "别的"}, headers=key("k1"))
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert await notes_in(desk) == 1


async def test_the_same_key_of_another_account_is_another_command(desk: Database) -> None:
    office, other = await an_office(desk), await an_office(desk)
    async with app_client(SERVICE, desk, office) as client:
        mine = await client.post("/v1/notes", json=NOTE, headers=key("k1"))
        theirs = await client.post("/v1/notes", json=NOTE, headers=key("k1") | bearer(other))
    assert mine.json()["note_id"] != theirs.json()["note_id"]


async def test_a_refused_command_leaves_its_key_free_for_another_try(desk: Database) -> None:
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        written = (await client.post("/v1/notes", json=NOTE)).json()["note_id"]
        gone = await client.post(f"/v1/notes/{written}/tear", headers=key("k1"))
        again = await client.post(f"/v1/notes/{written}/tear", headers=key("k1"))
        fresh = await client.post(f"/v1/notes/{written}/tear", headers=key("k2"))
        retried = await client.post(f"/v1/notes/{written}/tear", headers=key("k2"))
    assert [gone.status_code, again.status_code] == [204, 204]
    assert again.headers["idempotency-replayed"] == "true"
    assert [fresh.status_code, retried.status_code] == [404, 404]


async def test_the_same_file_sent_again_in_another_envelope_is_the_same_command(
    desk: Database,
) -> None:
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        sends = [
            await client.post("/v1/note-files", files={"file": ("a.csv", text)}, headers=key("k1"))
            for text in (b"one", b"one", b"two")
        ]
    assert [s.status_code for s in sends] == [201, 201, 422]
    assert sends[0].content == sends[1].content


async def test_an_answer_lost_after_the_commit_is_given_to_the_retry(desk: Database) -> None:
    """INVARIANT: a cut connection after COMMIT costs the client nothing but a retry."""
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        first = asyncio.create_task(client.post("/v1/notes", json=NOTE, headers=key("k1")))
        async with asyncio.timeout(DEADLINE_S):
            while await notes_in(desk) == 0:
                pass
        first.cancel()
        retried = await client.post("/v1/notes", json=NOTE, headers=key("k1"))
    assert retried.headers["idempotency-replayed"] == "true"
    assert await notes_in(desk) == 1


async def test_a_key_that_no_header_may_hold_is_refused(desk: Database) -> None:
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        long = await client.post("/v1/notes", json=NOTE, headers=key("k" * 256))
    assert long.status_code == 422
    assert long.json()["errors"][0]["pointer"] == "/Idempotency-Key"


async def test_a_foreign_note_is_not_found_and_a_bureau_or_auditor_sees_it(desk: Database) -> None:
    office, other = await an_office(desk), await an_office(desk)
    async with app_client(SERVICE, desk, office) as client:
        path = f"/v1/notes/{(await client.post('/v1/notes', json=NOTE)).json()['note_id']}"
        assert (await client.get(path)).json()["title"] == NOTE["title"]
        assert (await client.get(path, headers=bearer(other))).status_code == 404
        assert (await client.post(f"{path}/tear", headers=bearer(other))).status_code == 404
        assert (await client.get("/v1/notes", headers=bearer(other))).json()["items"] == []
        for who in (await a_coordinator(desk), await an_auditor(desk)):
            assert (await client.get(path, headers=bearer(who))).status_code == 200


async def test_with_row_security_off_the_other_office_would_see_it(
    desk: Database, postgres: Postgres
) -> None:
    """The negative control of the test above: it is row security that hides the row."""
    async with desk.transaction(role="worker") as tx:
        name = await tx.fetchval("SELECT current_database()")
    superuser: Any = await asyncpg.connect(at_database(postgres.superuser_url(), name))
    await superuser.execute("ALTER TABLE note DISABLE ROW LEVEL SECURITY")
    await superuser.close()
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        path = f"/v1/notes/{(await client.post('/v1/notes', json=NOTE)).json()['note_id']}"
        other = bearer(await an_office(desk))
        assert (await client.get(path, headers=other)).status_code == 200


async def test_who_lacks_the_right_is_refused(desk: Database) -> None:
    async with app_client(SERVICE, desk) as client:
        for who, status in (
            (await an_office(desk), 201),
            (await a_coordinator(desk), 201),
            (await an_enterprise(desk), 403),
            (await an_auditor(desk), 403),
        ):
            answer = await client.post("/v1/notes", json=NOTE, headers=bearer(who))
            assert answer.status_code == status


async def test_a_stored_answer_is_hidden_from_everyone_but_its_account(desk: Database) -> None:
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        await client.post("/v1/notes", json=NOTE, headers=key("k1"))
    async with desk.transaction(role="api", identity=await a_coordinator(desk)) as tx:
        assert await tx.fetchval("SELECT count(*) FROM command_answer") == 0


async def test_the_callers_role_can_write_nothing_but_its_key(desk: Database) -> None:
    office = await an_office(desk)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with desk.transaction(role="api", identity=office) as tx:
            await tx.execute("DELETE FROM note")


async def test_pages_follow_each_other_without_gap_or_repeat(desk: Database) -> None:
    async with app_client(SERVICE, desk, await an_office(desk)) as client:
        for number in range(5):
            await client.post("/v1/notes", json={"title": f"第{number}号"})
        seen, cursor = [], ""
        while cursor is not None:
            url = "/v1/notes?limit=2" + (f"&cursor={cursor}" if cursor else "")
            found = (await client.get(url)).json()
            seen += [note["title"] for note in found["items"]]
            cursor = found["next_cursor"]
    assert seen == [f"第{number}号" for number in range(5)]

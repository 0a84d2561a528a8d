"""What operators do with commands that were given up."""

import pytest

from gx.domain.identifiers import CommandId
from gx.domain.roles import TokenRole
from tests.api.parts import NOW_MS, TRANSFER, Backend, a_command_id

REASON = {"reason": "The ledger was repaired"}


async def a_dead_letter(backend: Backend) -> CommandId:
    """Accept a transfer and give it up."""
    async with backend.client() as client:
        answer = await client.post("/api/v1/transfers", json=TRANSFER)
    command_id = CommandId(answer.json()["commandId"])
    await backend.bury(command_id)
    return command_id


async def test_a_dead_letter_shows_why_and_what_was_tried(backend: Backend) -> None:
    """Everything an operator needs to decide."""
    command_id = await a_dead_letter(backend)
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        listed = (await ops.get("/api/v1/dead-letters")).json()
        shown = (await ops.get(f"/api/v1/dead-letters/{command_id}")).json()

    assert listed == {"items": [shown], "nextCursor": None}
    assert shown["commandId"] == command_id
    assert shown["commandType"] == "TRANSFER_TOKENS"
    assert shown["arguments"] == TRANSFER
    assert shown["reason"] == "gave up"
    assert shown["buriedAtMs"] == NOW_MS
    assert shown["state"] == "dead"
    assert isinstance(shown["history"], list)


async def test_dead_letters_come_page_by_page(backend: Backend) -> None:
    """Newest first, with a cursor while there are more."""
    letters = [await a_dead_letter(backend) for _ in range(3)]
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        first = (await ops.get("/api/v1/dead-letters?limit=2")).json()
        second = (
            await ops.get(f"/api/v1/dead-letters?limit=2&cursor={first['nextCursor']}")
        ).json()

    assert [item["commandId"] for item in first["items"]] == [letters[2], letters[1]]
    assert [item["commandId"] for item in second["items"]] == [letters[0]]
    assert second["nextCursor"] is None


async def test_a_replayed_command_keeps_its_id_and_waits_again(backend: Backend) -> None:
    """202 with its status resource; who did it and why is in the audit."""
    command_id = await a_dead_letter(backend)
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        replayed = await ops.post(f"/api/v1/dead-letters/{command_id}/replay", json=REASON)
        command = (await ops.get(replayed.headers["location"])).json()

    assert replayed.status_code == 202
    assert replayed.json()["commandId"] == command_id
    assert command["status"] == "PENDING"
    record = backend.outbox.audit[-1]
    assert (record.actor, record.target, record.reason) == (
        "ops", command_id, "The ledger was repaired",
    )  # fmt: skip


async def test_a_discarded_command_is_final(backend: Backend) -> None:
    """DISCARDED, audited alike."""
    command_id = await a_dead_letter(backend)
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        discarded = await ops.post(f"/api/v1/dead-letters/{command_id}/discard", json=REASON)
        command = (await ops.get(f"/api/v1/commands/{command_id}")).json()

    assert (discarded.status_code, discarded.json()["status"]) == (200, "DISCARDED")
    assert command["status"] == "DISCARDED"
    assert backend.outbox.audit[-1].reason == "The ledger was repaired"


@pytest.mark.parametrize("act", ["replay", "discard"])
async def test_a_dead_letter_is_handled_once(backend: Backend, act: str) -> None:
    """The second act is refused and says what the first was."""
    command_id = await a_dead_letter(backend)
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        await ops.post(f"/api/v1/dead-letters/{command_id}/discard", json=REASON)
        again = await ops.post(f"/api/v1/dead-letters/{command_id}/{act}", json=REASON)

    assert (again.status_code, again.json()["code"]) == (409, "DEAD_LETTER_STATE")
    assert "discarded" in again.json()["detail"]
    assert len(backend.outbox.audit) == 1


@pytest.mark.parametrize("act", ["replay", "discard"])
@pytest.mark.parametrize(
    "body",
    [{}, {"reason": ""}, {"reason": "short"}, {"reason": 1}, {**REASON, "x": 1}, {"why": "x" * 20}],
    ids=str,
)
async def test_every_act_needs_a_reason(
    backend: Backend, act: str, body: dict[str, object]
) -> None:
    """Without words for the audit nothing happens."""
    command_id = await a_dead_letter(backend)
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        response = await ops.post(f"/api/v1/dead-letters/{command_id}/{act}", json=body)

    assert (response.status_code, response.json()["code"]) == (400, "ARGUMENT_INVALID")
    assert not backend.outbox.audit


@pytest.mark.parametrize(
    ("method", "act"), [("GET", ""), ("POST", "/replay"), ("POST", "/discard")]
)
async def test_what_is_no_dead_letter_is_not_found(backend: Backend, method: str, act: str) -> None:
    """404 for a command that nobody gave up, and for no command at all."""
    async with backend.client() as client:
        alive = (await client.post("/api/v1/transfers", json=TRANSFER)).json()["commandId"]
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        for command_id in (alive, a_command_id(9), "nonsense"):
            response = await ops.request(
                method, f"/api/v1/dead-letters/{command_id}{act}", json=REASON
            )
            assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")

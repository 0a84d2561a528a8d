"""What became of commands: shown, listed, looked up."""

from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from gx.domain.batches import OutcomeKind
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import TokenRole
from gx.outbox.memory.reader import MemoryCommandReader
from gx.outbox.ports import CommandGoneError, CommandView
from tests.api.parts import NOW_MS, TRANSFER, Backend, a_command_id, build_backend
from tests.api.sending import a_transfer, url_of


async def test_a_pending_command_shows_what_was_asked(backend: Backend) -> None:
    """Before the ledger has it, there is neither transaction nor block."""
    command_id = await a_transfer(backend)
    async with backend.client() as client:
        response = await client.get(url_of(command_id))

    assert response.status_code == 200
    assert response.json() == {
        "commandId": command_id,
        "status": "PENDING",
        "statusUrl": url_of(command_id),
        "commandType": "TRANSFER_TOKENS",
        "arguments": TRANSFER,
        "actor": "alice",
        "subject": "alice",
        "acceptedAtMs": NOW_MS,
        "attempts": 0,
    }


async def test_a_committed_command_shows_its_place_on_the_ledger(backend: Backend) -> None:
    """Transaction id and block; PROJECTED once the read models have that block."""
    command_id = await a_transfer(backend)
    await backend.settle(command_id, block_number=3)
    async with backend.client() as client:
        committed = (await client.get(url_of(command_id))).json()
        backend.project(3)
        projected = (await client.get(url_of(command_id))).json()

    assert (committed["status"], projected["status"]) == ("COMMITTED", "PROJECTED")
    assert committed["transactionId"] == "ab" * 32
    assert committed["blockNumber"] == 3
    assert committed["settledAtMs"] == NOW_MS
    assert "problem" not in committed


async def test_a_rejected_command_carries_its_problem(backend: Backend) -> None:
    """The ledger's refusal in the form in which the edge itself refuses."""
    command_id = await a_transfer(backend)
    await backend.settle(
        command_id, outcome=OutcomeKind.REJECTED, code=RefusalCode.INSUFFICIENT_FUNDS
    )
    async with backend.client() as client:
        command = (await client.get(url_of(command_id))).json()

    assert (command["status"], command["code"]) == ("REJECTED", "INSUFFICIENT_FUNDS")
    assert command["problem"] == {
        "type": "/problems/INSUFFICIENT_FUNDS",
        "title": "The balance does not cover it",
        "status": 409,
        "code": "INSUFFICIENT_FUNDS",
        "detail": "refused with INSUFFICIENT_FUNDS",
    }


async def test_a_refusal_for_a_reason_that_only_a_newer_ledger_knows_is_shown(
    backend: Backend,
) -> None:
    """During an upgrade an older edge tells what it cannot explain."""
    command_id = await a_transfer(backend)
    await backend.settle(command_id, outcome=OutcomeKind.REJECTED, code="OF_NEXT_YEAR")
    async with backend.client() as client:
        response = await client.get(url_of(command_id))

    command = response.json()
    assert response.status_code == 200
    assert (command["status"], command["code"]) == ("REJECTED", "OF_NEXT_YEAR")
    assert command["problem"] == {
        "type": "/problems/OF_NEXT_YEAR",
        "title": "The ledger refused it for a newer reason",
        "status": 409,
        "code": "OF_NEXT_YEAR",
        "detail": "refused with OF_NEXT_YEAR",
    }


async def test_a_dead_command_says_that_an_operator_has_it(backend: Backend) -> None:
    """DEAD with why it was given up."""
    command_id = await a_transfer(backend)
    await backend.bury(command_id, "gave up after 5 attempts")
    async with backend.client() as client:
        command = (await client.get(url_of(command_id))).json()

    assert command["status"] == "DEAD"
    assert command["problem"]["code"] == "INTERNAL_ERROR"
    assert command["problem"]["detail"] == "gave up after 5 attempts"


@pytest.mark.parametrize("command_id", [a_command_id(9), "nonsense", "A" * 36])
async def test_an_unknown_command_is_not_found(backend: Backend, command_id: str) -> None:
    """404 for an id that nobody was given, and for what is no id."""
    async with backend.client() as client:
        response = await client.get(url_of(command_id))

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


async def test_a_command_past_retention_is_gone(tmp_path: Path) -> None:
    """410, so that a client can tell it from one that never was."""

    class Forgetful(MemoryCommandReader):
        @override
        async def find(self, command_id: CommandId) -> CommandView | None:
            raise CommandGoneError(command_id)

    backend = build_backend(
        tmp_path, change=lambda parts, outbox: replace(parts, reader=Forgetful(outbox))
    )
    async with backend.client() as client:
        response = await client.get(url_of(a_command_id(1)))

    assert (response.status_code, response.json()["code"]) == (410, "GONE")


# ---------------------------------------------------------------- owners


async def test_a_command_is_shown_to_subject_actor_and_administrators(backend: Backend) -> None:
    """Who sent it, for whom it acts, and who runs the system; nobody else."""
    async with backend.client("shop", TokenRole.PARTNER, ("alice",)) as shop:
        answer = await shop.post(
            "/api/v1/transfers", json=TRANSFER, headers={"X-On-Behalf-Of": "alice"}
        )
        url = answer.json()["statusUrl"]
        by_subject = await shop.get(url)
    async with (
        backend.client("alice") as alice,
        backend.client("ops", TokenRole.ADMIN) as ops,
        backend.client("bob") as bob,
        backend.client("till", TokenRole.PARTNER, ("*",)) as till,
    ):
        answers = [await client.get(url) for client in (alice, ops, bob, till)]
        acting = await till.get(url, headers={"X-On-Behalf-Of": "alice"})

    assert by_subject.status_code == 200
    assert [answer.status_code for answer in answers] == [200, 200, 403, 403]
    assert answers[2].json()["code"] == "FORBIDDEN"
    assert acting.status_code == 200


# ---------------------------------------------------------------- lists


async def test_administrators_list_commands_page_by_page(backend: Backend) -> None:
    """Newest first; the cursor goes on where the page ended, and the last page has none."""
    command_ids = [await a_transfer(backend) for _ in range(5)]
    pages: list[list[str]] = []
    cursor: str | None = None
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        for _ in range(3):
            params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
            page = (await ops.get("/api/v1/commands", params=params)).json()
            pages.append([item["commandId"] for item in page["items"]])
            cursor = page["nextCursor"]

    assert pages == [
        [command_ids[4], command_ids[3]],
        [command_ids[2], command_ids[1]],
        [command_ids[0]],
    ]
    assert cursor is None


async def test_commands_are_listed_by_status(backend: Backend) -> None:
    """`status=` keeps those that stand there."""
    settled, _ = await a_transfer(backend), await a_transfer(backend)
    await backend.settle(settled)
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        page = (await ops.get("/api/v1/commands", params={"status": "COMMITTED"})).json()

    assert [item["commandId"] for item in page["items"]] == [settled]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=1.0", "cursor=x", "cursor=", "status=DONE", "x=1"],
)
async def test_an_impossible_page_is_refused(backend: Backend, query: str) -> None:
    """Limits are bounded, cursors are the list's own, statuses are the known ones."""
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        response = await ops.get(f"/api/v1/commands?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "ARGUMENT_INVALID")


async def test_many_commands_are_looked_up_in_one_question(backend: Backend) -> None:
    """Those that are known come back; unknown ones are left out, repeated ones come once."""
    known = [await a_transfer(backend) for _ in range(2)]
    body = {"commandIds": [*known, known[0], a_command_id(9)]}
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        page = (await ops.post("/api/v1/commands/query", json=body)).json()

    assert sorted(item["commandId"] for item in page["items"]) == sorted(known)
    assert page["nextCursor"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"commandIds": []},
        {"commandIds": "x"},
        {"commandIds": ["x"]},
        {"commandIds": [1]},
        {"commandIds": [a_command_id(1)], "more": 1},
        {"commandIds": [a_command_id(number) for number in range(501)]},
    ],
    ids=lambda body: str(body)[-30:],
)
async def test_a_question_names_a_bounded_list_of_ids(
    backend: Backend, body: dict[str, object]
) -> None:
    """1 to 500 ids and nothing else."""
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        response = await ops.post("/api/v1/commands/query", json=body)

    assert (response.status_code, response.json()["code"]) == (400, "ARGUMENT_INVALID")


async def test_the_largest_question_fits_into_a_body(backend: Backend) -> None:
    """500 ids are below the bound on bodies."""
    body = {"commandIds": [a_command_id(number) for number in range(500)]}
    async with backend.client("ops", TokenRole.ADMIN) as ops:
        response = await ops.post("/api/v1/commands/query", json=body)

    assert response.json()["items"] == []

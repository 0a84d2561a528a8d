"""What is refused has its code: at the edge in a problem, from the ledger in the status."""

import os
from collections.abc import AsyncIterator, Mapping
from typing import Final

import httpx
import pytest
import pytest_asyncio

from gx.database.pool import Pool, PoolSettings
from gx.domain.catalogue import COMMANDS
from gx.domain.identifiers import CommandId
from gx.domain.roles import LedgerRole
from gx.domain.scopes import EXCLUSIVE
from gx.outbox.command_ids import CommandIds
from gx.outbox.group_commit import GroupCommitter
from gx.outbox.ports import NewCommand
from gx.outbox.postgres.inbox import PostgresCommandInbox
from gx.runtime.clock import SystemClock
from tests.end_to_end.loop import Loop, running_loop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(420),
    pytest.mark.xdist_group("refusals"),
    pytest.mark.asyncio(loop_scope="module"),
]

ALICE: Final = {"fromId": "alice", "toId": "bob", "amount": "5", "remark": "test"}
MINT: Final = {"accountId": "alice", "amount": "5", "remark": "test"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def loop() -> AsyncIterator[Loop]:
    """A bootstrapped loop in which alice and bob hold some coins."""
    async with running_loop("--no-monitoring", "--no-redis") as running:
        for name in ("alice", "bob"):
            await running.gx("mint", name, "5coin", "--remark", "for the tests")
        yield running


async def post(
    loop: Loop, path: str, body: Mapping[str, object], *, role: str, subject: str
) -> httpx.Response:
    """Send a command with a fresh token."""
    token = await loop.token(role, subject)
    async with httpx.AsyncClient(base_url=loop.url) as client:
        return await client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})


async def final_status(loop: Loop, command_id: str) -> dict[str, object]:
    """Wait for the command's end."""
    token = await loop.token("admin", "auditor")
    async with httpx.AsyncClient(base_url=loop.url, timeout=40) as client:
        answer = await client.get(
            f"/commands/{command_id}",
            params={"wait": "PROJECTED", "timeout": "30"},
            headers={"Authorization": f"Bearer {token}"},
        )
    body: dict[str, object] = answer.json()
    return body


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/admin/mint", {**MINT, "amount": "0"}, "AMOUNT_NOT_POSITIVE"),
        ("/admin/mint", {**MINT, "remark": ""}, "REMARK_EMPTY"),
        ("/admin/mint", {**MINT, "accountId": ""}, "ACCOUNT_ID_EMPTY"),
        ("/admin/mint", {**MINT, "amount": str(2**64)}, "AMOUNT_OVERFLOW"),
        ("/admin/mint", {**MINT, "amount": 5}, "AMOUNT_OVERFLOW"),
        ("/transfers", {**ALICE, "toId": "alice"}, "SELF_TRANSFER"),
    ],
)
async def test_what_can_be_told_at_once_is_refused_at_the_edge(
    loop: Loop, path: str, body: Mapping[str, object], code: str
) -> None:
    """A problem of RFC 9457 with the code; nothing is stored."""
    role, subject = ("super_admin", "root") if path == "/admin/mint" else ("user", "alice")

    answer = await post(loop, path, body, role=role, subject=subject)

    assert answer.headers["content-type"] == "application/problem+json"
    assert 400 <= answer.status_code < 500
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**ALICE, "toId": "nobody"}, "ACCOUNT_NOT_FOUND"),
        ({**ALICE, "amount": "99900000000"}, "INSUFFICIENT_FUNDS"),
    ],
)
async def test_what_only_the_ledger_knows_is_in_the_commands_status(
    loop: Loop, body: Mapping[str, object], code: str
) -> None:
    """Accepted, then REJECTED; the status carries the code and the problem."""
    answer = await post(loop, "/transfers", body, role="user", subject="alice")
    assert answer.status_code == 202

    status = await final_status(loop, answer.json()["commandId"])

    assert status["status"] == "REJECTED"
    assert status["code"] == code
    problem = status["problem"]
    assert isinstance(problem, dict)
    assert problem["code"] == code


async def test_a_second_bootstrap_is_refused(loop: Loop) -> None:
    """The pools are minted once; the second attempt changes nothing and says why."""
    answer = await post(loop, "/admin/bootstrap", {}, role="super_admin", subject="root")

    status = await final_status(loop, answer.json()["commandId"])

    assert status["status"] == "REJECTED"
    assert status["code"] == "ALREADY_BOOTSTRAPPED"


async def test_minting_by_a_partner_is_refused_at_the_edge(loop: Loop) -> None:
    """The edge knows the roles of the command's declaration."""
    answer = await post(loop, "/admin/mint", MINT, role="partner", subject="bank")

    assert answer.status_code == 403
    assert answer.json()["code"] == "ROLE_REQUIRED"


@pytest.mark.parametrize(
    ("role", "arguments", "code"),
    [
        (LedgerRole.PARTNER_API, MINT, "ROLE_REQUIRED"),
        (LedgerRole.ADMIN, MINT, "ROLE_REQUIRED"),
        (LedgerRole.SUPER_ADMIN, {**MINT, "amount": "0"}, "AMOUNT_NOT_POSITIVE"),
        (LedgerRole.SUPER_ADMIN, {**MINT, "remark": " "}, "REMARK_EMPTY"),
        (LedgerRole.SUPER_ADMIN, {**MINT, "amount": str(2**64)}, "AMOUNT_OVERFLOW"),
        (LedgerRole.SUPER_ADMIN, {**MINT, "amount": str(2**64 - 1)}, "SUPPLY_CAP_EXCEEDED"),
        (LedgerRole.SUPER_ADMIN, {**MINT, "accountId": ""}, "ACCOUNT_ID_EMPTY"),
    ],
)
async def test_sent_past_the_edge_the_contract_refuses_again(
    loop: Loop, role: LedgerRole, arguments: Mapping[str, str], code: str
) -> None:
    """Whoever can write the outbox still cannot mint: the contract checks for itself."""
    command_id = await smuggle(loop, "MINT_COINS", arguments, role)

    status = await final_status(loop, command_id)

    assert status["status"] == "REJECTED"
    assert status["code"] == code


async def smuggle(
    loop: Loop, command_type: str, arguments: Mapping[str, str], role: LedgerRole
) -> CommandId:
    """Put a command into the outbox without asking the edge."""
    pool = await Pool.open(PoolSettings(dsn=loop.dsn, application_name="smuggler"))
    inbox = PostgresCommandInbox(pool, new_id=CommandIds(SystemClock(), os.urandom))
    committer = GroupCommitter(inbox, on_stored=lambda: None)
    try:
        acceptance = await committer.accept(
            NewCommand(
                command_type=COMMANDS[command_type].wire_name,
                arguments=arguments,
                actor="mallory",
                subject="mallory",
                role=role,
                scopes=EXCLUSIVE,
            )
        )
    finally:
        await committer.close()
        await pool.close()
    return acceptance.command_id

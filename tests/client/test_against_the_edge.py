"""The client and the real edge understand each other."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gx.client.client import GxClient
from gx.client.errors import ProblemError
from gx.client.transport import ClientSettings, Transport
from gx.domain.amounts import coins
from gx.domain.batches import OutcomeKind
from gx.domain.catalogue import COMMANDS
from gx.domain.command_status import CommandStatus
from gx.domain.commands import Access, CommandSpec
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import TokenRole
from tests.api.parts import BASE_URL, Backend, a_command_id, build_backend

ROLES = {
    Access.SUPER_ADMIN: TokenRole.SUPER_ADMIN,
    Access.ADMIN: TokenRole.ADMIN,
    Access.PARTNER: TokenRole.PARTNER,
    Access.USER: TokenRole.PARTNER,
}


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    """A real edge over memory."""
    return build_backend(tmp_path)


@asynccontextmanager
async def a_client(
    backend: Backend, role: TokenRole, act_for: Collection[str] = ("*",)
) -> AsyncIterator[GxClient]:
    """A client of that edge with a token of this role."""
    token = backend.token("somebody", role, act_for)
    transport = Transport(
        ClientSettings(base_url=BASE_URL, token=token), http=httpx.ASGITransport(backend.app)
    )
    try:
        yield GxClient(transport)
    finally:
        await transport.close()


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=lambda spec: spec.wire_name)
async def test_every_command_is_accepted_as_the_client_sends_it(
    backend: Backend, spec: CommandSpec
) -> None:
    """Names, kinds, path and role agree between declaration, client and edge."""
    examples = {argument.name: argument.example for argument in spec.arguments}
    async with a_client(backend, ROLES[spec.access]) as client:
        actor = examples[spec.actor_argument] if spec.actor_argument else None
        acting = client.acting_for(str(actor)) if actor else client
        accepted = await acting.submit(spec.wire_name, **examples)  # type: ignore[arg-type]  # no argument is called idempotency_key
        found = await acting.find_command(accepted.command_id)

    assert accepted.status is CommandStatus.PENDING
    assert found.command_type == spec.wire_name
    assert found.arguments.keys() == {argument.name for argument in spec.arguments}


async def test_a_repeated_key_gives_the_first_command_and_another_body_a_problem(
    backend: Backend,
) -> None:
    """The same key is the same command; with another body it is refused by its code."""
    async with a_client(backend, TokenRole.SUPER_ADMIN) as client:
        first, second = [
            await client.mint_coins(
                account_id="a", amount=coins(1), remark="r", idempotency_key="k-1"
            )
            for _ in range(2)
        ]
        with pytest.raises(ProblemError) as caught:
            await client.mint_coins(
                account_id="a", amount=coins(2), remark="r", idempotency_key="k-1"
            )

    assert first.command_id == second.command_id
    assert caught.value.code == RefusalCode.IDEMPOTENCY_KEY_REUSED


async def test_waiting_returns_when_the_ledger_has_answered(backend: Backend) -> None:
    """The long poll ends at once when the command is committed and projected."""
    async with a_client(backend, TokenRole.SUPER_ADMIN) as client:
        accepted = await client.mint_coins(account_id="a", amount=coins(1), remark="r")
        waiting = asyncio.create_task(client.wait_for(accepted.command_id, "PROJECTED"))
        await asyncio.sleep(0.05)
        await backend.settle(accepted.command_id)
        backend.project()
        found = await waiting

    assert found.status is CommandStatus.PROJECTED
    assert found.block_number == 3
    assert found.require_effect() is found


async def test_a_refusal_of_the_ledger_keeps_its_code(backend: Backend) -> None:
    """What the contract said is what the caller reads."""
    async with a_client(backend, TokenRole.ADMIN) as client:
        accepted = await client.distribute_genesis(user_id="alice")
        await backend.settle(
            accepted.command_id, outcome=OutcomeKind.REJECTED, code=RefusalCode.USER_NOT_FOUND
        )
        found = await client.wait_for(accepted.command_id, "PROJECTED")

    assert (found.status, found.code) == (CommandStatus.REJECTED, "USER_NOT_FOUND")


async def test_many_commands_are_found_in_one_question(backend: Backend) -> None:
    """Known ones come back, unknown ones are left out."""
    async with a_client(backend, TokenRole.SUPER_ADMIN) as client:
        ids = [
            (await client.distribute_genesis(user_id=f"u{number}")).command_id
            for number in range(3)
        ]
        found = await client.find_commands([*ids, a_command_id(99)])
        listed = await client.commands(status=CommandStatus.PENDING, limit=2)

    assert {command.command_id for command in found} == set(ids)
    assert len(listed.items) == 2
    assert listed.next_cursor is not None


async def test_dead_letters_are_listed_shown_replayed_and_discarded(backend: Backend) -> None:
    """An operator's acts go through, and an act on a handled letter is a problem."""
    async with a_client(backend, TokenRole.ADMIN) as client:
        ids = [await bury_one(client, backend, f"u{number}") for number in range(2)]
        letters = await client.dead_letters()
        shown = await client.find_dead_letter(ids[0])
        await client.replay_dead_letter(ids[0], reason="the ledger was repaired")
        await client.discard_dead_letter(ids[1], reason="it was sent by mistake")
        with pytest.raises(ProblemError, match="DEAD_LETTER_STATE"):
            await client.replay_dead_letter(ids[1], reason="the ledger was repaired")

    assert {letter.command_id for letter in letters.items} == set(ids)
    assert shown.reason == "gave up"


async def bury_one(client: GxClient, backend: Backend, user_id: str) -> CommandId:
    """Have a command that was given up."""
    command_id = (await client.distribute_genesis(user_id=user_id)).command_id
    await backend.bury(command_id)
    return command_id


async def test_a_token_of_the_wrong_role_is_a_problem(backend: Backend) -> None:
    """Mint by a partner is refused at the edge with the code of the domain."""
    async with a_client(backend, TokenRole.PARTNER) as client:
        with pytest.raises(ProblemError) as caught:
            await client.mint_coins(account_id="a", amount=coins(1), remark="r")

    assert (caught.value.status, caught.value.code) == (403, "ROLE_REQUIRED")


async def test_queries_are_answered_as_of_a_block(backend: Backend) -> None:
    """The typed value is what the read models say."""
    backend.queries.bodies["supply"] = {"minted": "7", "balances": "7", "cap": "9"}
    async with a_client(backend, TokenRole.ADMIN) as client:
        supply = await client.supply()

    assert (supply.minted, supply.balances, supply.cap) == (7, 7, 9)

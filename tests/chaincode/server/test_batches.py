"""A batch costs a peer the same few messages, however often its commands meet."""

from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from gx.contracts.chaincode import build_executor
from gx.domain.batches import (
    BATCH_EVENT,
    BATCH_FUNCTION,
    BatchItem,
    Outcome,
    OutcomeKind,
    encode_items,
    parse_outcomes,
)
from gx.domain.catalogue import (
    BOOTSTRAP_SYSTEM,
    CREATE_USER,
    DISTRIBUTE_GENESIS,
    INITIALIZE_COUNTRY_DATA,
    MINT_COINS,
    TRANSFER_TOKENS,
)
from gx.domain.commands import CommandSpec
from gx.domain.roles import LedgerRole
from gx.domain.world_state import ACCOUNT_PREFIX, FEE_PREFIX, AccountRecord
from tests.chaincode.server.peer_double import PeerDouble, Simulation
from tests.chaincode.server.served import a_peer_of
from tests.contracts.contract_ledger import COIN, COUNTRIES, a_command, a_hash, coins, role_for

MANY = 200
READ_AND_WRITE = ["GET_STATE_MULTIPLE", "WRITE_BATCH_STATE"]


@pytest.fixture
async def peer() -> AsyncIterator[PeerDouble]:
    """A peer whose ledger has countries and many users with coins."""
    async with a_peer_of(build_executor().execute) as double:
        setup = [
            a_command(BOOTSTRAP_SYSTEM, name="bootstrap"),
            a_command(INITIALIZE_COUNTRY_DATA, COUNTRIES, name="countries"),
        ]
        await put(double, setup, LedgerRole.SUPER_ADMIN)
        await put_many(
            double, CREATE_USER, lambda number: (user(number), a_hash(number), "US", "30")
        )
        await put_many(double, MINT_COINS, lambda number: (user(number), coins(10), "x"))
        yield double


def user(number: int) -> str:
    """Name one of many."""
    return f"user-{number}"


async def put(
    peer: PeerDouble, items: Sequence[BatchItem], role: LedgerRole
) -> tuple[Simulation, tuple[Outcome, ...]]:
    """Execute and commit a batch."""
    done = await peer.call(BATCH_FUNCTION, encode_items(tuple(items)), role=role)
    peer.commit(done)
    assert done.event is not None, done.response
    name, payload = done.event
    assert name == BATCH_EVENT
    return done, parse_outcomes(payload.decode())


async def put_many(
    peer: PeerDouble, spec: CommandSpec, args: Callable[[int], tuple[str, ...]]
) -> Simulation:
    """Execute many commands of a kind in one batch; all must succeed."""
    items = [
        a_command(spec, *args(number), name=f"{spec.wire_name}-{number}") for number in range(MANY)
    ]
    done, outcomes = await put(peer, items, role_for(spec))
    assert {outcome.outcome for outcome in outcomes} == {OutcomeKind.COMMITTED}
    return done


def balance(peer: PeerDouble, account: str) -> int:
    """Read a balance out of the peer's state."""
    return AccountRecord.from_text(peer.state[ACCOUNT_PREFIX + account].decode()).balance


async def test_payments_to_one_account_are_one_read_and_one_write(peer: PeerDouble) -> None:
    """Everybody pays the same merchant: its record is written once, with all of the coins."""
    await put(peer, [a_command(MINT_COINS, "shop", "1", "x", name="shop")], LedgerRole.SUPER_ADMIN)
    done = await put_many(
        peer, TRANSFER_TOKENS, lambda number: (user(number), "shop", coins(1), "lunch")
    )

    assert done.kinds == READ_AND_WRITE
    assert balance(peer, "shop") == 1 + MANY * COIN
    assert len([key for key in done.writes if key == f"{ACCOUNT_PREFIX}shop"]) == 1


async def test_fees_go_to_a_key_of_the_transactions_own(peer: PeerDouble) -> None:
    """No transfer reads or writes the fund, so disjoint batches in flight never meet there."""
    done = await put_many(
        peer, TRANSFER_TOKENS, lambda number: (user(number), user(number ^ 1), coins(5), "rent")
    )

    fees = [key for key in done.writes if key.startswith(FEE_PREFIX)]
    assert fees == [FEE_PREFIX + done.transaction_id]
    assert fees[0] not in done.reads
    assert not any("OPERATIONS_FUND" in key for key in (*done.reads, *done.writes))


async def test_the_genesis_pool_does_not_limit_a_batch(peer: PeerDouble) -> None:
    """Many payments from one pool, counted in one record and for one country: a few messages."""
    done = await put_many(peer, DISTRIBUTE_GENESIS, lambda number: (user(number),))

    assert done.kinds == ["GET_STATE_MULTIPLE", "GET_STATE", "GET_STATE", "WRITE_BATCH_STATE"]
    assert len(done.reads) == len(set(done.reads))


async def test_a_refusal_in_a_batch_is_recorded_and_undoes_itself_alone(peer: PeerDouble) -> None:
    """The others take effect; the refused command leaves its record, and its code in the event."""
    items = [
        a_command(TRANSFER_TOKENS, user(0), user(1), coins(1), "x", name="good-1"),
        a_command(TRANSFER_TOKENS, user(2), user(3), coins(10_000), "x", name="too-much"),
        a_command(TRANSFER_TOKENS, user(4), user(5), coins(1), "x", name="good-2"),
    ]
    done, outcomes = await put(peer, items, LedgerRole.PARTNER_API)

    assert [outcome.code for outcome in outcomes] == [None, "INSUFFICIENT_FUNDS", None]
    assert f"{ACCOUNT_PREFIX}{user(2)}" not in done.writes
    assert {"cmd_good-1", "cmd_too-much", "cmd_good-2"} <= set(done.writes)


async def test_a_batch_sent_again_changes_nothing(peer: PeerDouble) -> None:
    """The records answer for every command; nothing is written and no coin moves."""
    items = [
        a_command(TRANSFER_TOKENS, user(0), user(1), coins(1), "x", name=f"again-{number}")
        for number in range(3)
    ]
    first, _ = await put(peer, items, LedgerRole.PARTNER_API)
    second, outcomes = await put(peer, items, LedgerRole.PARTNER_API)

    assert second.writes == {}
    assert {outcome.duplicate_of for outcome in outcomes} == {first.transaction_id}

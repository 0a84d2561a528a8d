"""Builders of the outbox's values, and clocks that tests own."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from itertools import count

from gx.domain.batches import OutcomeKind
from gx.domain.identifiers import BlockNumber, CommandId, EpochMs, TransactionId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.domain.scopes import Scopes
from gx.ledger.ports import Envelope
from gx.outbox.ports import Entry, NewCommand, Settlement
from gx.telemetry.vectors import CounterVector

_NUMBERS = count(1)


class TestClock:
    """A clock that only moves when a test moves it."""

    __test__ = False

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the set time."""
        return self._now_ms

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ms += round(seconds * 1000)


def a_key() -> str:
    """Make an idempotency key's hash that nobody used."""
    return sha256(str(next(_NUMBERS)).encode()).hexdigest()


def a_command(
    *,
    account: str = "alice",
    remark: str = "for the test",
    scopes: Scopes | None = None,
    role: LedgerRole = LedgerRole.SUPER_ADMIN,
    key_hash: str | None = None,
    fingerprint: str = "f1",
) -> NewCommand:
    """Build a mint to an account."""
    return NewCommand(
        command_type="MINT_COINS",
        arguments={"accountId": account, "amount": "5", "remark": remark},
        actor="root",
        subject="root@issuer",
        role=role,
        scopes=frozenset({f"account:{account}", "supply"}) if scopes is None else scopes,
        key_hash=key_hash,
        fingerprint=fingerprint,
        trace_parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def an_entry(
    seq: int,
    *,
    scopes: Scopes | None = None,
    role: LedgerRole = LedgerRole.PARTNER_API,
    due_at_ms: int = 0,
    amount: str = "5",
) -> Entry:
    """Build a transfer that waits in the outbox."""
    command_id = CommandId(f"00000000-0000-7000-8000-{seq:012x}")
    return Entry(
        seq=seq,
        command_id=command_id,
        command_type="TRANSFER_TOKENS",
        arguments={"fromId": "alice", "toId": "bob", "amount": amount, "remark": "r"},
        actor="alice",
        role=role,
        key=command_id,
        scopes=frozenset({f"account:{seq}"}) if scopes is None else scopes,
        attempts=0,
        accepted_at_ms=EpochMs(0),
        due_at_ms=EpochMs(due_at_ms),
    )


def an_envelope(role: LedgerRole = LedgerRole.SUPER_ADMIN) -> Envelope:
    """Build a signed transaction with an id of its own."""
    transaction_id = sha256(f"transaction {next(_NUMBERS)}".encode()).hexdigest()
    return Envelope(
        transaction_id=TransactionId(transaction_id),
        role=role,
        content=b"signed \x00\xff " + transaction_id.encode(),
        result='{"executed":1}',
    )


def a_settlement(
    command_id: CommandId, transaction_id: TransactionId | None, *, block: int | None = 7
) -> Settlement:
    """Build the ledger's yes."""
    return Settlement(
        command_id=command_id,
        outcome=OutcomeKind.COMMITTED,
        code=None,
        detail=None,
        result={"balance": "5"},
        transaction_id=transaction_id,
        block_number=None if block is None else BlockNumber(block),
    )


def a_refusal(
    command_id: CommandId,
    transaction_id: TransactionId | None,
    *,
    block: int | None = 7,
    code: str = RefusalCode.INSUFFICIENT_FUNDS,
) -> Settlement:
    """Build the ledger's no."""
    return Settlement(
        command_id=command_id,
        outcome=OutcomeKind.REJECTED,
        code=code,
        detail="alice holds 0",
        result=None,
        transaction_id=transaction_id,
        block_number=None if block is None else BlockNumber(block),
    )


def counted(counters: CounterVector) -> dict[tuple[str, ...], float]:
    """List what was counted, by the labels under which it is exported."""
    return {labels: counter.read() for labels, counter in counters.children() if counter.read()}


async def eventually(
    holds: Callable[[], Awaitable[bool] | bool], *, timeout_s: float = 30.0
) -> None:
    """Wait until a condition holds; fail the test when it does not in time."""
    async with asyncio.timeout(timeout_s):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.005)

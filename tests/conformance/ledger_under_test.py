"""A ledger under test, and short words for calling the project's contracts on it.

Every test works on accounts that no other one touches, so that a ledger may be shared.
"""

import abc
import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable

from gx.domain.batches import BATCH_FUNCTION, BatchItem, encode_items
from gx.domain.identifiers import BlockNumber, CommandId, TransactionId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.ledger.errors import (
    EvaluateError,
)
from gx.ledger.ports import (
    Block,
    Ledger,
    LedgerTransaction,
    Proposal,
    Verdict,
)

TIMEOUT_S = 20.0


def new_account() -> str:
    """Name an account that no other test uses."""
    return f"conformance-{secrets.token_hex(6)}"


def mint(account: str, amount: int = 5, role: LedgerRole = LedgerRole.SUPER_ADMIN) -> Proposal:
    """Propose to create coins."""
    arguments = (account, str(amount), "conformance")
    return Proposal(function="TokenomicsContract:Mint", arguments=arguments, role=role)


def transfers(*pairs: tuple[str, str, int]) -> Proposal:
    """Propose a batch of transfers: from, to, amount."""
    items = tuple(
        BatchItem(
            command_id=CommandId(f"command-{secrets.token_hex(8)}"),
            key=secrets.token_hex(32),
            function="TokenomicsContract:Transfer",
            args=(source, target, str(amount), "conformance"),
            actor=source,
        )
        for source, target, amount in pairs
    )
    return Proposal(
        function=BATCH_FUNCTION, arguments=(encode_items(items),), role=LedgerRole.PARTNER_API
    )


def balance_query(account: str) -> Proposal:
    """Propose to read a balance."""
    return Proposal(
        function="TokenomicsContract:GetBalance", arguments=(account,), role=LedgerRole.PARTNER_API
    )


async def balance(ledger: Ledger, account: str) -> int | None:
    """Read a balance; None where there is no such account."""
    try:
        text = await ledger.evaluate(balance_query(account))
    except EvaluateError as error:
        if error.refusal is None or error.refusal.code is not RefusalCode.ACCOUNT_NOT_FOUND:
            raise
        return None
    return int(json.loads(text)["balance"])


async def settled(ledger: Ledger, transaction_id: TransactionId) -> Verdict:
    """Wait for a submitted transaction's verdict."""
    async with asyncio.timeout(TIMEOUT_S):
        while (verdict := await ledger.verdict(transaction_id)) is None:  # noqa: ASYNC110 (the port has no event to wait for)
            await asyncio.sleep(0.02)
    return verdict


async def commit(ledger: Ledger, proposal: Proposal) -> Verdict:
    """Prepare, submit, and wait for the verdict."""
    envelope = await ledger.prepare(proposal)
    await ledger.submit(envelope)
    return await settled(ledger, envelope.transaction_id)


async def take(stream: AsyncIterator[Block], is_last: Callable[[Block], bool]) -> list[Block]:
    """Read blocks up to the first for which `is_last` holds."""
    taken: list[Block] = []
    async with asyncio.timeout(TIMEOUT_S):
        async for block in stream:
            taken.append(block)
            if is_last(block):
                break
    return taken


async def blocks_up_to(ledger: Ledger, first: int, last: int) -> list[Block]:
    """Read the blocks with these numbers."""
    return await take(ledger.blocks(BlockNumber(first)), lambda block: block.number == last)


def entries_of(blocks: list[Block], transaction_id: TransactionId) -> list[LedgerTransaction]:
    """List a transaction's records in blocks, copies included, in order."""
    return [
        entry
        for block in blocks
        for entry in block.transactions
        if entry.transaction_id == transaction_id
    ]


def flipped(content: bytes, at: int) -> bytes:
    """Return the bytes with one of them changed."""
    return content[:at] + bytes((content[at] ^ 0x20,)) + content[at + 1 :]


class LedgerUnderTest(abc.ABC):
    """Say how to reach a ledger whose system is bootstrapped, and how to break it."""

    @abc.abstractmethod
    async def client(self) -> Ledger:
        """Make another client of the ledger under test; the subclass closes it."""

    @abc.abstractmethod
    async def stop(self) -> None:
        """Kill the ledger's processes, without a word of warning."""

    @abc.abstractmethod
    async def start(self) -> None:
        """Start what was killed; return when calls are answered."""

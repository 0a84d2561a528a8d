"""Short words for calling the test functions of a ledger."""

import json
from collections.abc import Sequence

from gx.domain.codec import JsonValue, decode
from gx.domain.identifiers import BlockNumber
from gx.domain.roles import LedgerRole
from gx.ledger.local.client import LocalLedger
from gx.ledger.ports import Block, Envelope, Proposal, ValidationCode


def a_call(function: str, *arguments: str) -> Proposal:
    """Propose to call a test function."""
    return Proposal(function=f"Test:{function}", arguments=arguments, role=LedgerRole.ADMIN)


async def put(ledger: LocalLedger, *arguments: str) -> Envelope:
    """Write keys and values blindly; return the committed envelope."""
    envelope = await ledger.prepare(a_call("put", *arguments))
    assert await submitted(ledger, envelope) is ValidationCode.VALID
    return envelope


async def submitted(ledger: LocalLedger, envelope: Envelope) -> ValidationCode:
    """Submit an envelope and return its verdict, which this ledger has at once."""
    await ledger.submit(envelope)
    verdict = await ledger.verdict(envelope.transaction_id)
    assert verdict is not None
    return verdict.validation_code


async def values_of(ledger: LocalLedger, *keys: str) -> JsonValue:
    """Read the values of keys."""
    return decode(await ledger.evaluate(a_call("get", *keys)))


async def all_blocks(ledger: LocalLedger, first: int = 0) -> Sequence[Block]:
    """Read the chain as it now is."""
    height = (await ledger.chain_info()).height
    blocks: list[Block] = []
    if height > first:
        async for block in ledger.blocks(BlockNumber(first)):
            blocks.append(block)
            if block.number == height - 1:
                break
    return blocks


def as_list(text: str) -> list[JsonValue]:
    """Read a JSON list."""
    value: list[JsonValue] = json.loads(text)
    return value

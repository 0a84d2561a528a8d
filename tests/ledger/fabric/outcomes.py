"""What a channel's blocks say about commands, for tests that count effects."""

from collections import Counter
from collections.abc import Sequence

from gx.domain.batches import BATCH_EVENT, OutcomeKind, parse_outcomes
from gx.domain.identifiers import CommandId
from gx.domain.roles import LedgerRole
from gx.ledger.ports import Ledger, Proposal, event_transactions
from tests.conformance.ledger_under_test import blocks_up_to, commit


async def bootstrap(ledger: Ledger) -> int:
    """Make the system ready; return the chain's height then."""
    proposal = Proposal(
        function="AdminContract:BootstrapSystem", arguments=(), role=LedgerRole.SUPER_ADMIN
    )
    await commit(ledger, proposal)
    return (await ledger.chain_info()).height


async def effects(ledger: Ledger, first: int) -> Counter[CommandId]:
    """Count how often each command took effect from a block on, by valid transactions alone.

    The contracts remember commands and answer a repeated one with its first answer. That second
    line of defence hides what is counted here, so a transaction that leans on it counts as well.
    """
    info = await ledger.chain_info()
    counted: Counter[CommandId] = Counter()
    for block in await blocks_up_to(ledger, first, info.height - 1):
        for transaction in event_transactions(block):
            event = transaction.event
            if event is None or event.name != BATCH_EVENT:
                continue
            outcomes = parse_outcomes(event.payload)
            counted.update(
                each.command_id for each in outcomes if each.outcome is OutcomeKind.COMMITTED
            )
    return counted


async def assert_each_once(ledger: Ledger, first: int, ids: Sequence[CommandId]) -> None:
    """Every command took effect in one transaction, and nothing else did."""
    assert await effects(ledger, first) == dict.fromkeys(ids, 1)

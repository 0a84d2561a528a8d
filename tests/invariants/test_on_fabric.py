"""The same attack on a real Fabric network, whose two peers must say the same.

A ledger of this process is told the same, at the same times: both must answer alike.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gx.domain.batches import BATCH_FUNCTION, BatchItem, Outcome, encode_items, parse_outcomes
from gx.domain.identifiers import BlockNumber, EpochSeconds
from gx.domain.roles import LedgerRole
from gx.ledger.ports import Block, Ledger, Proposal
from gx.projection.memory import digest_of, empty_tables
from tests.conformance.ledger_under_test import commit
from tests.contracts.contract_ledger import ContractLedger
from tests.fabric.native import NativeNetwork, native_network
from tests.fabric.programs import require_programs
from tests.invariants.books import Books, World, balances_of
from tests.invariants.replaying import fold
from tests.invariants.strategies import Seen, batches
from tests.invariants.world import world_batches

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("native-network"),
]

EXAMPLES: Final = 3
BATCHES: Final = int(os.environ.get("GX_INVARIANT_FABRIC_BATCHES", "8"))  # noqa: TID251 (tests have no settings)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeNetwork]:
    """A network of its own: the books must know every coin on it."""
    folder: Path = tmp_path_factory.mktemp("invariants")
    with native_network(folder, require_programs()) as running:
        yield running


@dataclass
class Attack:
    """One network under attack, and a ledger of this process beside it."""

    ledger: Ledger
    runner: asyncio.Runner
    twin: ContractLedger = field(default_factory=ContractLedger)
    books: Books = field(default_factory=Books)
    seen: Seen = field(default_factory=Seen)
    outcomes: Counter[str] = field(default_factory=Counter)
    blocks: list[Block] = field(default_factory=list)
    number: int = 0

    def send(self, role: LedgerRole, items: Sequence[BatchItem]) -> None:
        """Send a batch to both; they answer the same."""
        proposal = Proposal(
            function=BATCH_FUNCTION, arguments=(encode_items(tuple(items)),), role=role
        )
        self.runner.run(commit(self.ledger, proposal))
        self.runner.run(self.read_blocks())
        newest = self.blocks[-1].transactions[-1]
        assert newest.event is not None
        outcomes = parse_outcomes(newest.event.payload)
        self.twin.ledger.now_s = EpochSeconds(newest.timestamp_ms // 1_000)
        assert list(map(answer, self.twin.batch(items, role))) == list(map(answer, outcomes))
        self.note(outcomes)

    def note(self, outcomes: Sequence[Outcome]) -> None:
        """Enter what happened into the books."""
        self.books.take(outcomes)
        self.seen.is_paused = self.books.is_paused
        for outcome in outcomes:
            self.outcomes[outcome.outcome.value] += 1
            for event in outcome.events:
                self.seen.note(event)

    async def read_blocks(self) -> None:
        """Read the blocks that are new, up to the newest."""
        info = await self.ledger.chain_info()
        stream = self.ledger.blocks(BlockNumber(len(self.blocks)))
        async with asyncio.timeout(60):
            while len(self.blocks) < info.height:
                self.blocks.append(await anext(stream))

    def world(self) -> World:
        """Rebuild the world state from the blocks' write sets."""
        world: dict[str, str] = {}
        writes = [w for b in self.blocks for entry in b.transactions for w in entry.writes]
        for write in writes:
            if write.value is None:
                world.pop(write.key, None)
            else:
                world[write.key] = write.value
        return world

    def check(self) -> None:
        """The books agree, both ledgers hold the same, and a replay shows the same."""
        world, own = self.world(), self.twin.ledger.values()
        self.books.check(world)
        assert balances_of(world) == balances_of(own)
        assert lasting(world) == lasting(own)
        whole, one_by_one = empty_tables(), empty_tables()
        fold(self.blocks, whole)
        for block in self.blocks:
            fold([block], one_by_one)
        assert digest_of(whole) == digest_of(one_by_one)


def answer(outcome: Outcome) -> object:
    """Return what both must say alike: everything but the transaction that they say it in."""
    return outcome.command_id, outcome.outcome, outcome.code, outcome.result, outcome.events


def lasting(world: World) -> dict[str, str]:
    """Leave out what names a ledger transaction: records of commands, and fees with the fund."""
    apart = ("cmd_", "fee_", "account_SYSTEM_OPERATIONS_FUND")
    return {key: text for key, text in world.items() if not key.startswith(apart)}


def test_a_real_network_keeps_the_invariants(network: NativeNetwork) -> None:
    """Random batches of every command, each endorsed by both peers and compared."""
    with asyncio.Runner() as runner:
        attack = Attack(network.client(), runner)
        try:
            runner.run(attack.read_blocks())
            for role, items in world_batches():
                attack.send(role, items)
            assert set(attack.outcomes) == {"COMMITTED"}
            strike(attack)
            attack.check()
        finally:
            runner.run(network.close_clients())
    sys.stdout.write(f"\n{attack.number} batches, {dict(attack.outcomes)}\n")
    assert attack.outcomes["REJECTED"] > 0


def strike(attack: Attack) -> None:
    """Send drawn batches; what one example leaves behind the next one finds."""

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def send_some(data: st.DataObject) -> None:
        for _ in range(BATCHES):
            attack.number += 1
            role, items = data.draw(batches(attack.seen, attack.number))
            attack.send(role, items)

    send_some()

"""What the blocks alone say: who was answered how, and what every account went through."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from gx.domain.batches import BATCH_EVENT, Outcome, parse_events, parse_outcomes
from gx.domain.codec import JsonObject
from gx.ledger.ports import Block, LedgerTransaction, ValidationCode
from tests.chaos.chains import Chain, World

FUND: Final = "SYSTEM_OPERATIONS_FUND"
"""Its income stands under keys of its own, one a transaction, until somebody sums them up."""

_ACCOUNT: Final = "account_"
_FEE: Final = "fee_"
_SUPPLY: Final = "supply"


class Answered(NamedTuple):
    """One answer of the ledger, and where it stands."""

    outcome: Outcome
    transaction_id: str
    block_number: int


class Entry(NamedTuple):
    """One change of an account, in the order of the chain."""

    block_number: int
    position: int
    ordinal: int
    delta: int
    transaction_id: str
    command_id: str | None


class _Balance(msgspec.Struct):
    balance: str


class _Amount(msgspec.Struct):
    amount: str


class _Minted(msgspec.Struct):
    minted: str


@dataclass(slots=True)
class Recount:
    """Adds up block by block; `strange` is where events and records of the ledger disagree."""

    blocks: list[Block] = field(default_factory=list)
    answers: dict[str, list[Answered]] = field(default_factory=lambda: defaultdict(list))
    direct: dict[str, int] = field(default_factory=dict)
    """The block of each transaction that carried events of no batch."""
    places: dict[str, int] = field(default_factory=dict)
    """The block of each transaction that took effect."""
    histories: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    balances: Counter[str] = field(default_factory=Counter)
    world: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    minted: int = 0
    invalid: int = 0

    def add(self, block: Block) -> None:
        """Take the next block."""
        self.blocks.append(block)
        position = 0
        for transaction in block.transactions:
            if transaction.validation_code is not ValidationCode.VALID:
                self.invalid += 1
                continue
            self.places[transaction.transaction_id] = block.number
            position = self._add_events(block, transaction, position)
            for write in transaction.writes:
                self.world[write.key] = (block.number, write.value)
            self._compare_records(block, transaction)

    def finish(self) -> None:
        """Compare what can only be compared at the end."""
        held = fund_of(self.world)
        if held is not None and held != self.balances[FUND]:
            self.strange.append(f"{FUND}: records {held}, events {self.balances[FUND]}")

    def _add_events(self, block: Block, transaction: LedgerTransaction, position: int) -> int:
        event = transaction.event
        if event is None:
            return position
        if event.name != BATCH_EVENT:
            self.direct[transaction.transaction_id] = block.number
            pairs = [(None, each) for each in parse_events(event.name, event.payload)]
            return self._add_pairs(block, transaction, position, pairs)
        named: list[tuple[str | None, JsonObject]] = []
        for outcome in parse_outcomes(event.payload):
            answered = Answered(outcome, transaction.transaction_id, block.number)
            self.answers[outcome.command_id].append(answered)
            named += [(outcome.command_id, each) for each in outcome.events]
        return self._add_pairs(block, transaction, position, named)

    def _add_pairs(
        self,
        block: Block,
        transaction: LedgerTransaction,
        position: int,
        pairs: "list[tuple[str | None, JsonObject]] | list[tuple[None, JsonObject]]",
    ) -> int:
        for command_id, event in pairs:
            if event["eventType"] == "CoinsMinted":
                self.minted += int(str(event["amount"]))
            changes = event.get("changes", [])
            assert isinstance(changes, list)
            for ordinal, change in enumerate(changes):
                assert isinstance(change, dict)
                account, delta = str(change["accountId"]), int(str(change["delta"]))
                self.balances[account] += delta
                place = (block.number, position, ordinal)
                entry = Entry(*place, delta, transaction.transaction_id, command_id)
                if delta:
                    self.histories[account].append(entry)
            position += 1
        return position

    def _compare_records(self, block: Block, transaction: LedgerTransaction) -> None:
        """Each record that the transaction wrote holds what the events up to here add up to."""
        for write in transaction.writes:
            account = write.key.removeprefix(_ACCOUNT)
            if write.key == _SUPPLY and write.value is not None:
                told, held = self.minted, int(msgspec.json.decode(write.value, type=_Minted).minted)
            elif write.key.startswith(_ACCOUNT) and account != FUND and write.value is not None:
                told, held = self.balances[account], balance_in(write.value)
            else:
                continue
            if told != held or told < 0:
                self.strange.append(f"block {block.number}, {write.key}: {held}, events {told}")


def balance_in(record: str) -> int:
    """Read an account's record."""
    return int(msgspec.json.decode(record, type=_Balance).balance)


def fund_of(world: World) -> int | None:
    """Add up what the operations fund holds; None on a ledger without one."""
    _, record = world.get(_ACCOUNT + FUND, (0, None))
    if record is None:
        return None
    fees = [value for key, (_, value) in world.items() if key.startswith(_FEE)]
    income = sum(int(msgspec.json.decode(fee, type=_Amount).amount) for fee in fees if fee)
    return balance_in(record) + income


def supply_of(world: World) -> int:
    """Add up every account's record, fee income too."""
    return (fund_of(world) or 0) + sum(
        balance_in(value)
        for key, (_, value) in world.items()
        if value is not None and key.startswith(_ACCOUNT) and key != _ACCOUNT + FUND
    )


async def recount(chain: Chain) -> Recount:
    """Read every block and count."""
    told = Recount()
    async for block in chain.blocks():
        told.add(block)
    told.finish()
    return told

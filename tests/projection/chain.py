"""A ledger in memory for tests of the read side: real contracts, real blocks, faults on demand."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace

from gx.chaincode.executor import Executed, Executor
from gx.contracts.chaincode import build_executor
from gx.domain.batches import BATCH_FUNCTION, BatchItem, encode_items
from gx.domain.codec import JsonValue, encode
from gx.domain.identifiers import BlockNumber, CommandId, EpochMs, EpochSeconds, TransactionId
from gx.domain.roles import LedgerRole
from gx.ledger.errors import NewerBlockError, StreamError
from gx.ledger.ports import (
    Block,
    ChaincodeEvent,
    ChainInfo,
    LedgerTransaction,
    ValidationCode,
    Write,
)
from tests.chaincode.dict_stub import START_S, DictLedger

BLOCK_INTERVAL_MS = 1_000
ADMIN, PARTNER = LedgerRole.SUPER_ADMIN, LedgerRole.PARTNER_API


@dataclass
class Chain:
    """Blocks that contracts made, and a stream of them: a `BlockSource`.

    `is_reachable` false makes every call fail; `breaks_after` ends a stream after so many blocks;
    `silences` is how many streams will bring nothing and not end; `unreadable` is raised for the
    next block.
    """

    executor: Executor = field(default_factory=build_executor)
    ledger: DictLedger = field(default_factory=DictLedger)
    committed: list[Block] = field(default_factory=list)
    name: str = "chain"
    is_reachable: bool = True
    breaks_after: int | None = None
    silences: int = 0
    unreadable: NewerBlockError | None = None
    commands: int = 0
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    # ------------------------------------------------------------ making blocks

    def command(self, function: str, *args: str, actor: str = "tester") -> BatchItem:
        """Build one command with an id of its own."""
        self.commands += 1
        command_id = CommandId(f"0190f7a2-1111-7abc-8def-{self.commands:012d}")
        return BatchItem(
            command_id=command_id, key=command_id, function=function, args=args, actor=actor
        )

    def newest(self) -> CommandId:
        """Tell the id of the command that was built last."""
        return CommandId(f"0190f7a2-1111-7abc-8def-{self.commands:012d}")

    def run(self, *items: BatchItem, role: LedgerRole = ADMIN) -> Block:
        """Execute the commands in one batch and commit it as the next block."""
        return self.call(BATCH_FUNCTION, encode_items(items), role=role)

    def call(self, function: str, *args: str, role: LedgerRole = ADMIN) -> Block:
        """Execute one transaction, past the outbox if it is no batch, and commit it."""
        now_ms = START_S * 1_000 + len(self.committed) * BLOCK_INTERVAL_MS
        self.ledger.now_s = EpochSeconds(now_ms // 1_000)
        stub = self.ledger.begin(role)
        executed = self.executor.execute(stub, function, args)
        assert isinstance(executed, Executed), executed
        assert stub.commit()
        assert stub.event is not None
        event = ChaincodeEvent(name=stub.event[0], payload=stub.event[1])
        writes = tuple(Write(key=key, value=value) for key, value in stub.writes.items())
        return self.append([_transaction(stub.transaction_id, EpochMs(now_ms), event, writes)])

    def append(self, transactions: Sequence[LedgerTransaction]) -> Block:
        """Commit a block of given transactions."""
        number = BlockNumber(len(self.committed))
        previous = self.committed[-1].hash if self.committed else "0" * 64
        digest = hashlib.sha256(f"{self.name} {previous} {number}".encode()).hexdigest()
        block = Block(
            number=number,
            hash=digest,
            previous_hash=previous,
            timestamp_ms=EpochMs(max(entry.timestamp_ms for entry in transactions)),
            transactions=tuple(transactions),
        )
        self.committed.append(block)
        self._grown.set()
        return block

    def raw(self, name: str, payload: str) -> Block:
        """Commit a block whose one transaction raised this event and wrote nothing."""
        now_ms = EpochMs(START_S * 1_000 + len(self.committed) * BLOCK_INTERVAL_MS)
        digest = hashlib.sha256(f"{len(self.committed)} {payload!r}".encode()).hexdigest()
        event = ChaincodeEvent(name=name, payload=payload)
        return self.append([_transaction(TransactionId(digest), now_ms, event, ())])

    def replace_event(self, number: int, name: str, payload: str) -> None:
        """Put another event into a committed block: what only a test can do."""
        block = self.committed[number]
        entry = replace(block.transactions[0], event=ChaincodeEvent(name=name, payload=payload))
        self.committed[number] = replace(block, transactions=(entry,))

    # ------------------------------------------------------------ usual histories

    def bootstrap(self, *countries: str) -> None:
        """Bootstrap the system, open countries and let their treasuries send."""
        self.run(self.command("AdminContract:BootstrapSystem"))
        shares: list[JsonValue] = [
            {"countryCode": code, "percentage": "1.5"} for code in countries or ("US", "CA")
        ]
        self.run(self.command("AdminContract:InitializeCountryData", encode(shares)))

    def users(self, *names: str, country: str = "US") -> None:
        """Create users and mint each of them 1,000 coins."""
        self.run(
            *(
                self.command(
                    "IdentityContract:CreateUser",
                    *(name, hashlib.sha256(name.encode()).hexdigest(), country, "34"),
                )
                for name in names
            ),
            role=PARTNER,
        )
        self.run(
            *(
                self.command("TokenomicsContract:Mint", name, "100000000000", "Welcome")
                for name in names
            )
        )

    def transfers(self, deals: Iterable[tuple[str, str, int]]) -> Block:
        """Commit (from, to, amount) transfers as one batch."""
        return self.run(
            *(
                self.command("TokenomicsContract:Transfer", a, b, str(n), "Lunch", actor=a)
                for a, b, n in deals
            ),
            role=PARTNER,
        )

    # ------------------------------------------------------------ a BlockSource

    async def chain_info(self) -> ChainInfo:
        """Tell height and identity."""
        self._require_reachable()
        newest = self.committed[-1] if self.committed else None
        return ChainInfo(
            height=len(self.committed),
            genesis_hash=self.committed[0].hash if newest else "",
            newest_timestamp_ms=newest.timestamp_ms if newest else EpochMs(0),
        )

    async def blocks(self, first: BlockNumber) -> AsyncIterator[Block]:
        """Yield every block from `first` on, waiting for those to come."""
        if self.silences:
            self.silences -= 1
            await asyncio.Event().wait()
        for count in range(2**63):
            self._require_reachable()
            if self.unreadable is not None:
                raise self.unreadable
            if count == self.breaks_after:
                raise StreamError("the test broke the stream")
            while len(self.committed) <= first + count:
                self._grown.clear()
                await self._grown.wait()
                self._require_reachable()
            yield self.committed[first + count]

    def set_reachable(self, is_reachable: bool) -> None:  # noqa: FBT001 - reads as what it sets
        """Cut or restore the ledger, open streams included."""
        self.is_reachable = is_reachable
        self._grown.set()

    def _require_reachable(self) -> None:
        if not self.is_reachable:
            raise StreamError("the test made the ledger unreachable")


def _transaction(
    transaction_id: TransactionId,
    timestamp_ms: EpochMs,
    event: ChaincodeEvent | None,
    writes: tuple[Write, ...],
) -> LedgerTransaction:
    return LedgerTransaction(
        transaction_id=transaction_id,
        validation_code=ValidationCode.VALID,
        timestamp_ms=timestamp_ms,
        event=event,
        writes=writes,
    )

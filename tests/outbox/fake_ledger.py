"""A ledger in memory that tests can make fail at every step, as Fabric does.

It endorses on the state of now, orders one transaction a block, validates what was read, takes a
transaction id once, and keeps invalid transactions in their blocks. `keeps_keys=False` turns the
contracts' own memory of commands off, so that a command sent twice takes effect twice and shows.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from typing_extensions import override

from gx.domain.batches import (
    BATCH_EVENT,
    BATCH_FUNCTION,
    BatchItem,
    Outcome,
    OutcomeKind,
    encode_outcomes,
    parse_items,
)
from gx.domain.codec import encode
from gx.domain.identifiers import BlockNumber, CommandId, EpochMs, TransactionId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.ledger.errors import EndorseError, LedgerUnavailableError, StreamError
from gx.ledger.ports import (
    Block,
    ChaincodeEvent,
    ChainInfo,
    Envelope,
    Ledger,
    LedgerTransaction,
    Proposal,
    ValidationCode,
    Verdict,
)

REFUSED_REMARK = "please refuse"
POISON_REMARK = "please crash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsed:
    """What an envelope's bytes stand for."""

    reads: dict[str, int]
    effects: tuple[CommandId, ...]
    outcomes: tuple[Outcome, ...]
    event: ChaincodeEvent | None


class FakeLedger(Ledger):
    """See the module. `faults[step]` are raised once each, in order; `codes` override verdicts.

    Steps: prepare, submit (before the transaction arrives), submitted (it arrived, the answer is
    lost), verdict, evaluate, chain_info. `shows` is how an event looks to whoever reads it.
    """

    def __init__(self, *, keeps_keys: bool = False, knows_batches: bool = True) -> None:
        self.keeps_keys = keeps_keys
        self.knows_batches = knows_batches
        self.faults: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self.codes: deque[ValidationCode] = deque()
        self.is_down = False
        self.hangs = False
        self.is_muted = False
        self.repeats_blocks = False
        self.shows: Callable[[ChaincodeEvent], ChaincodeEvent | None] = lambda event: event
        self.ordering = asyncio.Event()
        self.ordering.set()
        self.calls: Counter[str] = Counter()
        self.effects: Counter[CommandId] = Counter()
        self.order: list[CommandId] = []
        self.chain: list[Block] = []
        self.batch_sizes: list[int] = []
        self._endorsed: dict[TransactionId, Endorsed] = {}
        self._verdicts: dict[TransactionId, Verdict] = {}
        self._records: dict[str, tuple[Outcome, TransactionId]] = {}
        self._versions: Counter[str] = Counter()
        self._grown = asyncio.Condition()
        self._broken_streams = 0

    # ------------------------------------------------------------ the port

    @override
    async def prepare(self, proposal: Proposal) -> Envelope:
        await self._step("prepare")
        number = len(self._endorsed)
        transaction_id = TransactionId(sha256(f"{id(self)} {number}".encode()).hexdigest())
        self._endorsed[transaction_id] = self._endorse(proposal)
        return Envelope(
            transaction_id=transaction_id,
            role=proposal.role,
            content=transaction_id.encode(),
            result=encode({"executed": number}),
        )

    @override
    async def submit(self, envelope: Envelope) -> None:
        await self._step("submit")
        await self.ordering.wait()
        await self._order(TransactionId(envelope.content.decode()))
        await self._step("submitted")

    @override
    async def verdict(self, transaction_id: TransactionId) -> Verdict | None:
        await self._step("verdict")
        verdict = self._verdicts.get(transaction_id)
        return None if verdict is None else replace(verdict, event=self._shown(verdict.event))

    @override
    async def evaluate(self, proposal: Proposal) -> str:
        await self._step("evaluate")
        return "{}"

    @override
    async def blocks(self, first: BlockNumber) -> AsyncIterator[Block]:
        await self._step("blocks")
        position, broken = int(first), self._broken_streams
        while True:
            await self._wait_for_block(position, broken)
            yield self._shown_block(position)
            if self.repeats_blocks:
                yield self._shown_block(position)
            position += 1

    @override
    async def chain_info(self) -> ChainInfo:
        await self._step("chain_info")
        return ChainInfo(height=len(self.chain), genesis_hash="g", newest_timestamp_ms=EpochMs(0))

    @override
    async def close(self) -> None:
        self.is_down = True

    # ------------------------------------------------------------ for tests

    async def cut_streams(self) -> None:
        """Break every open block stream."""
        async with self._grown:
            self._broken_streams += 1
            self._grown.notify_all()

    async def unmute(self) -> None:
        """Let the streams speak again."""
        async with self._grown:
            self.is_muted = False
            self._grown.notify_all()

    @property
    def validations(self) -> Counter[ValidationCode]:
        """Count the transactions in blocks by their code."""
        return Counter(
            transaction.validation_code
            for block in self.chain
            for transaction in block.transactions
        )

    # ------------------------------------------------------------ inside

    def _shown(self, event: ChaincodeEvent | None) -> ChaincodeEvent | None:
        return None if event is None else self.shows(event)

    def _shown_block(self, position: int) -> Block:
        block = self.chain[position]
        transactions = tuple(
            replace(transaction, event=self._shown(transaction.event))
            for transaction in block.transactions
        )
        return replace(block, transactions=transactions)

    async def _wait_for_block(self, position: int, broken: int) -> None:
        async with self._grown:
            while len(self.chain) <= position or self.is_muted:
                if self._broken_streams != broken:
                    break
                await self._grown.wait()
        if self._broken_streams != broken:
            raise StreamError("the stream was cut")

    async def _step(self, step: str) -> None:
        self.calls[step] += 1
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.Event().wait()
        if self.is_down:
            raise LedgerUnavailableError("the ledger is down")
        if self.faults[step]:
            raise self.faults[step].popleft()

    def _endorse(self, proposal: Proposal) -> Endorsed:
        if proposal.function != BATCH_FUNCTION:
            return self._endorse_single(proposal)
        if not self.knows_batches:
            refusal = RefusedError(RefusalCode.UNKNOWN_FUNCTION, "no such function")
            raise EndorseError(str(refusal), refusal=refusal)
        items = parse_items(proposal.arguments[0])
        self.batch_sizes.append(len(items))
        outcomes = tuple(self._execute(item) for item in items)
        event = ChaincodeEvent(name=BATCH_EVENT, payload=encode_outcomes(outcomes))
        effects = tuple(
            outcome.command_id
            for outcome in outcomes
            if outcome.outcome is OutcomeKind.COMMITTED and outcome.duplicate_of is None
        )
        keys = {_account_of(item.args) for item in items}
        reads = {key: self._versions[key] for key in keys}
        return Endorsed(reads=reads, effects=effects, outcomes=outcomes, event=event)

    def _endorse_single(self, proposal: Proposal) -> Endorsed:
        remark = proposal.arguments[-1]
        if remark == REFUSED_REMARK:
            refusal = RefusedError(RefusalCode.INSUFFICIENT_FUNDS, "holds 0")
            raise EndorseError(str(refusal), refusal=refusal)
        event = ChaincodeEvent(name="CoinsMinted", payload='{"eventType":"CoinsMinted"}')
        command_id = CommandId(remark)  # a single transaction does not know its command's id
        return Endorsed(reads={}, effects=(command_id,), outcomes=(), event=event)

    def _execute(self, item: BatchItem) -> Outcome:
        remark = item.args[-1]
        if remark == POISON_REMARK:
            raise EndorseError("chaincode response 500", code="500", is_transient=False)
        known = self._records.get(item.key)
        if self.keeps_keys and known is not None:
            outcome, origin = known
            return Outcome(
                command_id=item.command_id,
                outcome=outcome.outcome,
                code=outcome.code,
                result=outcome.result,
                duplicate_of=origin,
            )
        if remark == REFUSED_REMARK:
            return Outcome(
                command_id=item.command_id,
                outcome=OutcomeKind.REJECTED,
                code=RefusalCode.INSUFFICIENT_FUNDS,
                detail="holds 0",
            )
        return Outcome(
            command_id=item.command_id,
            outcome=OutcomeKind.COMMITTED,
            result={"minted": item.args[1]},
        )

    async def _order(self, transaction_id: TransactionId) -> None:
        async with self._grown:
            code = self._validate(transaction_id)
            event = self._commit(transaction_id) if code is ValidationCode.VALID else None
            number = BlockNumber(len(self.chain))
            transaction = LedgerTransaction(
                transaction_id=transaction_id,
                validation_code=code,
                timestamp_ms=EpochMs(0),
                event=event,
                writes=(),
            )
            self.chain.append(
                Block(
                    number=number,
                    hash=str(number),
                    previous_hash=str(number - 1),
                    timestamp_ms=EpochMs(0),
                    transactions=(transaction,),
                )
            )
            self._verdicts.setdefault(
                transaction_id,
                Verdict(
                    transaction_id=transaction_id,
                    validation_code=code,
                    block_number=number,
                    event=event,
                ),
            )
            self._grown.notify_all()

    def _validate(self, transaction_id: TransactionId) -> ValidationCode:
        if transaction_id in self._verdicts:
            return ValidationCode.DUPLICATE_TXID
        if self.codes:
            return self.codes.popleft()
        reads = self._endorsed[transaction_id].reads
        if any(self._versions[key] != version for key, version in reads.items()):
            return ValidationCode.MVCC_READ_CONFLICT
        return ValidationCode.VALID

    def _commit(self, transaction_id: TransactionId) -> ChaincodeEvent | None:
        endorsed = self._endorsed[transaction_id]
        for key in endorsed.reads:
            self._versions[key] += 1
        for command_id in endorsed.effects:
            self.effects[command_id] += 1
            self.order.append(command_id)
        for outcome in endorsed.outcomes:
            self._records.setdefault(outcome.command_id, (outcome, transaction_id))
        return endorsed.event


def _account_of(args: tuple[str, ...]) -> str:
    return f"account:{args[0]}"

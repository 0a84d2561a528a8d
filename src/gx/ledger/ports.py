"""The ledger as its clients need it, in Fabric Gateway's words.

A command reaches the ledger in four steps, each of which fails in its own way
(`gx.ledger.errors`): *prepare* (endorse and sign; nothing is sent for ordering), *submit*,
and then a *verdict*, which arrives on the block stream or is asked for.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.domain.roles import LedgerRole


class ValidationCode(StrEnum):
    """What validation made of an ordered transaction. Only VALID ones changed the world state."""

    VALID = "VALID"
    MVCC_READ_CONFLICT = "MVCC_READ_CONFLICT"
    PHANTOM_READ_CONFLICT = "PHANTOM_READ_CONFLICT"
    DUPLICATE_TXID = "DUPLICATE_TXID"
    ENDORSEMENT_POLICY_FAILURE = "ENDORSEMENT_POLICY_FAILURE"
    INVALID_ENDORSER_TRANSACTION = "INVALID_ENDORSER_TRANSACTION"
    BAD_PAYLOAD = "BAD_PAYLOAD"
    INVALID_OTHER_REASON = "INVALID_OTHER_REASON"
    """Also stands for those of Fabric's codes that no transaction of this system ends with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A call of one contract function, to be signed with the identity of `role`."""

    function: str
    arguments: tuple[str, ...]
    role: LedgerRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An endorsed, signed transaction. Submitting its bytes again and again changes the ledger
    at most once, from any process, before and after any restart.
    """  # noqa: D205 (one sentence)

    transaction_id: TransactionId
    role: LedgerRole
    content: bytes
    result: str
    """What the contract function returned when it was endorsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaincodeEvent:
    """The one event of a transaction: its name and its JSON payload."""

    name: str
    payload: str


class Write(NamedTuple):
    """One key of a transaction's write set; `value` is None where the key was deleted."""

    key: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTransaction:
    """A transaction as a block holds it. Of an invalid one `event` is None and `writes` empty."""

    transaction_id: TransactionId
    validation_code: ValidationCode
    timestamp_ms: EpochMs
    event: ChaincodeEvent | None
    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A committed block. `timestamp_ms` is that of its newest transaction."""

    number: BlockNumber
    hash: str
    previous_hash: str
    timestamp_ms: EpochMs
    transactions: tuple[LedgerTransaction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The first and final answer to a transaction id; later copies of the same id change nothing.

    `event` is set for a VALID transaction that raised one.
    """

    transaction_id: TransactionId
    validation_code: ValidationCode
    block_number: BlockNumber
    event: ChaincodeEvent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainInfo:
    """How long the chain is: `height` blocks, the newest having number `height - 1`.

    `genesis_hash` tells one chain from another that was started anew under the same name;
    it is empty while there is no block.
    """

    height: int
    genesis_hash: str
    newest_timestamp_ms: EpochMs


class Ledger(Protocol):
    """A ledger that runs the contracts. Two adapters, one conformance suite.

    Every method may raise `LedgerUnavailableError` when no endpoint answers; each says below
    what else it raises. None of them retries by itself: `gx.outbox.retry` decides.
    """

    async def prepare(self, proposal: Proposal) -> Envelope:
        """Endorse and sign; nothing is ordered yet, so any failure is safe to retry.

        Raises:
            EndorseError: with `.refusal` set when the contract said no.
        """
        ...

    async def submit(self, envelope: Envelope) -> None:
        """Hand the transaction over for ordering. Returning is no verdict.

        Raises:
            SubmitError: it may or may not have arrived; ask for the verdict, or submit
                the same bytes again.
        """
        ...

    async def verdict(self, transaction_id: TransactionId) -> Verdict | None:
        """Tell what became of a transaction, at once; None when no block holds it yet.

        Raises:
            VerdictError: the question could not be answered.
        """
        ...

    async def evaluate(self, proposal: Proposal) -> str:
        """Run a function on the current state and return its result; nothing is recorded.

        Raises:
            EvaluateError: with `.refusal` set when the contract said no.
        """
        ...

    def blocks(self, first: BlockNumber) -> AsyncIterator[Block]:
        """Stream every committed block from number `first` on, in order, without end.

        Blocks that do not exist yet are waited for. The stream ends only with an error.

        Raises:
            StreamError: the stream broke, or a block is torn or tampered with
                (`CorruptBlockError`): such a block is never delivered.
        """
        ...

    async def chain_info(self) -> ChainInfo:
        """Tell the chain's height and identity."""
        ...

    async def close(self) -> None:
        """Release connections; later calls raise `LedgerUnavailableError`."""
        ...


class BlockSource(Protocol):
    """The part of a ledger that a projector needs."""

    def blocks(self, first: BlockNumber) -> AsyncIterator[Block]:
        """See `Ledger.blocks`."""
        ...

    async def chain_info(self) -> ChainInfo:
        """See `Ledger.chain_info`."""
        ...


def event_transactions(block: Block) -> Sequence[LedgerTransaction]:
    """List the block's valid transactions that carry an event, in order."""
    return [entry for entry in block.transactions if entry.event is not None]

"""Verdicts from one block stream, for everything that is in flight.

Asking for each transaction by itself would cost a request and a slot at the gateway each. The
first verdict on a transaction id counts: a later copy of it in a block is a DUPLICATE_TXID and
changes nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from gx.database.ports import DatabaseUnavailableError
from gx.domain.identifiers import BlockNumber, TransactionId
from gx.ledger.breaker import BreakingLedger
from gx.ledger.errors import LedgerError
from gx.ledger.ports import Block, LedgerTransaction, ValidationCode, Verdict
from gx.outbox.chain_guard import ChainGuard, ShortLedgerError, WrongLedgerError

_log: Final = structlog.get_logger(__name__)

REOPEN_S: Final = 0.2
WRONG_CHAIN_RETRY_S: Final = 3.0


class VerdictDesk:
    """Reads the stream and hands each verdict to whoever expects it."""

    def __init__(
        self,
        ledger: BreakingLedger,
        *,
        guard: ChainGuard,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._guard = guard
        self.on_ready = on_ready
        self._expected: dict[TransactionId, asyncio.Future[Verdict]] = {}
        self._next_block: BlockNumber | None = None
        self._ready = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    @property
    def next_block(self) -> BlockNumber:
        """Return the number of the first block that was not read yet."""
        return BlockNumber(0) if self._next_block is None else self._next_block

    def expect(self, transaction_id: TransactionId) -> "asyncio.Future[Verdict]":
        """Return the verdict to come. Expect it before submitting."""
        return self._expected.setdefault(transaction_id, asyncio.get_running_loop().create_future())

    def forget(self, transaction_id: TransactionId) -> None:
        """Expect it no more."""
        self._expected.pop(transaction_id, None)

    def reopen(self) -> None:
        """Break a stream that stays silent although there are blocks to deliver."""
        if self._reading is not None:
            self._reading.cancel()

    @property
    def is_ready(self) -> bool:
        """Tell whether the stream is open, on the right chain."""
        return self._ready.is_set()

    async def wait_ready(self) -> None:
        """Return once no block that is committed from now on can be missed."""
        await self._ready.wait()

    async def run(self) -> None:
        """Read blocks without end, opening the stream again whenever it breaks."""
        while True:
            await self._ledger.breaker.wait_closed()
            self._reading = asyncio.create_task(self._read())
            try:
                await asyncio.wait([self._reading])
            finally:
                self._ready.clear()
                self._reading.cancel()
                await asyncio.wait([self._reading])
            await asyncio.sleep(REOPEN_S)

    async def _read(self) -> None:
        try:
            await self._open()
            async for block in self._ledger.blocks(self.next_block):
                self._hand_out(block)
                self._next_block = BlockNumber(block.number + 1)
        except (WrongLedgerError, ShortLedgerError):
            await asyncio.sleep(WRONG_CHAIN_RETRY_S)  # the guard has said it
        except (LedgerError, DatabaseUnavailableError) as error:
            _log.warning("verdict_stream_broke", next_block=self.next_block, error=error)
        except Exception:  # noqa: BLE001 (whatever broke it, it is opened again)
            _log.exception("verdict_stream_failed", next_block=self.next_block)

    async def _open(self) -> None:
        """Make sure of the chain, and of where to begin; from here on commands may be sent."""
        chain = await self._ledger.chain_info()
        await self._guard.require(chain)
        if self._next_block is None:
            self._next_block = BlockNumber(chain.height)
        self._ready.set()
        self.on_ready()

    def _hand_out(self, block: Block) -> None:
        for transaction in block.transactions:
            expected = self._expected.get(transaction.transaction_id)
            is_copy = transaction.validation_code is ValidationCode.DUPLICATE_TXID
            if expected is not None and not expected.done() and not is_copy:
                expected.set_result(_verdict_of(block, transaction))


def _verdict_of(block: Block, transaction: LedgerTransaction) -> Verdict:
    return Verdict(
        transaction_id=transaction.transaction_id,
        validation_code=transaction.validation_code,
        block_number=block.number,
        event=transaction.event,
    )

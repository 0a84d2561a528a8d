"""From signed bytes to a verdict, whatever happens in between.

The bytes are on disk. They are submitted; when the answer is lost or late the verdict is asked
for, and when there is none the *same* bytes are submitted again: the ledger takes a transaction
id once. There is no way out but a verdict, or the proof that the bytes never were and never will
be ordered. So nothing that is unresolved is ever endorsed anew, settled or buried.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from gx.ledger.breaker import BreakingLedger
from gx.ledger.errors import LedgerError, LedgerUnavailableError, SubmitError
from gx.ledger.ports import Envelope, Verdict
from gx.outbox.verdicts import VerdictDesk

_log: Final = structlog.get_logger(__name__)


class NeverOrderedError(LedgerError):
    """The orderer refuses these bytes for good and holds no copy: the transaction id is dead."""

    def __init__(self, cause: SubmitError) -> None:
        super().__init__(
            f"the orderer refuses the transaction: {cause}", code=cause.code, is_transient=False
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionLimits:
    """How long to wait for the stream, and how long a definite refusal must stand."""

    verdict_timeout_s: float
    refused_for_good_s: float


class Resolution:
    """The way of one envelope to its verdict.

    `is_fresh` tells that nobody has submitted it before. Only then does a definite refusal prove
    at once that it was never ordered; else it must stand for `refused_for_good_s`, because an
    earlier submission may still be on its way.
    """

    def __init__(
        self,
        envelope: Envelope,
        *,
        ledger: BreakingLedger,
        desk: VerdictDesk,
        limits: ResolutionLimits,
        delay_s: Callable[[int], float],
        is_fresh: bool,
    ) -> None:
        self._envelope = envelope
        self._ledger = ledger
        self._desk = desk
        self._limits = limits
        self._delay_s = delay_s
        self._may_be_ordered = not is_fresh
        self._refused_since_s: float | None = None
        self._expected = desk.expect(envelope.transaction_id)

    async def resolve(self) -> Verdict:
        """Return the verdict, however long it takes.

        Raises:
            NeverOrderedError: There will be none.
        """
        try:
            await self._desk.wait_ready()
            verdict = await self._ask() if self._may_be_ordered else None
            tries = 0
            while verdict is None:
                tries += 1
                verdict = await self._try_once(tries)
        finally:
            self._desk.forget(self._envelope.transaction_id)
        return verdict

    async def _try_once(self, tries: int) -> Verdict | None:
        """Submit, wait for the stream, ask; None when there is no verdict yet."""
        await self._wait_for_ledger()
        delay_s = self._delay_s(tries)
        try:
            await self._ledger.submit(self._envelope)
        except LedgerUnavailableError as error:  # it did not arrive
            self._note(error)
            return await self._verdict_within(delay_s)
        except SubmitError as error:
            self._note(error)
            if not error.is_transient:
                return await self._verdict_of_refused(error, delay_s)
            self._may_be_ordered, self._refused_since_s = True, None
            return await self._verdict_within(delay_s)
        self._may_be_ordered, self._refused_since_s = True, None
        return await self._verdict_within(self._limits.verdict_timeout_s)

    async def _verdict_within(self, wait_s: float) -> Verdict | None:
        """Wait for the stream; then ask. A stream that missed a block is opened again."""
        await asyncio.wait([self._expected], timeout=wait_s)
        if self._expected.done():
            return self._expected.result()
        verdict = await self._ask()
        is_late = wait_s >= self._limits.verdict_timeout_s
        if is_late and verdict is not None and verdict.block_number >= self._desk.next_block:
            self._desk.reopen()
        return verdict

    async def _verdict_of_refused(self, refusal: SubmitError, wait_s: float) -> Verdict | None:
        """Look for a verdict all the same; without one, judge whether the id is dead."""
        now_s = asyncio.get_running_loop().time()
        if self._refused_since_s is None:
            self._refused_since_s = now_s
        await asyncio.wait([self._expected], timeout=wait_s)
        if self._expected.done():
            return self._expected.result()
        try:
            verdict = await self._ledger.verdict(self._envelope.transaction_id)
        except LedgerError:
            return None
        stood_s = now_s - self._refused_since_s
        if verdict is None and (
            not self._may_be_ordered or stood_s >= self._limits.refused_for_good_s
        ):
            raise NeverOrderedError(refusal)
        return verdict

    async def _ask(self) -> Verdict | None:
        try:
            return await self._ledger.verdict(self._envelope.transaction_id)
        except LedgerError as error:
            self._note(error)
            return None

    async def _wait_for_ledger(self) -> None:
        """Return when calls pass, or when the stream has brought the verdict."""
        if self._ledger.breaker.is_closed:
            return
        closed = asyncio.create_task(self._ledger.breaker.wait_closed())
        either: list[asyncio.Future[None] | asyncio.Future[Verdict]] = [closed, self._expected]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()

    def _note(self, error: LedgerError) -> None:
        _log.info(
            "transaction_unresolved",
            transaction_id=self._envelope.transaction_id,
            error=error,
            code=error.code,
        )

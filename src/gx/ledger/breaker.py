"""The circuit breaker around every ledger call.

    closed      calls pass; some failures in a row open it
    open        calls are refused at once: a ledger that is down gets no load, callers no wait
    half-open   one probe of the breaker's own is under way; calls are still refused

The breaker finds out by itself, every few seconds, whether the ledger is back: it never waits
for a command to try. A failure is a call that the ledger did not answer. A contract's refusal,
or any other answer that would be the same next time, shows that the ledger works.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog
from typing_extensions import override

from gx.domain.identifiers import BlockNumber, TransactionId
from gx.ledger.errors import (
    EvaluateError,
    LedgerError,
    LedgerUnavailableError,
    SubmitError,
    VerdictError,
)
from gx.ledger.ports import Block, ChainInfo, Envelope, Ledger, Proposal, Verdict

_log: Final = structlog.get_logger(__name__)


class BreakerState(StrEnum):
    """Where the breaker stands."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"

    @property
    def level(self) -> float:
        """Return the number that its gauge shows: 0 closed, 0.5 half-open, 1 open."""
        return _LEVELS[self]


_LEVELS: Final = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 0.5, BreakerState.OPEN: 1.0}


class CircuitOpenError(LedgerUnavailableError):
    """The breaker is open: the ledger was not called."""

    def __init__(self) -> None:
        super().__init__("the ledger does not answer; the circuit breaker is open", code="OPEN")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """When it opens, how often it looks, and how long any call may take."""

    failures_max: int = 5
    probe_every_s: float = 5.0
    probe_timeout_s: float = 5.0
    call_timeout_s: float = 60.0


class CircuitBreaker:
    """The state alone. It changes only when it is told of an answer, a failure or a probe.

    `on_change` hears every new state, `on_rejection` every refused call.
    """

    def __init__(
        self,
        failures_max: int,
        *,
        on_change: Callable[[BreakerState], None] = lambda _: None,
        on_rejection: Callable[[], None] = lambda: None,
    ) -> None:
        self._failures_max = failures_max
        self._on_change = on_change
        self._on_rejection = on_rejection
        self._state = BreakerState.CLOSED
        self._failures = 0
        self._closed = asyncio.Event()
        self._closed.set()

    @property
    def state(self) -> BreakerState:
        """Return the state."""
        return self._state

    @property
    def is_closed(self) -> bool:
        """Tell whether calls pass."""
        return self._state is BreakerState.CLOSED

    async def wait_closed(self) -> None:
        """Return once calls pass."""
        await self._closed.wait()

    def require_closed(self) -> None:
        """Let a call pass, or refuse it.

        Raises:
            CircuitOpenError: The breaker is open or half-open.
        """
        if not self.is_closed:
            self._on_rejection()
            raise CircuitOpenError

    def answered(self) -> None:
        """Note that the ledger answered a call; once it is open only a probe closes it."""
        if self.is_closed:
            self._failures = 0

    def failed(self) -> None:
        """Note that the ledger did not answer a call."""
        if not self.is_closed:
            return
        self._failures += 1
        if self._failures >= self._failures_max:
            self._change(BreakerState.OPEN)

    def probe_began(self) -> None:
        """Note that the breaker itself asks now."""
        self._change(BreakerState.HALF_OPEN)

    def probe_ended(self, *, is_answered: bool) -> None:
        """Close if the ledger answered, else open again."""
        self._failures = 0
        self._change(BreakerState.CLOSED if is_answered else BreakerState.OPEN)

    def _change(self, state: BreakerState) -> None:
        self._state = state
        if state is BreakerState.CLOSED:
            self._closed.set()
        else:
            self._closed.clear()
        self._on_change(state)


class BreakingLedger(Ledger):
    """A ledger behind a breaker. Calls have a deadline, so that a hung one is a failure too.

    `probe` is evaluated to find out whether the ledger is back; without one, the chain's height
    is asked for. A refusal is an answer.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        settings: BreakerSettings | None = None,
        probe: Proposal | None = None,
        on_change: Callable[[BreakerState], None] = lambda _: None,
        on_rejection: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._settings = settings or BreakerSettings()
        self._probe = probe
        self._probing: asyncio.Task[None] | None = None
        self._on_change = on_change
        self.breaker: Final = CircuitBreaker(
            self._settings.failures_max, on_change=self._changed, on_rejection=on_rejection
        )

    @override
    async def prepare(self, proposal: Proposal) -> Envelope:
        with self._guarded(_unanswered("prepare")):
            async with asyncio.timeout(self._settings.call_timeout_s):
                return await self._ledger.prepare(proposal)

    @override
    async def submit(self, envelope: Envelope) -> None:
        late = SubmitError(f"submitting {envelope.transaction_id} timed out", code="DEADLINE")
        with self._guarded(late):
            async with asyncio.timeout(self._settings.call_timeout_s):
                await self._ledger.submit(envelope)

    @override
    async def verdict(self, transaction_id: TransactionId) -> Verdict | None:
        late = VerdictError(f"the verdict on {transaction_id} timed out", code="DEADLINE")
        with self._guarded(late):
            async with asyncio.timeout(self._settings.call_timeout_s):
                return await self._ledger.verdict(transaction_id)

    @override
    async def evaluate(self, proposal: Proposal) -> str:
        with self._guarded(_unanswered("evaluate")):
            async with asyncio.timeout(self._settings.call_timeout_s):
                return await self._ledger.evaluate(proposal)

    @override
    async def chain_info(self) -> ChainInfo:
        with self._guarded(_unanswered("chain_info")):
            async with asyncio.timeout(self._settings.call_timeout_s):
                return await self._ledger.chain_info()

    @override
    async def blocks(self, first: BlockNumber) -> AsyncIterator[Block]:
        """Stream blocks; a break counts as one failure, each block as an answer.

        An open stream goes on while the breaker is open: it may bring a verdict.
        """
        self.breaker.require_closed()
        stream = aiter(self._ledger.blocks(first))
        try:
            while True:
                with self._counted():
                    block = await anext(stream, None)
                if block is None:
                    return
                yield block
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    async def is_answering(self) -> bool:
        """Ask the ledger itself, past the breaker and without counting: is it there?"""
        try:
            async with asyncio.timeout(self._settings.probe_timeout_s):
                if self._probe is None:
                    await self._ledger.chain_info()
                else:
                    await self._ledger.evaluate(self._probe)
        except EvaluateError as error:
            return not _is_failure(error)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is no answer)
            _log.info("probe_failed", error=error)
            return False
        return True

    @override
    async def close(self) -> None:
        await self.stop_probing()
        await self._ledger.close()

    async def stop_probing(self) -> None:
        """Leave the breaker as it is, for whoever keeps the ledger itself open."""
        probing, self._probing = self._probing, None
        if probing is not None:
            probing.cancel()
            await asyncio.wait([probing])

    @contextmanager
    def _guarded(self, late: LedgerError) -> Iterator[None]:
        self.breaker.require_closed()
        with self._counted():
            try:
                yield
            except TimeoutError as error:
                raise late from error

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except (LedgerError, OSError) as error:
            if _is_failure(error):
                self.breaker.failed()
            else:
                self.breaker.answered()
            raise
        self.breaker.answered()

    def _changed(self, state: BreakerState) -> None:
        _log.info("circuit_changed", state=state)
        self._on_change(state)
        if state is BreakerState.OPEN and self._probing is None:
            self._probing = asyncio.get_running_loop().create_task(self._probe_until_closed())

    async def _probe_until_closed(self) -> None:
        try:
            while not self.breaker.is_closed:
                await asyncio.sleep(self._settings.probe_every_s)
                self.breaker.probe_began()
                self.breaker.probe_ended(is_answered=await self.is_answering())
        finally:
            self._probing = None


def _unanswered(call: str) -> LedgerUnavailableError:
    return LedgerUnavailableError(f"the ledger did not answer {call} in time", code="DEADLINE")


def _is_failure(error: Exception) -> bool:
    if isinstance(error, LedgerUnavailableError) or not isinstance(error, LedgerError):
        return True
    return error.is_transient

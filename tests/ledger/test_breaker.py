"""The circuit breaker: opens on silence, refuses at once, and finds out by itself."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gx.domain.identifiers import BlockNumber, TransactionId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import LedgerRole
from gx.ledger.breaker import (
    BreakerSettings,
    BreakerState,
    BreakingLedger,
    CircuitBreaker,
    CircuitOpenError,
)
from gx.ledger.errors import (
    EndorseError,
    EvaluateError,
    LedgerError,
    LedgerUnavailableError,
    StreamError,
    SubmitError,
    VerdictError,
)
from gx.ledger.ports import Envelope, Proposal
from tests.outbox.builders import eventually
from tests.outbox.fake_ledger import FakeLedger

SETTINGS = BreakerSettings(
    failures_max=3, probe_every_s=0.02, probe_timeout_s=0.2, call_timeout_s=0.2
)
A_PROPOSAL = Proposal(function="AdminContract:GetSystemStatus", arguments=(), role=LedgerRole.ADMIN)
AN_ENVELOPE = Envelope(
    transaction_id=TransactionId("t1"), role=LedgerRole.ADMIN, content=b"t1", result=""
)
REFUSED = RefusedError(RefusalCode.NOT_BOOTSTRAPPED, "bootstrap first")


class Watched:
    """A breaking ledger with everything it says."""

    def __init__(self, ledger: FakeLedger, probe: Proposal | None = A_PROPOSAL) -> None:
        self.states: list[BreakerState] = []
        self.rejections = 0
        self.ledger = BreakingLedger(
            ledger,
            settings=SETTINGS,
            probe=probe,
            on_change=self.states.append,
            on_rejection=self._rejected,
        )

    def _rejected(self) -> None:
        self.rejections += 1


async def open_it(watched: Watched, ledger: FakeLedger) -> None:
    """Let the ledger go down and be called until the breaker opens."""
    ledger.is_down = True
    for _ in range(SETTINGS.failures_max):
        with pytest.raises(LedgerUnavailableError):
            await watched.ledger.evaluate(A_PROPOSAL)
    assert watched.ledger.breaker.state is BreakerState.OPEN


async def test_it_opens_after_some_failures_in_a_row() -> None:
    """One failure less, or an answer in between, and it stays closed."""
    ledger = FakeLedger()
    watched = Watched(ledger)
    for failures in (2, 2, 3):
        ledger.faults["evaluate"].extend(LedgerUnavailableError("gone") for _ in range(failures))
        for _ in range(failures):
            assert watched.ledger.breaker.is_closed
            with pytest.raises(LedgerUnavailableError):
                await watched.ledger.evaluate(A_PROPOSAL)
        if failures == 2:
            await watched.ledger.evaluate(A_PROPOSAL)

    assert watched.states == [BreakerState.OPEN]
    await watched.ledger.close()


async def test_an_open_breaker_refuses_at_once_and_calls_nobody() -> None:
    """Fault: the submit path bypassing the circuit breaker. Every kind of call, each counted."""
    ledger = FakeLedger()
    watched = Watched(ledger)
    await open_it(watched, ledger)
    await watched.ledger.stop_probing()
    before = ledger.calls.total()
    inside = watched.ledger

    for call in (
        lambda: inside.prepare(A_PROPOSAL),
        lambda: inside.submit(AN_ENVELOPE),
        lambda: inside.verdict(TransactionId("t1")),
        lambda: inside.evaluate(A_PROPOSAL),
        inside.chain_info,
        lambda: anext(aiter(inside.blocks(BlockNumber(0)))),
    ):
        with pytest.raises(CircuitOpenError):
            await call()

    assert ledger.calls.total() == before
    assert watched.rejections == 6


async def test_it_closes_by_itself_when_the_ledger_is_back() -> None:
    """No command waits to find out: the breaker probes every few seconds."""
    ledger = FakeLedger()
    watched = Watched(ledger)
    await open_it(watched, ledger)
    await eventually(lambda: len(watched.states) >= 5)
    assert watched.states[:5] == [
        BreakerState.OPEN,
        BreakerState.HALF_OPEN,
        BreakerState.OPEN,
        BreakerState.HALF_OPEN,
        BreakerState.OPEN,
    ]

    ledger.is_down = False
    await asyncio.wait_for(watched.ledger.breaker.wait_closed(), 5)

    assert watched.states[-2:] == [BreakerState.HALF_OPEN, BreakerState.CLOSED]
    assert await watched.ledger.evaluate(A_PROPOSAL) == "{}"
    await watched.ledger.close()


async def test_probes_are_bounded() -> None:
    """A ledger that is down gets one small question in each interval, no more."""
    ledger = FakeLedger()
    watched = Watched(ledger)
    await open_it(watched, ledger)
    before = ledger.calls.total()
    await asyncio.sleep(0.2)

    assert 1 <= ledger.calls.total() - before <= 10
    await watched.ledger.close()


@pytest.mark.parametrize(
    "answer",
    [
        EvaluateError("no", refusal=REFUSED),
        EvaluateError("unknown chaincode", is_transient=False),
    ],
)
async def test_a_refused_probe_is_an_answer(answer: EvaluateError) -> None:
    """Before bootstrap the contract refuses the probe: the ledger works all the same."""
    ledger = FakeLedger()
    watched = Watched(ledger)
    await open_it(watched, ledger)
    ledger.faults["evaluate"].append(answer)
    ledger.is_down = False

    await asyncio.wait_for(watched.ledger.breaker.wait_closed(), 5)
    await watched.ledger.close()


async def test_without_a_proposal_the_probe_asks_for_the_height() -> None:
    """A ledger without contracts can be probed too."""
    ledger = FakeLedger()
    watched = Watched(ledger, probe=None)
    assert await watched.ledger.is_answering()
    assert (ledger.calls["chain_info"], ledger.calls["evaluate"]) == (1, 0)


@pytest.mark.parametrize(
    "error",
    [
        EndorseError("no", refusal=REFUSED),
        EndorseError("chaincode crashed", is_transient=False),
        SubmitError("too large", is_transient=False),
    ],
)
async def test_an_answer_that_would_be_the_same_next_time_is_no_failure(
    error: LedgerError,
) -> None:
    """Fault: business refusals opening the breaker for everybody."""
    ledger = FakeLedger()
    watched = Watched(ledger)
    for _ in range(10):
        ledger.faults["submit"].append(error)
        with pytest.raises(type(error)):
            await watched.ledger.submit(AN_ENVELOPE)

    assert watched.ledger.breaker.is_closed


async def test_an_identity_that_is_refused_everywhere_is_a_failure() -> None:
    """Not a command's fault: an adapter says so with LedgerUnavailableError."""
    ledger = FakeLedger()
    watched = Watched(ledger)
    for _ in range(3):
        ledger.faults["prepare"].append(
            LedgerUnavailableError("certificate expired", is_transient=False)
        )
        with pytest.raises(LedgerUnavailableError):
            await watched.ledger.prepare(A_PROPOSAL)

    assert not watched.ledger.breaker.is_closed
    await watched.ledger.close()


async def test_a_hung_call_is_a_failure_of_its_own_kind() -> None:
    """Fault: a hung call while health says 200. A hung submission stays ambiguous."""
    ledger = FakeLedger()
    ledger.hangs = True
    watched = Watched(ledger)

    with pytest.raises(SubmitError):
        await watched.ledger.submit(AN_ENVELOPE)
    with pytest.raises(VerdictError):
        await watched.ledger.verdict(TransactionId("t1"))
    with pytest.raises(LedgerUnavailableError):
        await watched.ledger.prepare(A_PROPOSAL)
    assert not watched.ledger.breaker.is_closed
    await watched.ledger.stop_probing()


async def test_broken_streams_count_too() -> None:
    """Fault: a path to the ledger that bypasses the circuit breaker."""
    ledger = FakeLedger()
    watched = Watched(ledger)
    for _ in range(3):
        ledger.faults["blocks"].append(StreamError("cut"))
        with pytest.raises(StreamError):
            await anext(aiter(watched.ledger.blocks(BlockNumber(0))))

    assert watched.states == [BreakerState.OPEN]
    await watched.ledger.close()


class BreakerMachine(RuleBasedStateMachine):
    """Whatever is told in whatever order, the breaker is where a simple model says."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[BreakerState] = []
        self.breaker = CircuitBreaker(3, on_change=self.changes.append)
        self.failures = 0
        self.state = BreakerState.CLOSED

    @rule()
    def answered(self) -> None:
        """An answer resets the count, and closes nothing."""
        self.breaker.answered()
        if self.state is BreakerState.CLOSED:
            self.failures = 0

    @rule()
    def failed(self) -> None:
        """The third failure in a row opens it; late failures change nothing."""
        self.breaker.failed()
        if self.state is BreakerState.CLOSED:
            self.failures += 1
            if self.failures == 3:
                self.state = BreakerState.OPEN

    @precondition(lambda self: self.state is BreakerState.OPEN)
    @rule()
    def probe_began(self) -> None:
        """Only an open breaker is probed."""
        self.breaker.probe_began()
        self.state = BreakerState.HALF_OPEN

    @precondition(lambda self: self.state is BreakerState.HALF_OPEN)
    @rule(is_answered=st.booleans())
    def probe_ended(self, *, is_answered: bool) -> None:
        """One answer closes it with a clean slate."""
        self.breaker.probe_ended(is_answered=is_answered)
        self.state = BreakerState.CLOSED if is_answered else BreakerState.OPEN
        self.failures = 0

    @invariant()
    def agrees_with_the_model(self) -> None:
        """Its state, its last word, and whether calls pass."""
        assert self.breaker.state is self.state
        assert not self.changes or self.changes[-1] is self.state
        passes: Callable[[], None] = self.breaker.require_closed
        if self.state is BreakerState.CLOSED:
            passes()
        else:
            with pytest.raises(CircuitOpenError):
                passes()

    @invariant()
    def never_skips_a_state(self) -> None:
        """It closes only from half-open, and is half-open only from open."""
        for before, after in zip(self.changes, self.changes[1:], strict=False):
            assert (before, after) in {
                (BreakerState.OPEN, BreakerState.HALF_OPEN),
                (BreakerState.HALF_OPEN, BreakerState.OPEN),
                (BreakerState.HALF_OPEN, BreakerState.CLOSED),
                (BreakerState.CLOSED, BreakerState.OPEN),
            }


TestBreakerMachine = BreakerMachine.TestCase


def test_its_levels_are_the_gauges() -> None:
    """0 closed, 0.5 half-open, 1 open: what the alert averages."""
    assert [state.level for state in BreakerState] == [0.0, 0.5, 1.0]

"""What follows a failure: decided in one pure function, by step, code and proof of blame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.identifiers import TransactionId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.ledger.breaker import CircuitOpenError
from gx.ledger.errors import (
    CommitError,
    EndorseError,
    LedgerUnavailableError,
)
from gx.ledger.ports import ValidationCode
from gx.outbox.retry import (
    Bury,
    Decision,
    FailedBatch,
    FailureClass,
    Refuse,
    RetryPolicy,
    Split,
    TryAgain,
    classify,
    decide,
)

POLICY = RetryPolicy(
    attempts_max=4, tries_max=3, patience_s=60.0, delay_base_s=0.1, delay_max_s=5.0
)
REFUSAL = RefusedError(RefusalCode.INSUFFICIENT_FUNDS, "holds 0")
REFUSED = EndorseError("refused", refusal=REFUSAL)
TRANSIENT = EndorseError("stream terminated", code="ABORTED")
POISON = EndorseError("chaincode response 500", code="500", is_transient=False)
OUTAGE = LedgerUnavailableError("connection refused")
CONFLICT = CommitError(TransactionId("t"), ValidationCode.MVCC_READ_CONFLICT)
INVALID = CommitError(TransactionId("t"), ValidationCode.BAD_PAYLOAD)


def a_failure(
    *,
    commands: int = 1,
    tries: int = 1,
    waited_s: float = 0.0,
    attempts: int = 0,
    is_ledger_answering: bool = True,
) -> FailedBatch:
    """Build what is known of a failed batch."""
    return FailedBatch(
        commands=commands,
        tries=tries,
        waited_s=waited_s,
        attempts=attempts,
        is_ledger_answering=is_ledger_answering,
    )


def decision(error: Exception, failed: FailedBatch) -> Decision:
    """Decide with the longest delay there may be."""
    return decide(error, failed, policy=POLICY, random=lambda: 1.0)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (REFUSED, FailureClass.REFUSAL),
        (TRANSIENT, FailureClass.TRANSIENT),
        (POISON, FailureClass.POISON),
        (OUTAGE, FailureClass.OUTAGE),
        (LedgerUnavailableError("expired", is_transient=False), FailureClass.OUTAGE),
        (CircuitOpenError(), FailureClass.OUTAGE),
        (CONFLICT, FailureClass.CONFLICT),
        (INVALID, FailureClass.POISON),
        (KeyError("amount"), FailureClass.POISON),
    ],
)
def test_a_failure_has_a_class(error: Exception, expected: FailureClass) -> None:
    """By its type, its refusal, its code and whether it may go away."""
    assert classify(error) is expected


def test_a_refusal_is_final() -> None:
    """Fault: business refusals retried."""
    assert decision(REFUSED, a_failure()) == Refuse(REFUSAL)


def test_a_refused_batch_is_split() -> None:
    """Which of its commands was refused is not known."""
    assert decision(REFUSED, a_failure(commands=5)) == Split(company_max=3)


@pytest.mark.parametrize("error", [POISON, INVALID, ValueError("cannot be encoded")])
def test_a_poisoned_batch_is_split_in_halves(error: Exception) -> None:
    """Down to the one that is to blame."""
    sizes = [1000]
    while sizes[-1] > 1:
        step = decision(error, a_failure(commands=sizes[-1]))
        assert isinstance(step, Split)
        sizes.append(step.company_max)
    assert sizes == [1000, 500, 250, 125, 63, 32, 16, 8, 4, 2, 1]


def test_poison_alone_is_charged_and_then_buried() -> None:
    """After its bound, with the last error in the reason."""
    steps = [decision(POISON, a_failure(attempts=attempts)) for attempts in range(4)]

    assert all(isinstance(step, TryAgain) and step.is_attempt for step in steps[:3])
    assert isinstance(steps[3], Bury)
    assert "4 attempts" in steps[3].reason
    assert "500" in steps[3].reason


@pytest.mark.parametrize("error", [TRANSIENT, CONFLICT])
def test_a_transient_failure_of_a_batch_is_forgiven_a_few_times(error: Exception) -> None:
    """It names nobody; only when it persists is it found out whom it concerns."""
    for tries in (1, 2):
        step = decision(error, a_failure(commands=8, tries=tries))
        assert isinstance(step, TryAgain)
        assert not step.is_attempt

    assert decision(error, a_failure(commands=8, tries=3)) == Split(company_max=4)


@given(tries=st.integers(1, 10_000), waited_s=st.floats(0, 1e9), attempts=st.integers(0, 3))
def test_a_conflict_costs_a_command_nothing(tries: int, waited_s: float, attempts: int) -> None:
    """Others were faster, however often: that is no reason to give a good command up."""
    failed = a_failure(tries=tries, waited_s=waited_s, attempts=attempts)

    step = decision(CONFLICT, failed)

    assert isinstance(step, TryAgain)
    assert not step.is_attempt
    assert tries == 1 or step.delay_s > 0.1


def test_what_may_work_later_is_charged_by_time_and_not_by_tries() -> None:
    """A ledger that answers reads but cannot endorse for a minute must bury nobody."""
    patient = decision(TRANSIENT, a_failure(tries=500, waited_s=59.9))
    charged = decision(TRANSIENT, a_failure(tries=500, waited_s=60.0, attempts=2))
    given_up = decision(TRANSIENT, a_failure(tries=500, waited_s=60.0, attempts=3))

    assert patient == TryAgain(5.0, is_attempt=False)
    assert charged == TryAgain(5.0, is_attempt=True)
    assert isinstance(given_up, Bury)


def test_by_default_a_command_that_is_not_endorsed_is_given_ten_minutes() -> None:
    """Longer than a peer or a chaincode takes to come back."""
    policy = RetryPolicy()
    assert policy.attempts_max * policy.patience_s >= 600


@given(
    error=st.sampled_from([TRANSIENT, POISON, CONFLICT, INVALID, OUTAGE]),
    commands=st.integers(1, 1000),
    tries=st.integers(1, 100),
    waited_s=st.floats(0, 1e6),
    attempts=st.integers(0, 100),
)
def test_without_an_answering_ledger_nobody_is_blamed(
    *, error: Exception, commands: int, tries: int, waited_s: float, attempts: int
) -> None:
    """Fault: attempts burnt in an outage. No charge, no burial, no split without proof."""
    failed = a_failure(
        commands=commands,
        tries=tries,
        waited_s=waited_s,
        attempts=attempts,
        is_ledger_answering=False,
    )

    step = decision(error, failed)

    assert isinstance(step, TryAgain)
    assert not step.is_attempt


@given(tries=st.integers(1, 10_000), drawn=st.floats(0, 1))
def test_delays_are_jittered_fully_and_bounded(tries: int, drawn: float) -> None:
    """Between nothing and a bound that doubles up to the maximum."""
    bound_s = min(POLICY.delay_max_s, POLICY.delay_base_s * 2.0 ** min(tries - 1, 30))

    assert 0 <= POLICY.delay_s(tries, lambda: drawn) <= bound_s
    assert POLICY.delay_s(tries, lambda: 1.0) == bound_s
    assert POLICY.delay_s(tries, lambda: 0.0) == 0

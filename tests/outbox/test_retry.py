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

POLICY = RetryPolicy(attempts_max=4, tries_max=3, delay_base_s=0.1, delay_max_s=5.0)
REFUSAL = RefusedError(RefusalCode.INSUFFICIENT_FUNDS, "holds 0")
REFUSED = EndorseError("refused", refusal=REFUSAL)
TRANSIENT = EndorseError("stream terminated", code="ABORTED")
POISON = EndorseError("chaincode response 500", code="500", is_transient=False)
OUTAGE = LedgerUnavailableError("connection refused")
CONFLICT = CommitError(TransactionId("t"), ValidationCode.MVCC_READ_CONFLICT)
INVALID = CommitError(TransactionId("t"), ValidationCode.BAD_PAYLOAD)


def a_failure(
    *, commands: int = 1, tries: int = 1, attempts: int = 0, is_ledger_answering: bool = True
) -> FailedBatch:
    """Build what is known of a failed batch."""
    return FailedBatch(
        commands=commands,
        tries=tries,
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


@pytest.mark.parametrize("commands", [1, 8])
@pytest.mark.parametrize("error", [TRANSIENT, CONFLICT])
def test_a_transient_failure_is_forgiven_a_few_times(error: Exception, commands: int) -> None:
    """It names nobody; only when it persists is a command suspected."""
    for tries in (1, 2):
        step = decision(error, a_failure(commands=commands, tries=tries))
        assert isinstance(step, TryAgain)
        assert not step.is_attempt

    step = decision(error, a_failure(commands=commands, tries=3))
    assert step == (Split(company_max=4) if commands == 8 else TryAgain(0.4, is_attempt=True))


@given(
    error=st.sampled_from([TRANSIENT, POISON, CONFLICT, INVALID, OUTAGE]),
    commands=st.integers(1, 1000),
    tries=st.integers(1, 100),
    attempts=st.integers(0, 100),
)
def test_without_an_answering_ledger_nobody_is_blamed(
    error: Exception, commands: int, tries: int, attempts: int
) -> None:
    """Fault: attempts burnt in an outage. No charge, no burial, no split without proof."""
    failed = a_failure(commands=commands, tries=tries, attempts=attempts, is_ledger_answering=False)

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

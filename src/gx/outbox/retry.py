"""What to do after a failure before a transaction was submitted, or after it was invalidated.

Pure: one function maps a failure to a decision. The classes, by step and code
(hyperledger-fabric.readthedocs.io, and measured on a real network):

    outage      the ledger did not answer             wait; costs the commands nothing
    refusal     the contract said no                  final, with its code
    transient   it may work the next time             try again, with backoff, for a long while
    conflict    invalidated by what was committed     endorse anew, as often as it takes
    poison      will fail again                       split the batch; alone, give up after a bound
    newer       only a newer release can send it      split the batch; alone, wait for that release

An ambiguous submission is none of them: its transaction is asked for and submitted again with
the same bytes until it has a verdict (`gx.outbox.resolution`), and never decided here.

Blame needs proof. A failure counts against a command only if it flew alone and the ledger, asked
just then, answered. So an outage of any length costs no command an attempt. Neither does a
conflict: it proves that somebody else's transaction took effect, not that this one cannot. An
endorsement that may work the next time is charged only after `patience_s` of waiting for it, since
a ledger may answer reads for minutes while it cannot endorse. An adapter says
"the ledger" and not "this command" with LedgerUnavailableError, also where its own identity or
configuration is at fault.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from gx.domain.refusals import RefusedError
from gx.ledger.errors import CommitError, EvaluateError, LedgerError, LedgerUnavailableError
from gx.ledger.ports import ValidationCode
from gx.outbox.proposals import NewerCommandError

_CONFLICTS: Final = frozenset(
    {ValidationCode.MVCC_READ_CONFLICT, ValidationCode.PHANTOM_READ_CONFLICT}
)


class FailureClass(StrEnum):
    """What a failure means for a retry."""

    OUTAGE = "outage"
    REFUSAL = "refusal"
    TRANSIENT = "transient"
    CONFLICT = "conflict"
    POISON = "poison"
    NEWER = "newer"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long. Delays are drawn between 0 and a bound that doubles: full jitter.

    `attempts_max` is what a command alone gets; `tries_max` is how often a batch may fail
    without a reason to suspect one of its commands; `patience_s` is how long a command alone waits
    between transient failures before they are charged as one attempt.
    """

    attempts_max: int = 5
    tries_max: int = 3
    patience_s: float = 120.0
    delay_base_s: float = 0.05
    delay_max_s: float = 10.0

    def delay_s(self, tries: int, random: Callable[[], float]) -> float:
        """Draw the wait before the next try; `tries` have failed so far, one at least."""
        doublings = min(max(tries - 1, 0), 30)
        return random() * min(self.delay_max_s, self.delay_base_s * 2.0**doublings)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedBatch:
    """What is known of a batch that failed.

    `tries` counts its failures in a row while the ledger answered, this one included; `waited_s`
    adds up the waits after them, since the last charge; `attempts` is what its only command was
    charged before; `is_ledger_answering` is whether the ledger answered when it was asked just now.
    """

    commands: int
    tries: int
    waited_s: float
    attempts: int
    is_ledger_answering: bool


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Fly again after a while; an attempt is charged only where the command is to blame."""

    delay_s: float
    is_attempt: bool


@dataclass(frozen=True, slots=True)
class Split:
    """Fly again with at most so many others, to find out which command fails."""

    company_max: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """The answer is no, for good."""

    refusal: RefusedError


@dataclass(frozen=True, slots=True)
class Bury:
    """Give the command up: it goes to the dead letters."""

    reason: str


Decision: TypeAlias = TryAgain | Split | Refuse | Bury


def classify(error: Exception) -> FailureClass:
    """Tell what a failure before submission, or an invalidation, means.

    What is no LedgerError is a fault of ours in building or encoding the batch: poison.
    """
    match error:
        case LedgerUnavailableError():
            return FailureClass.OUTAGE
        case EvaluateError(refusal=RefusedError()):
            return FailureClass.REFUSAL
        case CommitError(validation_code=code):
            return FailureClass.CONFLICT if code in _CONFLICTS else FailureClass.POISON
        case LedgerError(is_transient=True):
            return FailureClass.TRANSIENT
        case NewerCommandError():
            return FailureClass.NEWER
        case _:
            return FailureClass.POISON


def decide(
    error: Exception, batch: FailedBatch, *, policy: RetryPolicy, random: Callable[[], float]
) -> Decision:
    """Choose the next step from what failed and how often it has."""
    again = TryAgain(policy.delay_s(batch.tries, random), is_attempt=False)
    match classify(error):
        case FailureClass.OUTAGE:
            return again
        case FailureClass.REFUSAL if batch.commands == 1 and isinstance(error, EvaluateError):
            return again if error.refusal is None else Refuse(error.refusal)
        case FailureClass.CONFLICT | FailureClass.NEWER as failure if batch.commands == 1:
            # One attempt tells admission that it waits for a reason of its own: it may be hours.
            is_first = failure is FailureClass.NEWER and batch.attempts == 0
            return replace(again, is_attempt=is_first)
        case FailureClass.REFUSAL | FailureClass.POISON | FailureClass.NEWER:
            return _isolate(error, batch, again, policy)
        case FailureClass.TRANSIENT if batch.commands == 1:
            is_charged = batch.waited_s >= policy.patience_s
            return _isolate(error, batch, again, policy) if is_charged else again
        case FailureClass.TRANSIENT | FailureClass.CONFLICT:
            is_split = batch.tries >= policy.tries_max
            return _isolate(error, batch, again, policy) if is_split else again


def _isolate(
    error: Exception, batch: FailedBatch, again: TryAgain, policy: RetryPolicy
) -> Decision:
    """Blame somebody, if the ledger is not to blame: half of a batch, or a command alone."""
    if not batch.is_ledger_answering:
        return again
    if batch.commands > 1:
        return Split(company_max=(batch.commands + 1) // 2)
    attempts = batch.attempts + 1
    if attempts >= policy.attempts_max:
        return Bury(reason=f"gave up after {attempts} attempts: {error}")
    return TryAgain(again.delay_s, is_attempt=True)

"""What each failure means: one row of the table at a time, in the words of a real network."""

from dataclasses import dataclass

import grpc
import pytest

from gx.domain.refusals import RefusalCode
from gx.ledger.errors import (
    EndorseError,
    EvaluateError,
    LedgerError,
    LedgerUnavailableError,
    StreamError,
    SubmitError,
    VerdictError,
)
from gx.ledger.fabric.failures import TABLE, Cause, Step, classify, read_refusal
from gx.outbox.retry import FailureClass
from gx.outbox.retry import classify as class_for_outbox

CODE = grpc.StatusCode
EVERY_CALL = (Step.EVALUATE, Step.ENDORSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A failure as it was seen, and what must come of it."""

    steps: tuple[Step, ...]
    code: grpc.StatusCode
    text: str
    cause: Cause
    error: type[LedgerError] | None = None
    is_transient: bool
    outbox: FailureClass | None = None


SEEN = {
    "a contract refuses, endorsing": Case(
        steps=(Step.ENDORSE,),
        code=CODE.ABORTED,
        text="Org1MSP peer0:7051: chaincode response 400, ROLE_REQUIRED: admits gx_admin",
        cause=Cause.REFUSED,
        error=EndorseError,
        is_transient=False,
        outbox=FailureClass.REFUSAL,
    ),
    "a contract refuses, evaluating": Case(
        steps=(Step.EVALUATE,),
        code=CODE.UNKNOWN,
        text="evaluate call to endorser returned error: chaincode response 404, no such account",
        cause=Cause.REFUSED,
        error=EvaluateError,
        is_transient=False,
        outbox=FailureClass.REFUSAL,
    ),
    "the chaincode crashed": Case(
        steps=(Step.ENDORSE,),
        code=CODE.ABORTED,
        text="chaincode response 500, transaction ab12 failed inside the chaincode",
        cause=Cause.CHAINCODE_FAILED,
        error=EndorseError,
        is_transient=False,
        outbox=FailureClass.POISON,
    ),
    "endorsers at different heights": Case(
        steps=(Step.ENDORSE,),
        code=CODE.ABORTED,
        text="failed to assemble transaction: ProposalResponsePayloads do not match (base64)",
        cause=Cause.PAYLOADS_DIFFER,
        error=EndorseError,
        is_transient=True,
        outbox=FailureClass.TRANSIENT,
    ),
    "the chaincode server is down": Case(
        steps=EVERY_CALL,
        code=CODE.ABORTED,
        text="error in simulation: failed to execute transaction: could not launch chaincode gxtv3",
        cause=Cause.CHAINCODE_UNREACHABLE,
        error=LedgerUnavailableError,
        is_transient=True,
        outbox=FailureClass.OUTAGE,
    ),
    "the chaincode's stream broke in a call": Case(
        steps=EVERY_CALL,
        code=CODE.ABORTED,
        text="error in simulation: failed to execute transaction ab: chaincode stream terminated",
        cause=Cause.CHAINCODE_BROKE_OFF,
        is_transient=True,
        outbox=FailureClass.TRANSIENT,
    ),
    "the chaincode hangs": Case(
        steps=EVERY_CALL,
        code=CODE.ABORTED,
        text="failed to execute transaction ab: timeout expired while executing transaction",
        cause=Cause.CHAINCODE_TIMEOUT,
        is_transient=True,
        outbox=FailureClass.TRANSIENT,
    ),
    "a deadline passed": Case(
        steps=tuple(Step),
        code=CODE.DEADLINE_EXCEEDED,
        text="Deadline Exceeded",
        cause=Cause.DEADLINE_EXCEEDED,
        is_transient=True,
    ),
    "the other organisation's peer is down": Case(
        steps=(Step.ENDORSE,),
        code=CODE.FAILED_PRECONDITION,
        text="no peer combination can satisfy the endorsement policy",
        cause=Cause.PEERS_MISSING,
        error=LedgerUnavailableError,
        is_transient=True,
        outbox=FailureClass.OUTAGE,
    ),
    "the peers have not found each other yet": Case(
        steps=(Step.ENDORSE,),
        code=CODE.FAILED_PRECONDITION,
        text="no combination of peers can be derived which satisfy the endorsement policy",
        cause=Cause.PEERS_MISSING,
        error=LedgerUnavailableError,
        is_transient=True,
        outbox=FailureClass.OUTAGE,
    ),
    "the other organisation's peer is frozen": Case(
        steps=(Step.ENDORSE,),
        code=CODE.ABORTED,
        text="Org2MSP peer0.org2:8051: rpc error: code = DeadlineExceeded desc = context deadline",
        cause=Cause.PEER_TIMEOUT,
        error=EndorseError,
        is_transient=True,
        outbox=FailureClass.TRANSIENT,
    ),
    "the gateway peer is down": Case(
        steps=tuple(Step),
        code=CODE.UNAVAILABLE,
        text="failed to connect to all addresses; last error: Connection refused",
        cause=Cause.GATEWAY_UNREACHABLE,
        error=LedgerUnavailableError,
        is_transient=True,
        outbox=FailureClass.OUTAGE,
    ),
    "a stream broke with its peer": Case(
        steps=(Step.STREAM,),
        code=CODE.UNAVAILABLE,
        text="Stream removed",
        cause=Cause.GATEWAY_UNREACHABLE,
        is_transient=True,
    ),
    "the gateway closed its link to a peer": Case(
        steps=(Step.ENDORSE,),
        code=CODE.ABORTED,
        text="rpc error: code = Canceled desc = grpc: the client connection is closing",
        cause=Cause.PEER_LINK_CLOSED,
        error=LedgerUnavailableError,
        is_transient=True,
        outbox=FailureClass.OUTAGE,
    ),
    "the orderer is down": Case(
        steps=(Step.SUBMIT,),
        code=CODE.UNAVAILABLE,
        text="no orderers could successfully process transaction\nOrdererMSP: connection refused",
        cause=Cause.ORDERER_UNAVAILABLE,
        error=SubmitError,
        is_transient=True,
    ),
    "the orderers have no leader": Case(
        steps=(Step.SUBMIT,),
        code=CODE.UNAVAILABLE,
        text="SERVICE_UNAVAILABLE",
        cause=Cause.ORDERER_UNAVAILABLE,
        error=SubmitError,
        is_transient=True,
    ),
    "the orderer is frozen, and orders it later": Case(
        steps=(Step.SUBMIT,),
        code=CODE.UNAVAILABLE,
        text="no orderers could successfully process transaction\nOrdererMSP: DeadlineExceeded",
        cause=Cause.ORDERER_UNAVAILABLE,
        error=SubmitError,
        is_transient=True,
    ),
    "the gateway is over its limit": Case(
        steps=tuple(Step),
        code=CODE.UNKNOWN,
        text="too many requests for /gateway.Gateway, exceeding concurrency limit (500)",
        cause=Cause.GATEWAY_BUSY,
        error=LedgerUnavailableError,
        is_transient=True,
        outbox=FailureClass.OUTAGE,
    ),
    "the transaction is too large": Case(
        steps=(Step.SUBMIT,),
        code=CODE.ABORTED,
        text="status=BAD_REQUEST, info=message payload is 25166824 bytes and exceeds maximum",
        cause=Cause.TOO_LARGE,
        error=SubmitError,
        is_transient=False,
        outbox=FailureClass.POISON,
    ),
    "no right to write": Case(
        steps=EVERY_CALL,
        code=CODE.FAILED_PRECONDITION,
        text="Failed evaluating policy on signed data during check policy [/Channel/App/Writers]",
        cause=Cause.ACCESS_DENIED,
        error=LedgerUnavailableError,
        is_transient=False,
        outbox=FailureClass.OUTAGE,
    ),
    "an identity that the channel does not know": Case(
        steps=EVERY_CALL,
        code=CODE.ABORTED,
        text="error validating proposal: access denied: channel [gxchannel] creator org unknown",
        cause=Cause.ACCESS_DENIED,
        error=LedgerUnavailableError,
        is_transient=False,
        outbox=FailureClass.OUTAGE,
    ),
    "a stranger follows the chain": Case(
        steps=(Step.STREAM,),
        code=CODE.PERMISSION_DENIED,
        text="access denied",
        cause=Cause.ACCESS_DENIED,
        is_transient=False,
    ),
    "the certificate has ended, evaluating": Case(
        steps=(Step.EVALUATE,),
        code=CODE.UNAVAILABLE,
        text="error validating proposal: proposal client identity expired 5m ago",
        cause=Cause.CERTIFICATE_EXPIRED,
        error=LedgerUnavailableError,
        is_transient=False,
        outbox=FailureClass.OUTAGE,
    ),
    "the certificate has ended, endorsing": Case(
        steps=(Step.ENDORSE,),
        code=CODE.ABORTED,
        text="error validating proposal: proposal client identity expired 5m ago",
        cause=Cause.CERTIFICATE_EXPIRED,
        error=LedgerUnavailableError,
        is_transient=False,
        outbox=FailureClass.OUTAGE,
    ),
    "the certificate has ended since it endorsed": Case(
        steps=(Step.SUBMIT,),
        code=CODE.ABORTED,
        text="status=BAD_REQUEST, info=broadcast client identity expired 5m ago",
        cause=Cause.CERTIFICATE_EXPIRED,
        error=SubmitError,
        is_transient=False,
        outbox=FailureClass.POISON,
    ),
    "a signature that is not the creator's": Case(
        steps=(Step.SUBMIT,),
        code=CODE.ABORTED,
        text="got unexpected status: FORBIDDEN -- implicit policy evaluation failed",
        cause=Cause.BAD_TRANSACTION,
        error=SubmitError,
        is_transient=False,
        outbox=FailureClass.POISON,
    ),
    "no signature": Case(
        steps=(Step.SUBMIT,),
        code=CODE.INVALID_ARGUMENT,
        text="prepared transaction must be signed",
        cause=Cause.BAD_TRANSACTION,
        error=SubmitError,
        is_transient=False,
        outbox=FailureClass.POISON,
    ),
    "the clock is wrong, as a reader of blocks is told": Case(
        steps=(Step.STREAM,),
        code=CODE.UNKNOWN,
        text="the peer answered BAD_REQUEST",
        cause=Cause.CLOCK_WRONG,
        error=LedgerUnavailableError,
        is_transient=False,
        outbox=FailureClass.OUTAGE,
    ),
    "the clock is wrong": Case(
        steps=EVERY_CALL,
        code=CODE.ABORTED,
        text="incorrect timestamp, expected in 15m0s of the peer's time",
        cause=Cause.CLOCK_WRONG,
        error=LedgerUnavailableError,
        is_transient=False,
        outbox=FailureClass.OUTAGE,
    ),
    "an unknown chaincode": Case(
        steps=EVERY_CALL,
        code=CODE.FAILED_PRECONDITION,
        text="no peers available to evaluate chaincode gxtv9 in channel gxchannel",
        cause=Cause.CHAINCODE_UNKNOWN,
        error=LedgerUnavailableError,
        is_transient=False,
        outbox=FailureClass.OUTAGE,
    ),
    "an unknown channel": Case(
        steps=EVERY_CALL,
        code=CODE.UNAVAILABLE,
        text="could not get last config for channel nosuch",
        cause=Cause.CHANNEL_UNKNOWN,
        error=LedgerUnavailableError,
        is_transient=False,
        outbox=FailureClass.OUTAGE,
    ),
    "the wrong TLS roots": Case(
        steps=tuple(Step),
        code=CODE.UNAVAILABLE,
        text="Ssl handshake failed: CERTIFICATE_VERIFY_FAILED: unable to get local issuer",
        cause=Cause.TLS_FAILED,
        error=LedgerUnavailableError,
        is_transient=False,
        outbox=FailureClass.OUTAGE,
    ),
    "what nobody foresaw": Case(
        steps=(Step.ENDORSE,),
        code=CODE.INTERNAL,
        text="stream terminated by RST_STREAM",
        cause=Cause.UNFORESEEN,
        error=EndorseError,
        is_transient=True,
        outbox=FailureClass.TRANSIENT,
    ),
}


@pytest.mark.parametrize("name", SEEN)
def test_each_failure_is_known_for_what_it_is(name: str) -> None:
    """Step, code and text together decide; the same code alone means many things."""
    case = SEEN[name]
    for step in case.steps:
        failure = classify(step, case.code, case.text)
        error = failure.as_error()

        assert failure.cause is case.cause
        assert error.is_transient is case.is_transient
        assert case.error is None or isinstance(error, case.error)
        assert case.outbox is None or class_for_outbox(error) is case.outbox


def test_every_cause_is_shown_by_a_case() -> None:
    """A row that no case reaches would be a guess."""
    shown = {case.cause for case in SEEN.values()}

    assert {row.cause for row in TABLE} <= shown


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Step.EVALUATE, EvaluateError),
        (Step.ENDORSE, EndorseError),
        (Step.SUBMIT, SubmitError),
        (Step.VERDICT, VerdictError),
        (Step.STREAM, StreamError),
    ],
)
def test_a_failure_is_its_steps_own_error(step: Step, kind: type[LedgerError]) -> None:
    """The phase says whether a retry is safe, so it must not get lost."""
    assert type(classify(step, CODE.DEADLINE_EXCEEDED, "").as_error()) is kind


def test_a_refusal_keeps_code_and_words() -> None:
    """Our chaincode writes `CODE: detail`; the gateway repeats it for each peer that it asked."""
    text = (
        "Org1MSP peer0: chaincode response 400, AMOUNT_NOT_POSITIVE: got 0\n"
        "Org2MSP peer0: chaincode response 400, AMOUNT_NOT_POSITIVE: got 0\nsee details"
    )

    refusal = read_refusal(text)

    assert (refusal.code, refusal.detail) == (RefusalCode.AMOUNT_NOT_POSITIVE, "got 0")


@pytest.mark.parametrize(
    "message",
    [
        "Contract not found with name Batch",
        "Function Execute not found in contract Batch",
        "You've asked to invoke a function that does not exist: Batch:Execute",
    ],
)
def test_a_foreign_chaincode_without_batches_is_told_from_a_crash(message: str) -> None:
    """Contracts for Go and Node answer 500 to everything, also to a function that they lack."""
    error = classify(
        Step.ENDORSE, CODE.ABORTED, f"Org1MSP peer0: chaincode response 500, {message}"
    ).as_error()

    assert isinstance(error, EndorseError)
    assert error.refusal is not None
    assert error.refusal.code is RefusalCode.UNKNOWN_FUNCTION


def test_another_chaincodes_refusal_keeps_its_words() -> None:
    """What has no code of ours is refused all the same, with what it said."""
    refusal = read_refusal("chaincode response 403, only the owner may do this")

    assert refusal.detail == "only the owner may do this"

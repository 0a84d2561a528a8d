"""What a failed call means: a table by step, gRPC code and text.

The code alone does not tell. Endorsing answers ABORTED to a contract's refusal, to a dead
chaincode, to a time-out and to a stranger's certificate alike; evaluating answers UNKNOWN to a
refusal and UNAVAILABLE to an expired certificate. The reason is in the details of the gateway's
answer, one for each node that it asked. The rows were measured on a real network of release 3.1.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import grpc
import grpc.aio
import msgspec
from fabric_protos.gateway.gateway_pb2 import ErrorDetail
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has no types

from gx.domain.refusals import RefusalCode, RefusedError
from gx.ledger.errors import (
    EndorseError,
    EvaluateError,
    LedgerError,
    LedgerUnavailableError,
    StreamError,
    SubmitError,
    VerdictError,
)

_DETAILS_KEY: Final = "grpc-status-details-bin"
_TEXT_MAX: Final = 600


class Step(StrEnum):
    """Which of the ledger's calls failed."""

    EVALUATE = "evaluate"
    ENDORSE = "endorse"
    SUBMIT = "submit"
    VERDICT = "verdict"
    CHAIN_INFO = "chain_info"
    STREAM = "stream"


class Cause(StrEnum):
    """Why. The value is the `code` of the error that the port's user gets."""

    REFUSED = "REFUSED"
    CHAINCODE_FAILED = "CHAINCODE_FAILED"
    PAYLOADS_DIFFER = "PAYLOADS_DIFFER"
    CHAINCODE_UNREACHABLE = "CHAINCODE_UNREACHABLE"
    CHAINCODE_BROKE_OFF = "CHAINCODE_BROKE_OFF"
    CHAINCODE_TIMEOUT = "CHAINCODE_TIMEOUT"
    CHAINCODE_UNKNOWN = "CHAINCODE_UNKNOWN"
    PEERS_MISSING = "PEERS_MISSING"
    PEER_TIMEOUT = "PEER_TIMEOUT"
    PEER_LINK_CLOSED = "PEER_LINK_CLOSED"
    GATEWAY_UNREACHABLE = "GATEWAY_UNREACHABLE"
    GATEWAY_BUSY = "GATEWAY_BUSY"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    ORDERER_UNAVAILABLE = "ORDERER_UNAVAILABLE"
    TOO_LARGE = "TOO_LARGE"
    BAD_TRANSACTION = "BAD_TRANSACTION"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    ACCESS_DENIED = "ACCESS_DENIED"
    CLOCK_WRONG = "CLOCK_WRONG"
    CHANNEL_UNKNOWN = "CHANNEL_UNKNOWN"
    TLS_FAILED = "TLS_FAILED"
    UNFORESEEN = "UNFORESEEN"


class Remedy(StrEnum):
    """What helps against a cause."""

    NONE = "none"
    """The answer is final, and about this call."""
    WAIT = "wait"
    """The network cannot do it now; no command is to blame."""
    REPAIR = "repair"
    """Somebody has to set it right: certificates, roles, deployment. No command is to blame."""
    RETRY = "retry"
    """It may work the next time, unless it is the call itself that does this to the network."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the first that fits decides. No steps or codes means any."""

    cause: Cause
    remedy: Remedy
    text: str
    steps: frozenset[Step] = frozenset()
    codes: frozenset[grpc.StatusCode] = frozenset()

    def fits(self, step: Step, code: grpc.StatusCode, text: str) -> bool:
        """Tell whether the row is about this failure."""
        return (
            (not self.steps or step in self.steps)
            and (not self.codes or code in self.codes)
            and re.search(self.text, text, re.IGNORECASE) is not None
        )


_SUBMIT: Final = frozenset({Step.SUBMIT})
_STREAM: Final = frozenset({Step.STREAM})
_CALLS: Final = frozenset({Step.EVALUATE, Step.ENDORSE})
_ENDORSE: Final = frozenset({Step.ENDORSE})
_CODES: Final = grpc.StatusCode
_DEADLINE: Final = frozenset({_CODES.DEADLINE_EXCEEDED})
_UNAVAILABLE: Final = frozenset({_CODES.UNAVAILABLE})

TABLE: Final[Sequence[Row]] = (
    # A gateway over its limit says so before it looks at the call.
    Row(Cause.GATEWAY_BUSY, Remedy.WAIT, r"too many requests for|exceeding concurrency limit"),
    # What is said about an identity is said with whatever code, and stays true until it is mended.
    Row(Cause.CERTIFICATE_EXPIRED, Remedy.NONE, r"identity expired", _SUBMIT),
    Row(Cause.CERTIFICATE_EXPIRED, Remedy.REPAIR, r"identity expired"),
    Row(Cause.TLS_FAILED, Remedy.REPAIR, r"CERTIFICATE_VERIFY_FAILED|SSL_ERROR|handshake fail"),
    Row(Cause.CLOCK_WRONG, Remedy.REPAIR, r"incorrect timestamp|timestamp .* is more than the"),
    # Peers give readers of blocks a status alone; a well-formed request gets it for its time.
    Row(Cause.CLOCK_WRONG, Remedy.REPAIR, r"\bBAD_REQUEST\b", _STREAM),
    Row(
        Cause.ACCESS_DENIED,
        Remedy.REPAIR,
        r"access denied|creator org unknown|Failed evaluating policy|signature set did not satisfy",
        frozenset(Step) - _SUBMIT,
    ),
    Row(Cause.ACCESS_DENIED, Remedy.REPAIR, "", frozenset(), frozenset({_CODES.PERMISSION_DENIED})),
    Row(
        Cause.CHANNEL_UNKNOWN,
        Remedy.REPAIR,
        r"could not get last config|policy manager|channel .* (does not exist|not found)"
        r"|no channel|Invalid chain ID",
    ),
    # What the chaincode itself answered, and what stood between it and the peer.
    Row(Cause.REFUSED, Remedy.NONE, r"chaincode response 4\d\d", _CALLS),
    Row(Cause.CHAINCODE_FAILED, Remedy.NONE, r"chaincode response \d{3}", _CALLS),
    Row(
        Cause.PAYLOADS_DIFFER,
        Remedy.RETRY,
        r"ProposalResponsePayloads do not match|result mismatch|results? do(es)? not match",
        _ENDORSE,
    ),
    Row(
        Cause.CHAINCODE_TIMEOUT,
        Remedy.RETRY,
        r"timeout expired while executing transaction",
        _CALLS,
    ),
    Row(
        Cause.CHAINCODE_BROKE_OFF,
        Remedy.RETRY,
        r"chaincode stream terminated|chaincode handler .* terminated|error sending chaincode",
        _CALLS,
    ),
    Row(
        Cause.CHAINCODE_UNREACHABLE,
        Remedy.WAIT,
        r"could not launch chaincode|connection to .* failed|failed to start chaincode",
        _CALLS,
    ),
    Row(
        Cause.CHAINCODE_UNKNOWN,
        Remedy.REPAIR,
        r"no peers available to evaluate chaincode|No metadata was found|chaincode .* not found"
        r"|chaincode definition .* not exist|make sure the chaincode .* has been",
        _CALLS,
    ),
    Row(
        Cause.PEERS_MISSING,
        Remedy.WAIT,
        r"no combination of peers can be derived|no peer combination can satisfy|"
        r"no endorsing peers found|failed to find any endorsing peers|failed to collect enough",
        _CALLS,
    ),
    Row(Cause.PEER_LINK_CLOSED, Remedy.WAIT, r"client connection is closing", _CALLS),
    # What the orderers said. Only what they will say again makes the transaction a dead one.
    Row(
        Cause.TOO_LARGE,
        Remedy.NONE,
        r"message payload is \d+ bytes and exceeds|exceeds maximum|REQUEST_ENTITY_TOO_LARGE"
        r"|larger than max",
    ),
    Row(
        Cause.BAD_TRANSACTION,
        Remedy.NONE,
        r"\bFORBIDDEN\b|\bBAD_REQUEST\b",
        _SUBMIT,
        frozenset({_CODES.ABORTED, _CODES.PERMISSION_DENIED}),
    ),
    Row(
        Cause.BAD_TRANSACTION,
        Remedy.NONE,
        "",
        _SUBMIT | _ENDORSE,
        frozenset({_CODES.INVALID_ARGUMENT}),
    ),
    Row(
        Cause.ORDERER_UNAVAILABLE,
        Remedy.RETRY,
        r"no orderers could successfully process|no orderer|SERVICE_UNAVAILABLE|broadcast",
        _SUBMIT,
    ),
    # What the transport says when nobody answered.
    Row(Cause.PEER_TIMEOUT, Remedy.RETRY, r"DeadlineExceeded", _CALLS),
    Row(Cause.DEADLINE_EXCEEDED, Remedy.RETRY, "", frozenset(), _DEADLINE),
    Row(
        Cause.GATEWAY_UNREACHABLE,
        Remedy.WAIT,
        r"Connection refused|failed to connect|Stream removed|Socket closed|GOAWAY"
        r"|Connection reset|too_many_pings|Endpoint read failed|recvmsg|Broken pipe",
        frozenset(),
        _UNAVAILABLE,
    ),
    Row(Cause.ORDERER_UNAVAILABLE, Remedy.RETRY, "", _SUBMIT, _UNAVAILABLE),
    Row(Cause.GATEWAY_UNREACHABLE, Remedy.WAIT, "", frozenset(), _UNAVAILABLE),
)  # fmt: skip

_UNFORESEEN: Final = Row(Cause.UNFORESEEN, Remedy.RETRY, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A call that failed: what the network said, and what that means."""

    step: Step
    code: grpc.StatusCode
    text: str
    cause: Cause
    remedy: Remedy

    @property
    def is_of_this_peer(self) -> bool:
        """Tell whether another gateway peer may do better at once.

        A deadline that passed while submitting is no reason: the transaction may be on its way.
        """
        if self.cause is Cause.DEADLINE_EXCEEDED:
            return self.step is not Step.SUBMIT
        return self.cause in (Cause.GATEWAY_UNREACHABLE, Cause.GATEWAY_BUSY)

    @property
    def is_peer_silent(self) -> bool:
        """Tell whether the peer gave no answer at all."""
        return self.cause in (Cause.GATEWAY_UNREACHABLE, Cause.DEADLINE_EXCEEDED)

    def as_error(self) -> LedgerError:
        """Return the port's error for it."""
        if self.remedy is Remedy.WAIT or self.remedy is Remedy.REPAIR:
            return LedgerUnavailableError(
                self._message(), code=self.cause, is_transient=self.remedy is Remedy.WAIT
            )
        is_transient = self.remedy is Remedy.RETRY
        if self.step in _CALLS:
            kind = EvaluateError if self.step is Step.EVALUATE else EndorseError
            refusal = self.refusal
            code = self.cause.value if refusal is None else refusal.code.value
            return kind(self._message(), refusal=refusal, code=code, is_transient=is_transient)
        return _ERRORS[self.step](self._message(), code=self.cause, is_transient=is_transient)

    @property
    def refusal(self) -> RefusedError | None:
        """Return the contract's own words; None where it did not refuse."""
        if self.cause is Cause.REFUSED:
            return read_refusal(self.text)
        if self.cause is Cause.CHAINCODE_FAILED and _UNKNOWN_FUNCTION.search(self.text):
            return RefusedError(RefusalCode.UNKNOWN_FUNCTION, _after_status(self.text))
        return None

    def _message(self) -> str:
        return f"{self.step} failed ({self.code.name}, {self.cause}): {self.text[:_TEXT_MAX]}"


_ERRORS: Final[dict[Step, type[LedgerError]]] = {
    Step.SUBMIT: SubmitError,
    Step.VERDICT: VerdictError,
    Step.CHAIN_INFO: LedgerUnavailableError,
    Step.STREAM: StreamError,
}

# How the contract interfaces for Go and for Node say that there is no such function.
_UNKNOWN_FUNCTION: Final = re.compile(
    r"Contract not found with name|Function \S+ not found in contract"
    r"|asked to invoke a function that does not exist|contract name \S+ is not known",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(r"chaincode response \d{3}, ?", re.DOTALL)
_CODED: Final = re.compile(r"^(?P<code>[A-Z][A-Z_]+): (?P<detail>.*)$", re.DOTALL)


class _Refused(msgspec.Struct, frozen=True):
    """A refusal as `gx.chaincode.executor.Refused` writes it."""

    code: RefusalCode
    detail: str


def read_refusal(text: str) -> RefusedError:
    """Read a contract's refusal: our own with its code, another chaincode's as it is."""
    message = _after_status(text)
    with suppress(msgspec.MsgspecError):
        found = msgspec.json.decode(message, type=_Refused)
        return RefusedError(found.code, found.detail)
    coded = _CODED.match(message)
    if coded is not None and coded["code"] in RefusalCode.__members__:
        return RefusedError(RefusalCode[coded["code"]], coded["detail"])
    return RefusedError(RefusalCode.ARGUMENT_INVALID, message)


def _after_status(text: str) -> str:
    """Return what the chaincode said, once; the gateway repeats it for every peer."""
    found = _STATUS.search(text)
    return text if found is None else text[found.end() :].split(_SEPARATOR, maxsplit=1)[0]


_SEPARATOR: Final = "\n"


def classify(step: Step, code: grpc.StatusCode, text: str) -> Failure:
    """Find the row that a failure belongs to; what is in none is tried again, and logged."""
    row = next((row for row in TABLE if row.fits(step, code, text)), _UNFORESEEN)
    return Failure(step=step, code=code, text=text, cause=row.cause, remedy=row.remedy)


def read_failure(step: Step, error: grpc.aio.AioRpcError) -> Failure:
    """Say what a failed call of a peer means."""
    details = [f"{detail.msp_id} {detail.address}: {detail.message}" for detail in _details(error)]
    text = _SEPARATOR.join([*details, error.details() or ""]).strip()
    return classify(step, error.code(), text)


def _details(error: grpc.aio.AioRpcError) -> list[ErrorDetail]:
    """Unpack what each node said, from the status that travels beside the code."""
    found = []
    for key, value in error.trailing_metadata() or ():
        if key != _DETAILS_KEY or not isinstance(value, bytes):
            continue
        with suppress(DecodeError):
            for packed in Status.FromString(value).details:
                detail = ErrorDetail()
                if packed.Unpack(detail):
                    found.append(detail)
    return found

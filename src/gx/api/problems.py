"""From codes and errors to HTTP: the only place that knows which status a failure has.

Answers are problem documents (RFC 9457). `type` is a relative reference that stands for ever;
`code` is what machines read; `detail` is what people read. An error of our own making, or of the
machinery behind us, is described by a fixed sentence: its text may name hosts or statements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec

from gx.api.ports import KeysUnavailableError
from gx.database.ports import DatabaseUnavailableError, LeaseLostError
from gx.domain.codec import DecodeError, JsonObject
from gx.domain.errors import GxError
from gx.domain.refusals import RefusalCode, RefusedError
from gx.ledger.errors import LedgerError
from gx.outbox.ports import BacklogFullError, CommandGoneError
from gx.projection.ports import WrongChainError

CONTENT_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "/problems/"

UNAVAILABLE_RETRY_S: Final = 1
"""How long a client should wait when a part behind the edge does not answer."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """What every problem of one code has in common."""

    status: HTTPStatus
    title: str


_FORBIDDEN: Final = HTTPStatus.FORBIDDEN
_MISSING: Final = HTTPStatus.NOT_FOUND
_CONFLICT: Final = HTTPStatus.CONFLICT
_WRONG: Final = HTTPStatus.UNPROCESSABLE_ENTITY

PROBLEM_TYPES: Final[Mapping[str, ProblemType]] = {
    code: ProblemType(status, title)
    for code, status, title in (
        (RefusalCode.ROLE_REQUIRED, _FORBIDDEN, "The role may not do this"),
        (RefusalCode.ACTOR_MISMATCH, _FORBIDDEN, "The actor may not do this for somebody else"),
        (RefusalCode.SYSTEM_PAUSED, _CONFLICT, "The system is paused"),
        (RefusalCode.ALREADY_BOOTSTRAPPED, _CONFLICT, "The system is bootstrapped already"),
        (RefusalCode.NOT_BOOTSTRAPPED, _CONFLICT, "The system is not bootstrapped yet"),
        (RefusalCode.ACCOUNT_ID_EMPTY, _WRONG, "The account id is empty"),
        (RefusalCode.AMOUNT_NOT_POSITIVE, _WRONG, "The amount is not more than 0"),
        (RefusalCode.AMOUNT_OVERFLOW, _WRONG, "The amount is no unsigned 64-bit integer"),
        (RefusalCode.REMARK_EMPTY, _WRONG, "The remark is empty"),
        (RefusalCode.SUPPLY_CAP_EXCEEDED, _CONFLICT, "The supply would exceed its cap"),
        (RefusalCode.USER_NOT_FOUND, _MISSING, "There is no such user"),
        (RefusalCode.USER_EXISTS, _CONFLICT, "The user exists already"),
        (RefusalCode.USER_NOT_ACTIVE, _CONFLICT, "The user is not active"),
        (RefusalCode.USER_NOT_LOCKED, _CONFLICT, "The user is not locked"),
        (RefusalCode.ACCOUNT_NOT_FOUND, _MISSING, "There is no such account"),
        (RefusalCode.ACCOUNT_FROZEN, _CONFLICT, "The account is frozen"),
        (RefusalCode.INSUFFICIENT_FUNDS, _CONFLICT, "The balance does not cover it"),
        (RefusalCode.SELF_TRANSFER, _WRONG, "Sender and receiver are the same account"),
        (RefusalCode.BIOMETRIC_HASH_EXISTS, _CONFLICT, "Somebody else has this biometric hash"),
        (RefusalCode.COUNTRY_UNKNOWN, _WRONG, "The country is unknown"),
        (RefusalCode.COUNTRY_EXISTS, _CONFLICT, "The country is open already"),
        (RefusalCode.GENESIS_ALREADY_DISTRIBUTED, _CONFLICT, "The user has had genesis coins"),
        (RefusalCode.GENESIS_POOL_EXHAUSTED, _CONFLICT, "The genesis pool is exhausted"),
        (RefusalCode.BIOMETRIC_HASH_INVALID, _WRONG, "The biometric hash is malformed"),
        (RefusalCode.AGE_OUT_OF_RANGE, _WRONG, "The age is out of range"),
        (RefusalCode.PARAMETER_UNKNOWN, _WRONG, "There is no such system parameter"),
        (RefusalCode.PARAMETER_VALUE_INVALID, _WRONG, "The parameter cannot have this value"),
        (RefusalCode.TREASURY_NOT_LOCKED, _CONFLICT, "The treasury is not locked"),
        (RefusalCode.ADMIN_EXISTS, _CONFLICT, "The administrator is appointed already"),
        (RefusalCode.SELF_RELATIONSHIP, _WRONG, "Nobody is related to oneself"),
        (RefusalCode.RELATIONSHIP_EXISTS, _CONFLICT, "The relationship exists already"),
        (RefusalCode.RELATIONSHIP_NOT_FOUND, _MISSING, "There is no such relationship"),
        (RefusalCode.ORGANIZATION_EXISTS, _CONFLICT, "The organization exists already"),
        (RefusalCode.ORGANIZATION_NOT_FOUND, _MISSING, "There is no such organization"),
        (RefusalCode.ORGANIZATION_STATE, _CONFLICT, "The organization's state forbids it"),
        (RefusalCode.NOT_A_STAKEHOLDER, _FORBIDDEN, "Only stakeholders may do this"),
        (RefusalCode.ALREADY_ENDORSED, _CONFLICT, "The stakeholder has endorsed already"),
        (RefusalCode.RULE_INVALID, _WRONG, "The authorization rule is invalid"),
        (RefusalCode.NO_MATCHING_RULE, _CONFLICT, "No authorization rule covers the amount"),
        (RefusalCode.ALREADY_APPROVED, _CONFLICT, "The approver has approved already"),
        (RefusalCode.MULTISIG_NOT_FOUND, _MISSING, "There is no such payment"),
        (RefusalCode.MULTISIG_NOT_PENDING, _CONFLICT, "The transaction is not pending"),
        (RefusalCode.LOAN_NOT_FOUND, _MISSING, "There is no such loan"),
        (RefusalCode.LOAN_STATE, _CONFLICT, "The loan's state forbids it"),
        (RefusalCode.LOAN_LIMIT, _CONFLICT, "The amount is beyond a loan's limits"),
        (RefusalCode.TRUST_TOO_LOW, _CONFLICT, "The trust score is too low"),
        (RefusalCode.PROPOSAL_EXISTS, _CONFLICT, "The same is proposed already"),
        (RefusalCode.PROPOSAL_NOT_FOUND, _MISSING, "There is no such proposal"),
        (RefusalCode.PROPOSAL_STATE, _CONFLICT, "The proposal's state forbids it"),
        (RefusalCode.ALREADY_VOTED, _CONFLICT, "The voter has voted already"),
        (RefusalCode.VOTING_OPEN, _CONFLICT, "Voting is still open"),
        (RefusalCode.VOTING_CLOSED, _CONFLICT, "Voting is closed"),
        (RefusalCode.TAX_NOT_DUE, _CONFLICT, "No velocity tax is due"),
        (RefusalCode.UNKNOWN_FUNCTION, _CONFLICT, "The ledger does not know the function"),
        (RefusalCode.ARGUMENT_INVALID, HTTPStatus.BAD_REQUEST, "The request is malformed"),
        (RefusalCode.IDEMPOTENCY_KEY_REUSED, _CONFLICT, "The key stands for another request"),
        (RefusalCode.TOKEN_INVALID, HTTPStatus.UNAUTHORIZED, "A valid bearer token is needed"),
        (RefusalCode.FORBIDDEN, _FORBIDDEN, "This belongs to somebody else"),
        (RefusalCode.RATE_LIMITED, HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
        (RefusalCode.BODY_TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
        (RefusalCode.BODY_TOO_SLOW, HTTPStatus.REQUEST_TIMEOUT, "The body took too long"),
        (
            RefusalCode.HEADERS_TOO_LARGE,
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            "The headers are too many or too large",
        ),
        (RefusalCode.NOT_FOUND, _MISSING, "There is nothing here"),
        (RefusalCode.BACKLOG_FULL, HTTPStatus.SERVICE_UNAVAILABLE, "Too many commands wait"),
        (RefusalCode.GONE, HTTPStatus.GONE, "The record is no longer kept"),
        (RefusalCode.METHOD_NOT_ALLOWED, HTTPStatus.METHOD_NOT_ALLOWED, "Not with this method"),
        (RefusalCode.DEAD_LETTER_STATE, _CONFLICT, "The dead letter was handled already"),
        (RefusalCode.UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE, "Temporarily unavailable"),
        (RefusalCode.INTERNAL_ERROR, HTTPStatus.INTERNAL_SERVER_ERROR, "Our mistake"),
    )
}
"""Every code's status and title."""

_UNKNOWN: Final = ProblemType(_CONFLICT, "The ledger refused it for a newer reason")
"""For a code of a newer ledger: it is shown as it is, whoever wrote it."""

_ERROR_CODES: Final[Mapping[type[BaseException], RefusalCode]] = {
    BacklogFullError: RefusalCode.BACKLOG_FULL,
    CommandGoneError: RefusalCode.GONE,
    DatabaseUnavailableError: RefusalCode.UNAVAILABLE,
    KeysUnavailableError: RefusalCode.UNAVAILABLE,
    LeaseLostError: RefusalCode.UNAVAILABLE,
    LedgerError: RefusalCode.UNAVAILABLE,
    WrongChainError: RefusalCode.UNAVAILABLE,
    DecodeError: RefusalCode.INTERNAL_ERROR,
    GxError: RefusalCode.INTERNAL_ERROR,
    # A connection that cannot be made, or broke, or timed out: the database's or the key server's.
    OSError: RefusalCode.UNAVAILABLE,
}
"""What a failure that is no refusal is called; a subclass has its nearest ancestor's code."""

_OPAQUE: Final[Mapping[RefusalCode, str]] = {
    RefusalCode.UNAVAILABLE: "A part of the system does not answer; nothing is known to be stored. "
    "Repeat the request with the same Idempotency-Key.",
    RefusalCode.INTERNAL_ERROR: "The request failed for a reason of ours; it was logged with this "
    "request id.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """What is wrong with one part of a request."""

    field: str
    code: RefusalCode
    detail: str


class RequestRefusedError(RefusedError):
    """The edge refuses, and says more than a code: the faulty fields, or headers to answer with."""

    def __init__(
        self,
        code: RefusalCode,
        detail: str,
        *,
        faults: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.faults = tuple(faults)
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One failure as the client sees it. `code` may be one that only a newer release knows."""

    code: str
    detail: str
    faults: Sequence[FieldFault] = ()
    headers: Mapping[str, str] | None = None

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self._kind.status.value

    @property
    def _kind(self) -> ProblemType:
        return PROBLEM_TYPES.get(self.code, _UNKNOWN)

    def to_wire(self, request_id: str | None = None) -> JsonObject:
        """Return the problem document's members."""
        kind = self._kind
        wire: JsonObject = {
            "type": TYPE_PREFIX + self.code,
            "title": kind.title,
            "status": kind.status.value,
            "code": str(self.code),
            "detail": self.detail,
        }
        if self.faults:
            wire["errors"] = [
                {"field": fault.field, "code": fault.code.value, "detail": fault.detail}
                for fault in self.faults
            ]
        if request_id is not None:
            wire["requestId"] = request_id
        return wire

    def to_json(self, request_id: str | None = None) -> bytes:
        """Return the body of the answer."""
        return msgspec.json.encode(self.to_wire(request_id))


def problem_of(error: BaseException) -> Problem:
    """Describe any failure for the client; what nobody foresaw is INTERNAL_ERROR."""
    if isinstance(error, RequestRefusedError):
        return Problem(
            code=error.code, detail=error.detail, faults=error.faults, headers=error.headers
        )
    if isinstance(error, RefusedError):
        return Problem(code=error.code, detail=error.detail)
    code = code_of(error)
    return Problem(
        code=code, detail=_OPAQUE.get(code) or str(error), headers=_headers_of(error, code)
    )


def code_of(error: BaseException) -> RefusalCode:
    """Name the code of a failure by its nearest ancestor that has one."""
    for kind in type(error).__mro__:
        if kind in _ERROR_CODES:
            return _ERROR_CODES[kind]
    return RefusalCode.INTERNAL_ERROR


def _headers_of(error: BaseException, code: RefusalCode) -> Mapping[str, str] | None:
    if isinstance(error, BacklogFullError):
        return {"Retry-After": str(max(1, error.retry_after_s))}
    if code is RefusalCode.UNAVAILABLE:
        return {"Retry-After": str(UNAVAILABLE_RETRY_S)}
    return None

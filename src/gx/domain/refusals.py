"""Why something was refused: one stable code for each reason.

A code goes over every wire, into records on the ledger, and into alerts.
Codes are added, never renamed.
"""

from enum import StrEnum
from typing import Final

from gx.domain.errors import GxError


class RefusalCode(StrEnum):
    """The reason, for machines. People read the detail beside it."""

    ROLE_REQUIRED = "ROLE_REQUIRED"
    ACTOR_MISMATCH = "ACTOR_MISMATCH"
    SYSTEM_PAUSED = "SYSTEM_PAUSED"
    ALREADY_BOOTSTRAPPED = "ALREADY_BOOTSTRAPPED"
    NOT_BOOTSTRAPPED = "NOT_BOOTSTRAPPED"
    ACCOUNT_ID_EMPTY = "ACCOUNT_ID_EMPTY"
    AMOUNT_NOT_POSITIVE = "AMOUNT_NOT_POSITIVE"
    AMOUNT_OVERFLOW = "AMOUNT_OVERFLOW"
    REMARK_EMPTY = "REMARK_EMPTY"
    SUPPLY_CAP_EXCEEDED = "SUPPLY_CAP_EXCEEDED"
    USER_NOT_FOUND = "USER_NOT_FOUND"
    USER_EXISTS = "USER_EXISTS"
    USER_NOT_ACTIVE = "USER_NOT_ACTIVE"
    USER_NOT_LOCKED = "USER_NOT_LOCKED"
    ACCOUNT_NOT_FOUND = "ACCOUNT_NOT_FOUND"
    ACCOUNT_FROZEN = "ACCOUNT_FROZEN"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    SELF_TRANSFER = "SELF_TRANSFER"
    BIOMETRIC_HASH_EXISTS = "BIOMETRIC_HASH_EXISTS"
    COUNTRY_UNKNOWN = "COUNTRY_UNKNOWN"
    COUNTRY_EXISTS = "COUNTRY_EXISTS"
    GENESIS_ALREADY_DISTRIBUTED = "GENESIS_ALREADY_DISTRIBUTED"
    GENESIS_POOL_EXHAUSTED = "GENESIS_POOL_EXHAUSTED"
    BIOMETRIC_HASH_INVALID = "BIOMETRIC_HASH_INVALID"
    AGE_OUT_OF_RANGE = "AGE_OUT_OF_RANGE"
    PARAMETER_UNKNOWN = "PARAMETER_UNKNOWN"
    PARAMETER_VALUE_INVALID = "PARAMETER_VALUE_INVALID"
    TREASURY_NOT_LOCKED = "TREASURY_NOT_LOCKED"
    ADMIN_EXISTS = "ADMIN_EXISTS"
    SELF_RELATIONSHIP = "SELF_RELATIONSHIP"
    RELATIONSHIP_EXISTS = "RELATIONSHIP_EXISTS"
    RELATIONSHIP_NOT_FOUND = "RELATIONSHIP_NOT_FOUND"
    ORGANIZATION_EXISTS = "ORGANIZATION_EXISTS"
    ORGANIZATION_NOT_FOUND = "ORGANIZATION_NOT_FOUND"
    ORGANIZATION_STATE = "ORGANIZATION_STATE"
    NOT_A_STAKEHOLDER = "NOT_A_STAKEHOLDER"
    ALREADY_ENDORSED = "ALREADY_ENDORSED"
    RULE_INVALID = "RULE_INVALID"
    NO_MATCHING_RULE = "NO_MATCHING_RULE"
    ALREADY_APPROVED = "ALREADY_APPROVED"
    MULTISIG_NOT_FOUND = "MULTISIG_NOT_FOUND"
    MULTISIG_NOT_PENDING = "MULTISIG_NOT_PENDING"
    LOAN_NOT_FOUND = "LOAN_NOT_FOUND"
    LOAN_STATE = "LOAN_STATE"
    LOAN_LIMIT = "LOAN_LIMIT"
    TRUST_TOO_LOW = "TRUST_TOO_LOW"
    PROPOSAL_EXISTS = "PROPOSAL_EXISTS"
    PROPOSAL_NOT_FOUND = "PROPOSAL_NOT_FOUND"
    PROPOSAL_STATE = "PROPOSAL_STATE"
    ALREADY_VOTED = "ALREADY_VOTED"
    VOTING_OPEN = "VOTING_OPEN"
    VOTING_CLOSED = "VOTING_CLOSED"
    TAX_NOT_DUE = "TAX_NOT_DUE"
    UNKNOWN_FUNCTION = "UNKNOWN_FUNCTION"
    ARGUMENT_INVALID = "ARGUMENT_INVALID"
    # Raised by the ledger when a key comes back with another request, and by the edge.
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    # Raised by the edge alone.
    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105 (a code, not a secret)
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    BODY_TOO_SLOW = "BODY_TOO_SLOW"
    HEADERS_TOO_LARGE = "HEADERS_TOO_LARGE"
    NOT_FOUND = "NOT_FOUND"
    BACKLOG_FULL = "BACKLOG_FULL"
    GONE = "GONE"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    DEAD_LETTER_STATE = "DEAD_LETTER_STATE"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"


EDGE_ONLY: Final = frozenset(
    {
        RefusalCode.TOKEN_INVALID,
        RefusalCode.FORBIDDEN,
        RefusalCode.RATE_LIMITED,
        RefusalCode.BODY_TOO_LARGE,
        RefusalCode.BODY_TOO_SLOW,
        RefusalCode.HEADERS_TOO_LARGE,
        RefusalCode.NOT_FOUND,
        RefusalCode.BACKLOG_FULL,
        RefusalCode.GONE,
        RefusalCode.METHOD_NOT_ALLOWED,
        RefusalCode.DEAD_LETTER_STATE,
        RefusalCode.UNAVAILABLE,
        RefusalCode.INTERNAL_ERROR,
    }
)
"""Codes that no contract raises."""

DEFECTS: Final = frozenset(
    {
        RefusalCode.ROLE_REQUIRED,
        RefusalCode.UNKNOWN_FUNCTION,
        RefusalCode.ARGUMENT_INVALID,
        RefusalCode.NOT_BOOTSTRAPPED,
    }
)
"""From a ledger these mean a broken deployment, not a user's mistake: the SLO counts a failure."""


class RefusedError(GxError):
    """The request was understood and refused; nothing of it took effect.

    Never retried: the same request will be refused again until something else changes.
    """

    def __init__(self, code: RefusalCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

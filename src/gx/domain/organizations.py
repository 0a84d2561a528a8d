"""Organisations: who holds them, and how many of whom must approve a payment of theirs."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, NewType

from gx.domain.amounts import Amount
from gx.domain.codec import Record
from gx.domain.identifiers import IDENTIFIER_PATTERN, AccountId, CommandId, UserId

OrganizationId = NewType("OrganizationId", str)
"""Also the id of the organisation's account."""

MultiSigTxId = NewType("MultiSigTxId", str)
"""`<organisation>~<recipient>~<command id>`: whoever approves it tells whom it may pay."""

STAKEHOLDERS_MIN: Final = 2
STAKEHOLDERS_MAX: Final = 20
RULES_MAX: Final = 20
"""The rules of one organisation: a bound on its record."""

SEPARATOR: Final = "~"
_ID: Final = IDENTIFIER_PATTERN.removeprefix("^").removesuffix("$")
MULTISIG_TX_ID_PATTERN: Final = f"^{_ID}{SEPARATOR}{_ID}{SEPARATOR}{_ID}$"
_MULTISIG_TX_ID: Final = re.compile(MULTISIG_TX_ID_PATTERN, re.ASCII)
_RULE_ID_DIGITS: Final = 16


class OrganizationType(StrEnum):
    """What an organisation is for. A GOVERNMENT is proposed by administrators alone."""

    BUSINESS = "BUSINESS"
    NGO = "NGO"
    GOVERNMENT = "GOVERNMENT"


class OrganizationStatus(StrEnum):
    """Whether every stakeholder has endorsed it and somebody has activated it."""

    PROPOSED = "Proposed"
    ACTIVE = "Active"


class MultiSigStatus(StrEnum):
    """Where a payment stands; all but the first are final."""

    PENDING = "Pending"
    EXECUTED = "Executed"
    EXECUTION_FAILED = "ExecutionFailed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRule(Record):
    """From `amount_threshold` base units on, so many of the group must approve.

    `approver_group` is in byte order: two people who write down the same rule mean the same one.
    """

    amount_threshold: Amount
    required_approvers: int
    approver_group: tuple[UserId, ...]

    @property
    def rule_id(self) -> str:
        """Name the rule by what it says."""
        return hashlib.sha256(self.to_text().encode()).hexdigest()[:_RULE_ID_DIGITS]


def strictest_rule(rules: Iterable[AuthRule], amount: Amount) -> AuthRule | None:
    """Choose the rule for a payment among those whose threshold it reaches; None without one.

    The most approvers win, then the smallest group; what is left of a tie the names decide.
    """
    reached = [rule for rule in rules if amount >= rule.amount_threshold]
    return min(reached, key=_leniency, default=None)


def _leniency(rule: AuthRule) -> tuple[int, int, str]:
    return -rule.required_approvers, len(rule.approver_group), rule.rule_id


class MultiSigParts(NamedTuple):
    """What a payment's id says."""

    org_id: OrganizationId
    to_id: AccountId
    command_id: CommandId


def multisig_tx_id(parts: MultiSigParts) -> MultiSigTxId:
    """Name the payment that a command initiates."""
    return MultiSigTxId(SEPARATOR.join(parts))


def is_multisig_tx_id(text: str) -> bool:
    """Tell whether `text` has the form of a payment's id."""
    return _MULTISIG_TX_ID.fullmatch(text) is not None


def parse_multisig_tx_id(text: str) -> MultiSigParts:
    """Read an id of which `is_multisig_tx_id` holds."""
    org_id, to_id, command_id = text.split(SEPARATOR)
    return MultiSigParts(OrganizationId(org_id), AccountId(to_id), CommandId(command_id))


def organization_of(text: str) -> OrganizationId:
    """Tell which organisation an id names, be it its own or one of its payments'."""
    return OrganizationId(text.partition(SEPARATOR)[0])

"""The part of the ledger's world state that readers outside the contracts may interpret.

Contracts own every key (`gx.contracts.keys`); these few records are published so that the
read models can be compared with the blocks' write sets.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gx.domain.amounts import Amount
from gx.domain.codec import Record
from gx.domain.events import AccountStatus
from gx.domain.identifiers import CountryCode, EpochSeconds

ACCOUNT_PREFIX: Final = "account_"
FEE_PREFIX: Final = "fee_"
COMMAND_PREFIX: Final = "cmd_"
SUPPLY_KEY: Final = "supply"


class AccountKind(StrEnum):
    """What an account is for; it decides about fees and the velocity tax."""

    WALLET = "wallet"
    """Opened by a mint; nobody has registered as its holder."""
    USER = "user"
    SYSTEM = "system"
    TREASURY = "treasury"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord(Record):
    """An account as the ledger holds it under `account_<id>`.

    The operations fund's record lacks the fee income that still stands under `fee_<transaction>`
    keys: its balance is the sum of both.
    """

    balance: Amount
    kind: AccountKind
    status: AccountStatus = AccountStatus.ACTIVE
    frozen: bool = False
    country: CountryCode | None = None
    tax_timer_started_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRecord(Record):
    """What one ledger transaction collected for the operations fund, under `fee_<transaction>`."""

    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyRecord(Record):
    """All coins ever minted, under `supply`."""

    minted: Amount

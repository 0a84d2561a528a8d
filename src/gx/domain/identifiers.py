"""The identifiers and points in time that cross module borders, each a type of its own."""

import re
from typing import Final, NewType

AccountId = NewType("AccountId", str)
UserId = NewType("UserId", str)
CountryCode = NewType("CountryCode", str)
CommandId = NewType("CommandId", str)
"""A UUID version 7 in its 36-character form, made by the server when it accepts the command."""

TransactionId = NewType("TransactionId", str)
"""A ledger transaction's id: 64 hexadecimal digits."""

BlockNumber = NewType("BlockNumber", int)
EpochSeconds = NewType("EpochSeconds", int)
EpochMs = NewType("EpochMs", int)

IDENTIFIER_MAX: Final = 64
IDENTIFIER_PATTERN: Final = rf"^[A-Za-z0-9][A-Za-z0-9._:@-]{{0,{IDENTIFIER_MAX - 1}}}$"
_IDENTIFIER: Final = re.compile(IDENTIFIER_PATTERN, re.ASCII)

SYSTEM_PREFIX: Final = "SYSTEM_"
TREASURY_PREFIX: Final = "treasury_"
USER_GENESIS_POOL: Final = AccountId("SYSTEM_USER_GENESIS_POOL")
GOVERNMENT_GENESIS_POOL: Final = AccountId("SYSTEM_GOVT_GENESIS_POOL")
CHARITABLE_POOL: Final = AccountId("SYSTEM_CHARITABLE_POOL")
LOAN_POOL: Final = AccountId("SYSTEM_LOAN_POOL")
OPERATIONS_FUND: Final = AccountId("SYSTEM_OPERATIONS_FUND")


def is_identifier(text: str) -> bool:
    """Tell whether `text` may name a user, an account or an organisation."""
    return _IDENTIFIER.fullmatch(text) is not None


def is_system_account(account_id: str) -> bool:
    """Tell whether the account belongs to the system itself (a pool or the fee fund)."""
    return account_id.startswith(SYSTEM_PREFIX)


def is_treasury(account_id: str) -> bool:
    """Tell whether the account is a country's treasury."""
    return account_id.startswith(TREASURY_PREFIX)


def is_reserved(account_id: str) -> bool:
    """Tell whether no user may bear this id."""
    return is_system_account(account_id) or is_treasury(account_id)


def treasury_of(country: CountryCode) -> AccountId:
    """Name the country's treasury account."""
    return AccountId(TREASURY_PREFIX + country)

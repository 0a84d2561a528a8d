"""Every world-state key of the contracts, spelled here alone, and the scope that each lies in.

No prefix begins another, so that a scan of one never meets another's keys.
"""

from typing import Final

from gx.domain.identifiers import AccountId, CountryCode, TransactionId, UserId
from gx.domain.scopes import GENESIS, SUPPLY, Scopes, account_scope
from gx.domain.world_state import ACCOUNT_PREFIX, COMMAND_PREFIX, FEE_PREFIX, SUPPLY_KEY

SYSTEM: Final = "system"
PARAMETERS: Final = "parameters"
SHARED: Final = (SYSTEM, PARAMETERS)
"""Read by every command, written by EXCLUSIVE ones alone; so they belong to no scope."""

SUPPLY_RECORD: Final = SUPPLY_KEY
GENESIS_COUNTER: Final = "genesis"
FEES: Final = FEE_PREFIX
COUNTRIES: Final = "stats_"
_GENESIS_OF_COUNTRY: Final = "genesis_"
_USER: Final = "user_"
_BIOMETRIC: Final = "biometric_"
_ADMIN: Final = "admin_"


def account(account_id: AccountId) -> str:
    """Name the account's record."""
    return ACCOUNT_PREFIX + account_id


def fee_income(transaction_id: TransactionId) -> str:
    """Name the fees that one ledger transaction collected."""
    return FEE_PREFIX + transaction_id


def user(user_id: UserId) -> str:
    """Name the user's record."""
    return _USER + user_id


def biometric(biometric_hash: str) -> str:
    """Name the record that says whose biometric hash this is."""
    return _BIOMETRIC + biometric_hash


def country(code: CountryCode) -> str:
    """Name the country's record."""
    return COUNTRIES + code


def genesis_of(code: CountryCode) -> str:
    """Name the country's genesis figures.

    Apart from `country`, because only a user's record tells the country that a distribution
    counts for.
    """
    return _GENESIS_OF_COUNTRY + code


def administrator(admin_id: UserId) -> str:
    """Name the administrator's record."""
    return _ADMIN + admin_id


def scopes_of_key(key: str) -> Scopes:
    """Tell in which conflict scope a key lies.

    Shared keys, and those that only one transaction or one request ever writes, lie in none.
    """
    if key in SHARED or key.startswith((FEE_PREFIX, COMMAND_PREFIX)):
        return frozenset()
    prefix, _, name = key.partition("_")
    match prefix:
        case "supply":
            return frozenset({SUPPLY})
        case "genesis":
            return frozenset({GENESIS})
        case "account":
            return frozenset({account_scope(name)})
        case "stats":
            return frozenset({f"country:{name}"})
        case "user" | "biometric" | "admin":
            return frozenset({f"{prefix}:{name}"})
        case _:
            raise ValueError(f"{key!r} is no key of these contracts")

"""Conflict scopes: what a command may touch, told from its arguments and actor alone.

Commands whose scopes intersect take effect in the order in which they were accepted; others
may overtake. Where only the ledger's state could tell, the command is EXCLUSIVE and flies alone.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from gx.domain.identifiers import (
    CHARITABLE_POOL,
    GOVERNMENT_GENESIS_POOL,
    OPERATIONS_FUND,
    USER_GENESIS_POOL,
    is_treasury,
)
from gx.domain.relationships import parse_relationship_id

Scopes: TypeAlias = frozenset[str]
"""What a command touches; the empty set stands for EXCLUSIVE."""

EXCLUSIVE: Final[Scopes] = frozenset()

SUPPLY: Final = "supply"
GENESIS: Final = "pool:genesis"
TREASURIES: Final = "pool:treasuries"


def account_scope(account_id: str) -> str:
    """Name the scope of an account.

    All treasuries share one scope, because a genesis distribution pays a treasury that only the
    user's record names; so do both genesis pools.
    """
    if is_treasury(account_id):
        return TREASURIES
    if account_id in (USER_GENESIS_POOL, GOVERNMENT_GENESIS_POOL):
        return GENESIS
    return f"account:{account_id}"


def exclusive(_arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Let the command fly alone."""
    return EXCLUSIVE


def mint_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch the credited account and the supply."""
    return frozenset({account_scope(arguments["accountId"]), SUPPLY})


def transfer_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch both accounts; a payment out of the operations fund sums all fee keys: exclusive."""
    if arguments["fromId"] == OPERATIONS_FUND:
        return EXCLUSIVE
    return frozenset({account_scope(arguments["fromId"]), account_scope(arguments["toId"])})


def genesis_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch the user, both pools with their counter, and some treasury."""
    user = arguments["userId"]
    return frozenset({f"user:{user}", account_scope(user), GENESIS, TREASURIES})


def tax_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch the taxed account, the charitable pool, and some treasury."""
    account, charity = account_scope(arguments["accountId"]), account_scope(CHARITABLE_POOL)
    return frozenset({account, charity, TREASURIES})


def wallet_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch one user's account."""
    return frozenset({account_scope(arguments["userId"])})


def user_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch one user and their account."""
    user = arguments["userId"]
    return frozenset({f"user:{user}", account_scope(user)})


def create_user_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch the user, the account, the biometric hash and the country's user count."""
    user = arguments["userId"]
    return frozenset(
        {
            f"user:{user}",
            account_scope(user),
            f"biometric:{arguments['biometricHash']}",
            f"country:{arguments['nationality']}",
        }
    )


def relationship_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch both people."""
    return frozenset({f"user:{arguments['subjectId']}", f"user:{arguments['objectId']}"})


def confirmation_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch both people, whom the relationship's id names: their trust is scored anew."""
    parties = parse_relationship_id(arguments["relationshipId"])
    return frozenset({f"user:{parties.subject_id}", f"user:{parties.object_id}"})


def admin_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch one administrator's record."""
    return frozenset({f"admin:{arguments['adminId']}"})


def treasuries_scopes(_arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch some treasury."""
    return frozenset({TREASURIES})

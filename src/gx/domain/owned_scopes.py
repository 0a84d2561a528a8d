"""Conflict scopes of loans and proposals, told from their ids: each names its owner.

All that concerns one borrower shares the borrower's scope, all that concerns one parameter the
parameter's. Payments from and to the loan pool share the pool's account, as those of any account
do: they ride together, up to a whole batch at a time, and meet nobody else's.
"""

from collections.abc import Mapping
from typing import Final

from gx.domain.identifiers import LOAN_POOL
from gx.domain.owned_ids import parse_owned_id
from gx.domain.scopes import Scopes, account_scope

_POOL: Final = account_scope(LOAN_POOL)


def proposal_scope(parameter: str) -> str:
    """Name the scope of every proposal about one parameter."""
    return f"proposal:{parameter}"


def application_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch the borrower, with everything borrowed."""
    return frozenset({f"user:{arguments['borrowerId']}"})


def loan_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch the loan's borrower."""
    return frozenset({f"user:{parse_owned_id(arguments['loanId']).owner}"})


def loan_payment_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch the loan's borrower, the borrower's account and the pool."""
    borrower = parse_owned_id(arguments["loanId"]).owner
    return frozenset({f"user:{borrower}", account_scope(borrower), _POOL})


def proposing_scopes(arguments: Mapping[str, str], actor: str) -> Scopes:
    """Touch the proposals about one parameter, and read the proposer."""
    return frozenset({proposal_scope(arguments["targetParam"]), f"user:{actor}"})


def voting_scopes(arguments: Mapping[str, str], actor: str) -> Scopes:
    """Touch the proposals about the parameter, and read the voter."""
    parameter = parse_owned_id(arguments["proposalId"]).owner
    return frozenset({proposal_scope(parameter), f"user:{actor}"})

"""Every world-state key of the contracts, spelled here alone, and the scope that each lies in.

No prefix begins another, so that a scan of one never meets another's keys.
"""

from collections.abc import Callable
from typing import Final

from gx.domain.identifiers import AccountId, CountryCode, TransactionId, UserId
from gx.domain.organization_scopes import organization_scope
from gx.domain.organizations import MultiSigTxId, OrganizationId, organization_of
from gx.domain.owned_ids import SEPARATOR as OWNED
from gx.domain.owned_ids import LoanId, ProposalId, owner_of
from gx.domain.owned_scopes import proposal_scope
from gx.domain.relationships import SEPARATOR, RelationshipId, parse_relationship_id
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
_LOAN: Final = "loan_"
_BORROWER: Final = "borrower_"
_PROPOSAL: Final = "proposal_"
_VOTE: Final = "vote_"
_MOTION: Final = "motion_"
_RELATIONSHIP: Final = "relationship_"
_PAIR: Final = "pair_"
_ORGANIZATION: Final = "organization_"
_AUTH_RULE: Final = "authrule_"
_MULTISIG: Final = "multisig_"


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


def relationship(name: RelationshipId) -> str:
    """Name the relationship's record."""
    return _RELATIONSHIP + name


def pair(one: UserId, other: UserId) -> str:
    """Name the record that says what two people are to each other, whoever is named first."""
    return _PAIR + SEPARATOR.join(sorted((one, other)))


def organization(org_id: OrganizationId) -> str:
    """Name the organisation's record."""
    return _ORGANIZATION + org_id


def auth_rule(org_id: OrganizationId, rule_id: str) -> str:
    """Name the record that says who of an organisation wants a rule."""
    return f"{_AUTH_RULE}{org_id}{SEPARATOR}{rule_id}"


def multisig(tx_id: MultiSigTxId) -> str:
    """Name the record of an organisation's payment."""
    return _MULTISIG + tx_id


def loan(loan_id: LoanId) -> str:
    """Name the loan's record."""
    return _LOAN + loan_id


def borrower(user_id: UserId) -> str:
    """Name the record of what a user has borrowed."""
    return _BORROWER + user_id


def proposal(proposal_id: ProposalId) -> str:
    """Name the proposal's record."""
    return _PROPOSAL + proposal_id


def vote(proposal_id: ProposalId, voter_id: UserId) -> str:
    """Name the record of one user's vote."""
    return f"{_VOTE}{proposal_id}{OWNED}{voter_id}"


def motion(parameter_id: str, value: str) -> str:
    """Name the record that says who proposes this value for this parameter."""
    return f"{_MOTION}{parameter_id}{OWNED}{value}"


def scopes_of_key(key: str) -> Scopes:
    """Tell in which conflict scope a key lies.

    Shared keys, and those that only one transaction or one request ever writes, lie in none.
    """
    if key in SHARED or key.startswith((FEE_PREFIX, COMMAND_PREFIX)):
        return frozenset()
    prefix, _, name = key.partition("_")
    scopes_of = _SCOPES.get(prefix)
    if scopes_of is None:
        raise ValueError(f"{key!r} is no key of these contracts")
    return scopes_of(name)


def _of_parties(name: str) -> Scopes:
    parties = parse_relationship_id(name)
    return frozenset({f"user:{parties.subject_id}", f"user:{parties.object_id}"})


def _of_organization(name: str) -> Scopes:
    return frozenset({organization_scope(organization_of(name))})


def _of_pair(name: str) -> Scopes:
    return frozenset(f"user:{user_id}" for user_id in name.split(SEPARATOR))


def _of_borrower(name: str) -> Scopes:
    return frozenset({f"user:{owner_of(name)}"})


def _of_parameter(name: str) -> Scopes:
    return frozenset({proposal_scope(owner_of(name))})


_SCOPES: Final[dict[str, Callable[[str], Scopes]]] = {
    "supply": lambda _name: frozenset({SUPPLY}),
    "genesis": lambda _name: frozenset({GENESIS}),
    "account": lambda name: frozenset({account_scope(name)}),
    "stats": lambda name: frozenset({f"country:{name}"}),
    "user": lambda name: frozenset({f"user:{name}"}),
    "biometric": lambda name: frozenset({f"biometric:{name}"}),
    "admin": lambda name: frozenset({f"admin:{name}"}),
    "relationship": _of_parties,
    "pair": _of_pair,
    "loan": _of_borrower,
    "borrower": _of_borrower,
    "proposal": _of_parameter,
    "vote": _of_parameter,
    "motion": _of_parameter,
    "organization": _of_organization,
    "authrule": _of_organization,
    "multisig": _of_organization,
}
"""Which scopes a key lies in, by the word before its first underscore."""

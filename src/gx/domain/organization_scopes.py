"""Conflict scopes of organisations: what concerns one of them shares its scope.

A payment's id names payer and recipient, so an approval that may be the last one tells by its
arguments alone which accounts it may move.
"""

from collections.abc import Mapping

from gx.domain.organization_arguments import Stakeholders
from gx.domain.organizations import parse_multisig_tx_id
from gx.domain.scopes import Scopes, account_scope


def organization_scope(org_id: str) -> str:
    """Name the scope of an organisation, its rules and its payments."""
    return f"organization:{org_id}"


def proposal_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch the organisation and its account, and read its stakeholders."""
    org_id = arguments["orgId"]
    stakeholders = Stakeholders().parse("stakeholders", arguments["stakeholders"])
    people = (f"user:{user_id}" for user_id in stakeholders)
    return frozenset({organization_scope(org_id), account_scope(org_id), *people})


def membership_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch the organisation."""
    return frozenset({organization_scope(arguments["orgId"])})


def activation_scopes(arguments: Mapping[str, str], _actor: str) -> Scopes:
    """Touch the organisation and its account."""
    org_id = arguments["orgId"]
    return frozenset({organization_scope(org_id), account_scope(org_id)})


def initiation_scopes(arguments: Mapping[str, str], actor: str) -> Scopes:
    """Touch the organisation and both accounts, as it may pay at once; read the initiator."""
    return _payment_scopes(arguments["orgId"], arguments["toId"], actor)


def approval_scopes(arguments: Mapping[str, str], actor: str) -> Scopes:
    """Touch the organisation and both accounts, which the payment's id names; read the approver."""
    parts = parse_multisig_tx_id(arguments["txId"])
    return _payment_scopes(parts.org_id, parts.to_id, actor)


def _payment_scopes(org_id: str, to_id: str, actor: str) -> Scopes:
    accounts = {account_scope(org_id), account_scope(to_id)}
    return frozenset({organization_scope(org_id), f"user:{actor}", *accounts})

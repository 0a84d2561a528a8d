"""Who asks: roles in a bearer token, and roles in a ledger certificate.

Roles are not a hierarchy. A contract function names every ledger role that it admits,
and a route names every token role.
"""

from enum import StrEnum
from typing import Final

CERTIFICATE_ATTRIBUTE: Final = "gxc_role"
"""The attribute of an enrolment certificate that carries the ledger role."""


class LedgerRole(StrEnum):
    """The role of the identity that signs a ledger transaction."""

    SUPER_ADMIN = "gx_super_admin"
    ADMIN = "gx_admin"
    PARTNER_API = "gx_partner_api"


class TokenRole(StrEnum):
    """The role claimed by a bearer token."""

    USER = "user"
    PARTNER = "partner"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


ADMINS: Final = frozenset({LedgerRole.ADMIN, LedgerRole.SUPER_ADMIN})
SUPER_ADMINS: Final = frozenset({LedgerRole.SUPER_ADMIN})
PARTNERS: Final = frozenset({LedgerRole.PARTNER_API})

_SIGNING_ROLES: Final = {
    TokenRole.USER: LedgerRole.PARTNER_API,
    TokenRole.PARTNER: LedgerRole.PARTNER_API,
    TokenRole.ADMIN: LedgerRole.ADMIN,
    TokenRole.SUPER_ADMIN: LedgerRole.SUPER_ADMIN,
}


def signing_role(role: TokenRole) -> LedgerRole:
    """Choose the ledger identity that signs for a caller: an end user's partner signs for them."""
    return _SIGNING_ROLES[role]

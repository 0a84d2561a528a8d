"""The tokens with which an operation acts."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Two bearer tokens: a super admin's, and a partner's that may act for everybody."""

    super_admin: str = field(repr=False)
    partner: str = field(repr=False)

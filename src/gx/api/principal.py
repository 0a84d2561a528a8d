"""Who asks, and for whom: the verified token, and the actor that it may act for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from gx.domain.identifiers import is_identifier, is_reserved
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import TokenRole

ANYBODY: Final = "*"
"""In the claim `act_for`: the token may act for every user."""

ADMINS: Final = frozenset({TokenRole.ADMIN, TokenRole.SUPER_ADMIN})

# A super admin signs with an identity that no contract lets act for a user.
_DELEGATES: Final = frozenset({TokenRole.PARTNER, TokenRole.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """What a verified token says. `act_for` holds user ids, or ANYBODY."""

    issuer: str
    subject: str
    role: TokenRole
    act_for: frozenset[str]
    expires_at_s: int

    @property
    def is_admin(self) -> bool:
        """Tell whether this is an `admin` or `super_admin`."""
        return self.role in ADMINS

    def may_act_for(self, user_id: str) -> bool:
        """Tell whether the token names this user."""
        return ANYBODY in self.act_for or user_id in self.act_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A principal and whom it acts for in this request; both are recorded with a command."""

    principal: Principal
    actor: str

    def require_owner(self, owner_id: str) -> None:
        """Let through who reads own data, or data of a user that the token may act for.

        Raises:
            RefusedError: FORBIDDEN.
        """
        if self.actor == owner_id:
            return
        principal = self.principal
        if principal.role is not TokenRole.USER and principal.may_act_for(owner_id):
            return
        if principal.is_admin and is_reserved(owner_id):
            return
        raise RefusedError(
            RefusalCode.FORBIDDEN, f"{self.actor} may not read what belongs to {owner_id}"
        )

    def require_one_of(self, owner_ids: Collection[str]) -> None:
        """Let through who reads what several own, or may act for one of them.

        Raises:
            RefusedError: FORBIDDEN.
        """
        principal = self.principal
        may_act = principal.role is not TokenRole.USER and any(
            principal.may_act_for(owner_id) for owner_id in owner_ids
        )
        if self.actor not in owner_ids and not may_act:
            raise RefusedError(
                RefusalCode.FORBIDDEN, f"{self.actor} holds no stake in what this belongs to"
            )

    def require_actor(self, account_id: str) -> None:
        """Let through who acts for itself, and administrators for accounts of the system.

        Raises:
            RefusedError: ACTOR_MISMATCH.
        """
        if self.actor == account_id:
            return
        if self.principal.is_admin and is_reserved(account_id):
            return
        raise RefusedError(
            RefusalCode.ACTOR_MISMATCH,
            f"{self.actor} may not act for {account_id}; a partner or admin whose token allows it "
            "names the user in X-On-Behalf-Of",
        )


def caller_of(principal: Principal, on_behalf_of: str | None) -> Caller:
    """Decide for whom the principal acts.

    Raises:
        RefusedError: ARGUMENT_INVALID for a header that is no id, FORBIDDEN if the token does
            not allow it.
    """
    if on_behalf_of is None or on_behalf_of == principal.subject:
        return Caller(principal=principal, actor=principal.subject)
    if not is_identifier(on_behalf_of):
        raise RefusedError(
            RefusalCode.ARGUMENT_INVALID,
            "X-On-Behalf-Of must be one id of 1 to 64 letters, digits or ._:@-",
        )
    if principal.role in _DELEGATES and principal.may_act_for(on_behalf_of):
        return Caller(principal=principal, actor=on_behalf_of)
    advice = (
        "its claim act_for must name the user or be '*'"
        if principal.role in _DELEGATES
        else f"it acts for {principal.subject} alone: leave X-On-Behalf-Of out, "
        "or use the token of a partner or admin"
    )
    raise RefusedError(
        RefusalCode.FORBIDDEN,
        f"this {principal.role} token may not act for {on_behalf_of}; {advice}",
    )


def read_act_for(claim: object) -> frozenset[str]:
    """Read the claim `act_for`: absent, `*`, one id, or a list of ids.

    Raises:
        RefusedError: TOKEN_INVALID if it is anything else.
    """
    ids = _listed(claim)
    if not all(isinstance(item, str) and (item == ANYBODY or is_identifier(item)) for item in ids):
        raise RefusedError(
            RefusalCode.TOKEN_INVALID, "the claim act_for must be '*' or a list of user ids"
        )
    return frozenset(str(item) for item in ids)


def _listed(claim: object) -> Sequence[object]:
    if claim is None:
        return ()
    return claim if isinstance(claim, list) else (claim,)

"""Who acts: the user for whom a partner or an administrator signs."""

from typing import Final

from gx.chaincode.context import Context
from gx.domain.identifiers import UserId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import LedgerRole

MAY_ACT_FOR_USERS: Final = frozenset({LedgerRole.PARTNER_API, LedgerRole.ADMIN})


def acting_user(context: Context) -> UserId:
    """Return the user for whom the call is made; whether there is such a user is not asked.

    Raises:
        RefusedError: ACTOR_MISMATCH, an identity signed that may act for no user.
    """
    role = context.caller.role
    if role not in MAY_ACT_FOR_USERS:
        raise RefusedError(
            RefusalCode.ACTOR_MISMATCH,
            f"{role} signs for no user; only partners and administrators act for {context.actor!r}",
        )
    return UserId(context.actor)


def require_acting(context: Context, user_id: UserId, doing: str) -> None:
    """Refuse everybody but this user.

    Raises:
        RefusedError: ACTOR_MISMATCH; the detail says that only `user_id` may be `doing` it.
    """
    if acting_user(context) != user_id:
        raise RefusedError(
            RefusalCode.ACTOR_MISMATCH, f"{context.actor!r} may not {doing}: only {user_id} may"
        )

"""What the holder of an account may do: the questions that every payment asks."""

from gx.chaincode.context import Context
from gx.contracts import accounts, users
from gx.contracts.users import UserRecord
from gx.domain.events import AccountStatus
from gx.domain.identifiers import AccountId, UserId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.world_state import AccountRecord


def require_active(context: Context, user_id: UserId) -> UserRecord:
    """Return a user who is not locked.

    Raises:
        RefusedError: USER_NOT_FOUND or USER_NOT_ACTIVE.
    """
    user = users.require(context, user_id)
    if user.status is not AccountStatus.ACTIVE:
        raise RefusedError(RefusalCode.USER_NOT_ACTIVE, f"{user_id} is {user.status}")
    return user


def require_not_frozen(account_id: AccountId, account: AccountRecord) -> None:
    """Refuse an account that takes no part in payments.

    Raises:
        RefusedError: ACCOUNT_FROZEN.
    """
    if account.frozen:
        raise RefusedError(RefusalCode.ACCOUNT_FROZEN, f"{account_id} is frozen")


def require_recipient(context: Context, account_id: AccountId) -> None:
    """Refuse to pay to an account that may not receive.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND or ACCOUNT_FROZEN.
    """
    require_not_frozen(account_id, accounts.require(context, account_id))


def require_sender(context: Context, account_id: AccountId) -> None:
    """Refuse to pay from an account that may not send.

    Raises:
        RefusedError: ACCOUNT_NOT_FOUND, ACCOUNT_FROZEN or USER_NOT_ACTIVE.
    """
    account = accounts.require(context, account_id)
    require_not_frozen(account_id, account)
    if account.status is not AccountStatus.ACTIVE:
        raise RefusedError(RefusalCode.USER_NOT_ACTIVE, f"{account_id} is {account.status}")

"""IdentityContract: who the users are."""

from collections.abc import Mapping
from typing import Final

from gx.chaincode.context import Context, Effect
from gx.chaincode.functions import evaluate, submit
from gx.contracts import accounts, countries, keys, users
from gx.contracts.users import UserRecord
from gx.domain.arguments import Arguments
from gx.domain.catalogue import CREATE_USER, LOCK_USER, UNLOCK_USER
from gx.domain.codec import JsonObject
from gx.domain.events import AccountStatus, UserCreated, UserLocked, UserUnlocked
from gx.domain.identifiers import AccountId, CountryCode, UserId
from gx.domain.refusals import RefusalCode, RefusedError

TRUST_SCORE_BASE: Final = 10


def _keys_of_new_user(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    user_id = arguments["userId"]
    return (
        keys.user(UserId(user_id)),
        keys.account(AccountId(user_id)),
        keys.biometric(arguments["biometricHash"]),
        keys.country(CountryCode(arguments["nationality"])),
    )


def _keys_of_user(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    user_id = arguments["userId"]
    return keys.user(UserId(user_id)), keys.account(AccountId(user_id))


@submit(CREATE_USER, keys=_keys_of_new_user)
def create_user(context: Context, arguments: Arguments) -> Effect:
    """Register a user and open the wallet, or adopt the one that a mint opened.

    Raises:
        RefusedError: USER_EXISTS, BIOMETRIC_HASH_EXISTS or COUNTRY_UNKNOWN.
    """
    user_id = UserId(arguments.text("userId"))
    user = UserRecord(
        biometric_hash=arguments.text("biometricHash"),
        nationality=CountryCode(arguments.text("nationality")),
        age=arguments.integer("age"),
        status=AccountStatus.ACTIVE,
        trust_score=TRUST_SCORE_BASE,
        created_at=context.timestamp_s,
    )
    users.require_new(context, user_id, user.biometric_hash)
    countries.require(context, user.nationality)

    opened = accounts.open_for_user(context, AccountId(user_id), user.nationality)
    users.register(context, user_id, user)
    countries.count_user(context, user.nationality)
    event = UserCreated(
        timestamp=context.timestamp_s,
        changes=(opened,),
        user_id=user_id,
        nationality=user.nationality,
        age=user.age,
        status=user.status,
        trust_score=user.trust_score,
    )
    return Effect(events=(event,), result={"userId": user_id})


@submit(LOCK_USER, keys=_keys_of_user)
def lock_user(context: Context, arguments: Arguments) -> Effect:
    """Stop an active user from sending.

    Raises:
        RefusedError: USER_NOT_FOUND, or USER_NOT_ACTIVE if locked already.
    """
    user_id = UserId(arguments.text("userId"))
    if users.require(context, user_id).status is not AccountStatus.ACTIVE:
        raise RefusedError(RefusalCode.USER_NOT_ACTIVE, f"{user_id} is locked already")
    _set_status(context, user_id, AccountStatus.LOCKED)
    event = UserLocked(
        timestamp=context.timestamp_s, user_id=user_id, reason=arguments.text("reason")
    )
    return Effect(events=(event,))


@submit(UNLOCK_USER, keys=_keys_of_user)
def unlock_user(context: Context, arguments: Arguments) -> Effect:
    """Let a locked user send again.

    Raises:
        RefusedError: USER_NOT_FOUND, or USER_NOT_LOCKED.
    """
    user_id = UserId(arguments.text("userId"))
    if users.require(context, user_id).status is not AccountStatus.LOCKED:
        raise RefusedError(RefusalCode.USER_NOT_LOCKED, f"{user_id} is not locked")
    _set_status(context, user_id, AccountStatus.ACTIVE)
    return Effect(events=(UserUnlocked(timestamp=context.timestamp_s, user_id=user_id),))


def _set_status(context: Context, user_id: UserId, status: AccountStatus) -> None:
    """Set it on the user and on the account, so that a transfer reads the account alone."""
    users.set_status(context, user_id, status)
    accounts.set_status(context, AccountId(user_id), status)


@evaluate("IdentityContract:GetUser")
def get_user(context: Context, arguments: Arguments) -> JsonObject:
    """Return the user's record without the biometric hash.

    Raises:
        RefusedError: USER_NOT_FOUND.
    """
    user_id = UserId(arguments.text("userId"))
    user = users.require(context, user_id).to_wire()
    del user["biometricHash"]
    return {"userId": user_id, **user}


@evaluate("IdentityContract:UserExists")
def user_exists(context: Context, arguments: Arguments) -> JsonObject:
    """Tell whether the user exists."""
    user_id = UserId(arguments.text("userId"))
    return {"userId": user_id, "exists": users.find(context, user_id) is not None}


@evaluate("IdentityContract:GetTrustScore")
def get_trust_score(context: Context, arguments: Arguments) -> JsonObject:
    """Return the user's trust score, 0 to 100.

    Raises:
        RefusedError: USER_NOT_FOUND.
    """
    user_id = UserId(arguments.text("userId"))
    return {"userId": user_id, "trustScore": users.require(context, user_id).trust_score}

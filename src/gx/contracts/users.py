"""Users: the one module that writes their records."""

from dataclasses import dataclass, replace

from gx.chaincode.context import Context
from gx.contracts import keys
from gx.domain.codec import Record
from gx.domain.events import AccountStatus
from gx.domain.identifiers import CountryCode, EpochSeconds, UserId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.relationships import Ties, trust_score


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRecord(Record):
    """A person. `genesis_phase` is set once the genesis coins were paid, `ties` once there are any.

    `trust_score` follows from `ties` alone.
    """

    biometric_hash: str
    nationality: CountryCode
    age: int
    status: AccountStatus
    trust_score: int
    created_at: EpochSeconds
    genesis_phase: int | None = None
    ties: Ties | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BiometricRecord(Record):
    """Whose biometric hash this is."""

    user_id: UserId


def find(context: Context, user_id: UserId) -> UserRecord | None:
    """Return the user, None without one."""
    return context.state.find(keys.user(user_id), UserRecord)


def require(context: Context, user_id: UserId) -> UserRecord:
    """Return the user.

    Raises:
        RefusedError: USER_NOT_FOUND.
    """
    user = find(context, user_id)
    if user is None:
        raise RefusedError(RefusalCode.USER_NOT_FOUND, f"there is no user {user_id}")
    return user


def require_new(context: Context, user_id: UserId, biometric_hash: str) -> None:
    """Refuse an id or a biometric hash that a user has.

    Raises:
        RefusedError: USER_EXISTS or BIOMETRIC_HASH_EXISTS.
    """
    if find(context, user_id) is not None:
        raise RefusedError(RefusalCode.USER_EXISTS, f"there is a user {user_id} already")
    if context.state.find(keys.biometric(biometric_hash), BiometricRecord) is not None:
        raise RefusedError(
            RefusalCode.BIOMETRIC_HASH_EXISTS, "a user with this biometric hash exists"
        )


def register(context: Context, user_id: UserId, user: UserRecord) -> None:
    """Write a new user and claim the biometric hash; `require_new` comes first."""
    context.state.put(keys.user(user_id), user)
    context.state.put(keys.biometric(user.biometric_hash), BiometricRecord(user_id=user_id))


def set_status(context: Context, user_id: UserId, status: AccountStatus) -> None:
    """Lock or unlock the user.

    Raises:
        RefusedError: USER_NOT_FOUND.
    """
    user = require(context, user_id)
    context.state.put(keys.user(user_id), replace(user, status=status))


def set_ties(context: Context, user_id: UserId, ties: Ties) -> int:
    """Write how the user is related to others; return the trust score that follows from it.

    Raises:
        RefusedError: USER_NOT_FOUND.
    """
    user = require(context, user_id)
    score = trust_score(ties)
    context.state.put(keys.user(user_id), replace(user, ties=ties, trust_score=score))
    return score


def mark_genesis(context: Context, user_id: UserId, phase: int) -> None:
    """Remember that the user's genesis coins were paid, and in which phase.

    Raises:
        RefusedError: USER_NOT_FOUND.
    """
    user = require(context, user_id)
    context.state.put(keys.user(user_id), replace(user, genesis_phase=phase))

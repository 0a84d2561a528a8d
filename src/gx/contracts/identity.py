"""IdentityContract: who the users are."""

from collections.abc import Mapping

from gx.chaincode.context import Context, Effect
from gx.chaincode.functions import evaluate, submit
from gx.contracts import accounts, actors, countries, keys, relationships, users
from gx.contracts.users import UserRecord
from gx.domain.arguments import Arguments
from gx.domain.catalogue import (
    CONFIRM_RELATIONSHIP,
    CREATE_USER,
    LOCK_USER,
    REQUEST_RELATIONSHIP,
    UNLOCK_USER,
)
from gx.domain.codec import JsonObject
from gx.domain.coherence import require_two_people
from gx.domain.events import AccountStatus, UserCreated, UserLocked, UserUnlocked
from gx.domain.identifiers import AccountId, CountryCode, UserId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.relationship_events import RelationshipConfirmed, RelationshipRequested
from gx.domain.relationships import (
    TRUST_BASE,
    Parties,
    RelationshipType,
    parse_relationship_id,
    relationship_id,
)


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
        trust_score=TRUST_BASE,
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


def _keys_of_request(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    return _keys_of_parties(
        Parties(
            UserId(arguments["subjectId"]),
            RelationshipType(arguments["type"]),
            UserId(arguments["objectId"]),
        )
    )


def _keys_of_confirmation(arguments: Mapping[str, str], _actor: str) -> tuple[str, ...]:
    return _keys_of_parties(parse_relationship_id(arguments["relationshipId"]))


def _keys_of_parties(parties: Parties) -> tuple[str, ...]:
    return (
        keys.user(parties.subject_id),
        keys.user(parties.object_id),
        keys.relationship(relationship_id(parties)),
        keys.pair(parties.subject_id, parties.object_id),
    )


@submit(REQUEST_RELATIONSHIP, keys=_keys_of_request)
def request_relationship(context: Context, arguments: Arguments) -> Effect:
    """Write what somebody else is to the subject; nothing counts before it is confirmed.

    Raises:
        RefusedError: SELF_RELATIONSHIP, USER_NOT_FOUND or RELATIONSHIP_EXISTS.
    """
    parties = Parties(
        UserId(arguments.text("subjectId")),
        RelationshipType(arguments.text("type")),
        UserId(arguments.text("objectId")),
    )
    require_two_people(arguments.as_mapping())
    users.require(context, parties.subject_id)
    users.require(context, parties.object_id)
    name = relationships.request(context, parties)
    event = RelationshipRequested(
        timestamp=context.timestamp_s,
        relationship_id=name,
        subject_id=parties.subject_id,
        object_id=parties.object_id,
        type=parties.type,
    )
    return Effect(events=(event,), result={"relationshipId": name})


@submit(CONFIRM_RELATIONSHIP, keys=_keys_of_confirmation)
def confirm_relationship(context: Context, arguments: Arguments) -> Effect:
    """Let what the subject said count, as the object agrees; both are scored anew.

    Raises:
        RefusedError: ACTOR_MISMATCH, RELATIONSHIP_NOT_FOUND or RELATIONSHIP_EXISTS.
    """
    parties = parse_relationship_id(arguments.text("relationshipId"))
    name = relationship_id(parties)
    actors.require_acting(context, parties.object_id, f"confirm {name}")
    scores = relationships.confirm(context, parties)
    event = RelationshipConfirmed(
        timestamp=context.timestamp_s,
        relationship_id=name,
        subject_id=parties.subject_id,
        object_id=parties.object_id,
        type=parties.type,
        subject_trust_score=scores.subject,
        object_trust_score=scores.object,
    )
    return Effect(events=(event,), result={"trustScore": scores.object})


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
    return {"userId": user_id, "trustScore": relationships.trust_score(context, user_id)}

"""Users: registration and locking."""

from typing import Final

from gx.domain.arguments import Argument, Country, Hash, Integer, Source, Text
from gx.domain.catalogue.vocabulary import EXAMPLE_HASH, NEW_USER_ID, USER, USER_ID, user_in_path
from gx.domain.choices import Choice
from gx.domain.coherence import require_two_people
from gx.domain.commands import Access, Area, CommandSpec, FunctionSpec, QuerySpec
from gx.domain.events import UserCreated, UserLocked, UserUnlocked
from gx.domain.refusals import RefusalCode
from gx.domain.relationship_events import RelationshipConfirmed, RelationshipRequested
from gx.domain.relationships import RelationshipReference, RelationshipType
from gx.domain.roles import ADMINS, PARTNERS, SUPER_ADMINS
from gx.domain.scopes import (
    confirmation_scopes,
    create_user_scopes,
    relationship_scopes,
    user_scopes,
)

CREATE_USER: Final = CommandSpec(
    wire_name="CREATE_USER",
    area=Area.IDENTITY,
    function="IdentityContract:CreateUser",
    path="/users",
    access=Access.PARTNER,
    roles=PARTNERS,
    arguments=(
        Argument(name="userId", kind=NEW_USER_ID, description="The new id.", example="alice"),
        Argument(
            name="biometricHash",
            kind=Hash(invalid=RefusalCode.BIOMETRIC_HASH_INVALID),
            description="Hash of the person's biometric template.",
            example=EXAMPLE_HASH,
        ),
        Argument(
            name="nationality", kind=Country(), description="Country of the user.", example="US"
        ),
        Argument(
            name="age",
            kind=Integer(minimum=0, maximum=150, invalid=RefusalCode.AGE_OUT_OF_RANGE),
            description="Years.",
            example=34,
        ),
    ),
    scopes=create_user_scopes,
    events=(UserCreated,),
    read_models=("users", "accounts", "countries"),
    refusals=(
        RefusalCode.USER_EXISTS,
        RefusalCode.BIOMETRIC_HASH_INVALID,
        RefusalCode.BIOMETRIC_HASH_EXISTS,
        RefusalCode.COUNTRY_UNKNOWN,
        RefusalCode.AGE_OUT_OF_RANGE,
    ),
    summary="Register a user and open a wallet at 0.",
)

LOCK_USER: Final = CommandSpec(
    wire_name="LOCK_USER",
    area=Area.IDENTITY,
    function="IdentityContract:LockUser",
    path="/users/{userId}/lock",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(
        user_in_path("Whom."),
        Argument(name="reason", kind=Text(), description="Why.", example="Court order"),
    ),
    scopes=user_scopes,
    events=(UserLocked,),
    read_models=("users", "accounts"),
    refusals=(RefusalCode.USER_NOT_FOUND, RefusalCode.USER_NOT_ACTIVE),
    summary="Stop a user from sending.",
)

UNLOCK_USER: Final = CommandSpec(
    wire_name="UNLOCK_USER",
    area=Area.IDENTITY,
    function="IdentityContract:UnlockUser",
    path="/users/{userId}/unlock",
    access=Access.SUPER_ADMIN,
    roles=SUPER_ADMINS,
    arguments=(user_in_path("Whom."),),
    scopes=user_scopes,
    events=(UserUnlocked,),
    read_models=("users", "accounts"),
    refusals=(RefusalCode.USER_NOT_FOUND, RefusalCode.USER_NOT_LOCKED),
    summary="Let a locked user send again.",
)

REQUEST_RELATIONSHIP: Final = CommandSpec(
    wire_name="REQUEST_RELATIONSHIP",
    area=Area.IDENTITY,
    function="IdentityContract:RequestRelationship",
    path="/users/{subjectId}/relationships",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        Argument(
            name="subjectId", kind=USER_ID, description="Who says so.", example="alice",
            source=Source.PATH,
        ),
        Argument(name="objectId", kind=USER_ID, description="About whom.", example="bob"),
        Argument(
            name="type",
            kind=Choice(words=tuple(RelationshipType)),
            description="What the object is to the subject.",
            example="PARENT",
        ),
    ),
    scopes=relationship_scopes,
    events=(RelationshipRequested,),
    read_models=("relationships",),
    refusals=(
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.SELF_RELATIONSHIP,
        RefusalCode.USER_NOT_FOUND,
        RefusalCode.RELATIONSHIP_EXISTS,
    ),
    summary="Say what somebody else is to a user; it counts once that person confirms it.",
    actor_argument="subjectId",
    require_coherent=require_two_people,
)  # fmt: skip

CONFIRM_RELATIONSHIP: Final = CommandSpec(
    wire_name="CONFIRM_RELATIONSHIP",
    area=Area.IDENTITY,
    function="IdentityContract:ConfirmRelationship",
    path="/relationships/{relationshipId}/confirm",
    access=Access.USER,
    roles=PARTNERS | ADMINS,
    arguments=(
        Argument(
            name="relationshipId",
            kind=RelationshipReference(),
            description="The relationship that is true.",
            example="alice~PARENT~bob",
            source=Source.PATH,
        ),
    ),
    scopes=confirmation_scopes,
    events=(RelationshipConfirmed,),
    read_models=("relationships", "users"),
    refusals=(
        RefusalCode.ACTOR_MISMATCH,
        RefusalCode.RELATIONSHIP_NOT_FOUND,
        RefusalCode.RELATIONSHIP_EXISTS,
    ),
    summary="Confirm what somebody else said; both people's trust is scored anew.",
)

COMMANDS: Final = (
    CREATE_USER,
    LOCK_USER,
    UNLOCK_USER,
    REQUEST_RELATIONSHIP,
    CONFIRM_RELATIONSHIP,
)

FUNCTIONS: Final = (
    FunctionSpec(
        function="IdentityContract:GetUser", arguments=(USER,), summary="One user's record."
    ),
    FunctionSpec(
        function="IdentityContract:UserExists",
        arguments=(USER,),
        summary="Whether the user exists.",
    ),
    FunctionSpec(
        function="IdentityContract:GetTrustScore",
        arguments=(USER,),
        summary="The user's trust score.",
    ),
)

QUERIES: Final = (
    QuerySpec(
        name="user", area=Area.IDENTITY, path="/users/{userId}", access=Access.USER,
        read_models=("users",), summary="One user.", owner_parameter="userId",
        absent=RefusalCode.USER_NOT_FOUND,
    ),
    QuerySpec(
        name="trust", area=Area.IDENTITY, path="/users/{userId}/trust", access=Access.USER,
        read_models=("users",), summary="A user's trust score.", owner_parameter="userId",
        absent=RefusalCode.USER_NOT_FOUND,
    ),
    QuerySpec(
        name="relationships", area=Area.IDENTITY, path="/users/{subjectId}/relationships",
        access=Access.USER, read_models=("relationships",),
        summary="A user's relationships, as either side.", owner_parameter="subjectId",
        parameters=("limit", "cursor"), absent=RefusalCode.USER_NOT_FOUND,
    ),
)  # fmt: skip

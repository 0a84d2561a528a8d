"""Relationships and the trust that they earn: the one module that writes the former.

`trust_score` is what other contracts ask.
"""

from dataclasses import dataclass, replace

from gx.chaincode.context import Context
from gx.contracts import keys, users
from gx.domain.codec import Record
from gx.domain.identifiers import EpochSeconds, UserId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.relationships import (
    Parties,
    RelationshipId,
    RelationshipStatus,
    RelationshipType,
    Ties,
    mirrored,
    relationship_id,
    with_one_more,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipRecord(Record):
    """What one person said about another, and when that person confirmed it."""

    status: RelationshipStatus
    requested_at: EpochSeconds
    confirmed_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRecord(Record):
    """What two people are to each other: one confirmed relationship at most."""

    relationship_id: RelationshipId


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustScores:
    """What both people's trust is after a confirmation."""

    subject: int
    object: int


def trust_score(context: Context, user_id: UserId) -> int:
    """Return a user's trust score, 10 to 100, as the confirmed relationships make it.

    Raises:
        RefusedError: USER_NOT_FOUND.
    """
    return users.require(context, user_id).trust_score


def request(context: Context, parties: Parties) -> RelationshipId:
    """Write what the subject says.

    Raises:
        RefusedError: RELATIONSHIP_EXISTS, it was said before from either side, or both are
            something else to each other already.
    """
    for told in (parties, mirrored(parties)):
        if _find(context, relationship_id(told)) is not None:
            raise _exists(f"{relationship_id(told)} was requested already")
    _require_unrelated(context, parties)
    requested = RelationshipRecord(
        status=RelationshipStatus.REQUESTED, requested_at=context.timestamp_s
    )
    name = relationship_id(parties)
    context.state.put(keys.relationship(name), requested)
    return name


def confirm(context: Context, parties: Parties) -> TrustScores:
    """Let the relationship count for both people.

    Raises:
        RefusedError: RELATIONSHIP_NOT_FOUND, or RELATIONSHIP_EXISTS if this one, or another one
            between the two, is confirmed already.
    """
    name = relationship_id(parties)
    record = _find(context, name)
    if record is None:
        raise RefusedError(RefusalCode.RELATIONSHIP_NOT_FOUND, f"nobody requested {name}")
    _require_unrelated(context, parties)
    confirmed = replace(
        record, status=RelationshipStatus.CONFIRMED, confirmed_at=context.timestamp_s
    )
    context.state.put(keys.relationship(name), confirmed)
    context.state.put(_pair_key(parties), PairRecord(relationship_id=name))
    return TrustScores(
        subject=_tie(context, parties.subject_id, parties.type),
        object=_tie(context, parties.object_id, parties.type.inverse),
    )


def _find(context: Context, name: RelationshipId) -> RelationshipRecord | None:
    return context.state.find(keys.relationship(name), RelationshipRecord)


def _require_unrelated(context: Context, parties: Parties) -> None:
    pair = context.state.find(_pair_key(parties), PairRecord)
    if pair is not None:
        raise _exists(f"{pair.relationship_id} is confirmed already")


def _pair_key(parties: Parties) -> str:
    return keys.pair(parties.subject_id, parties.object_id)


def _tie(context: Context, user_id: UserId, kind: RelationshipType) -> int:
    """Count one more relative or friend of the user, and return the new trust score."""
    ties = users.require(context, user_id).ties or Ties()
    return users.set_ties(context, user_id, with_one_more(ties, kind))


def _exists(detail: str) -> RefusedError:
    return RefusedError(RefusalCode.RELATIONSHIP_EXISTS, detail)

"""What facts about relationships change in the read models."""

from gx.domain.relationship_events import RelationshipConfirmed, RelationshipRequested
from gx.domain.relationships import RelationshipStatus
from gx.projection.changes import Change, Put
from gx.projection.folding import Place, folds, post
from gx.projection.identity_models import RELATIONSHIPS
from gx.projection.read_models import USERS


@folds(RelationshipRequested)
def fold_relationship_requested(event: RelationshipRequested, place: Place) -> list[Change]:
    """List what somebody said."""
    requested = Put(
        model=RELATIONSHIPS.name,
        key=(event.relationship_id,),
        values={
            "subject_id": event.subject_id,
            "object_id": event.object_id,
            "type": event.type.value,
            "status": RelationshipStatus.REQUESTED.value,
            "requested_at": event.timestamp,
        },
    )
    return [*post(event, place), requested]


@folds(RelationshipConfirmed)
def fold_relationship_confirmed(event: RelationshipConfirmed, place: Place) -> list[Change]:
    """Mark it, and show both people's new trust."""
    confirmed = Put(
        model=RELATIONSHIPS.name,
        key=(event.relationship_id,),
        values={
            "status": RelationshipStatus.CONFIRMED.value,
            "confirmed_at": event.timestamp,
        },
    )
    return [
        *post(event, place),
        confirmed,
        _put_trust(event.subject_id, event.subject_trust_score),
        _put_trust(event.object_id, event.object_trust_score),
    ]


def _put_trust(user_id: str, score: int) -> Put:
    return Put(model=USERS.name, key=(user_id,), values={"trust_score": score})

"""Facts about relationships between people."""

from dataclasses import dataclass
from typing import ClassVar

from gx.domain.event_form import Event
from gx.domain.identifiers import UserId
from gx.domain.relationships import RelationshipId, RelationshipType


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipRequested(Event):
    """The subject said what the object is to them; it counts for nothing yet."""

    WIRE_NAME: ClassVar[str] = "RelationshipRequested"

    relationship_id: RelationshipId
    subject_id: UserId
    object_id: UserId
    type: RelationshipType


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipConfirmed(Event):
    """The object agreed; both people have these trust scores from now on."""

    WIRE_NAME: ClassVar[str] = "RelationshipConfirmed"

    relationship_id: RelationshipId
    subject_id: UserId
    object_id: UserId
    type: RelationshipType
    subject_trust_score: int
    object_trust_score: int

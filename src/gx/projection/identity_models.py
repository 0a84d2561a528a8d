"""Read models about people."""

from typing import Final

from gx.domain.relationships import RelationshipStatus
from gx.projection.read_model import ReadModel, key_column, text_column, time_column

RELATIONSHIPS: Final = ReadModel(
    name="relationships",
    key=(key_column("relationship_id"),),
    columns=(
        text_column("subject_id"),
        text_column("object_id"),
        text_column("type"),
        text_column("status", RelationshipStatus.REQUESTED.value),
        time_column("requested_at"),
        time_column("confirmed_at"),
    ),
    fillfactor=80,
    indexes=(("subject_id", "relationship_id"), ("object_id", "relationship_id")),
)

"""Relationships between two people, and the trust that confirmed ones earn.

A relationship's id names both people and the type, so that whatever confirms it tells by its
arguments alone whom it touches.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple, NewType

from typing_extensions import override

from gx.domain.arguments import ArgumentKind
from gx.domain.codec import JsonObject, Record
from gx.domain.identifiers import IDENTIFIER_PATTERN, UserId
from gx.domain.refusals import RefusedError

RelationshipId = NewType("RelationshipId", str)
"""`<subject>~<type>~<object>`: no id of a user holds a tilde."""

SEPARATOR: Final = "~"


class RelationshipType(StrEnum):
    """What the object is to the subject: with PARENT, the subject says who the parent is."""

    PARENT = "PARENT"
    CHILD = "CHILD"
    SPOUSE = "SPOUSE"
    SIBLING = "SIBLING"
    FRIEND = "FRIEND"

    @property
    def inverse(self) -> "RelationshipType":
        """What the subject is to the object."""
        return _INVERSES.get(self, self)


_INVERSES: Final = {
    RelationshipType.PARENT: RelationshipType.CHILD,
    RelationshipType.CHILD: RelationshipType.PARENT,
}


class RelationshipStatus(StrEnum):
    """How far a relationship has come; only a confirmed one counts."""

    REQUESTED = "Requested"
    CONFIRMED = "Confirmed"


class Parties(NamedTuple):
    """What a relationship's id says."""

    subject_id: UserId
    type: RelationshipType
    object_id: UserId


def relationship_id(parties: Parties) -> RelationshipId:
    """Name the relationship, as its subject tells it."""
    return RelationshipId(SEPARATOR.join(parties))


def mirrored(parties: Parties) -> Parties:
    """Tell the same relationship as its object would."""
    return Parties(parties.object_id, parties.type.inverse, parties.subject_id)


def parse_relationship_id(text: str) -> Parties:
    """Read an id that `RelationshipReference` has let pass."""
    subject_id, kind, object_id = text.split(SEPARATOR)
    return Parties(UserId(subject_id), RelationshipType(kind), UserId(object_id))


_ID: Final = IDENTIFIER_PATTERN.removeprefix("^").removesuffix("$")
_PATTERN: Final = f"^{_ID}{SEPARATOR}({'|'.join(RelationshipType)}){SEPARATOR}{_ID}$"
_REFERENCE: Final = re.compile(_PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipReference(ArgumentKind):
    """A relationship's id: `<subject>~<type>~<object>`."""

    @override
    def schema(self) -> JsonObject:
        return {"type": "string", "pattern": _PATTERN}

    @override
    def require(self, name: str, text: str) -> None:
        if _REFERENCE.fullmatch(text) is None:
            raise RefusedError(
                self.invalid,
                f"{name} must be <subject>~<type>~<object>, such as alice~PARENT~bob, "
                f"got {text[:80]!r}",
            )


TRUST_BASE: Final = 10
TRUST_MAX: Final = 100
_PARENT_POINTS: Final = 30
_SPOUSE_POINTS: Final = 25
_SIBLING_POINTS: Final = 15
_CHILD_POINTS: Final = 10
_FAMILY_POINTS_MAX: Final = 80
_FRIENDS_COUNTED_MAX: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties(Record):
    """How many confirmed relationships of each type a user has."""

    parents: int = 0
    children: int = 0
    spouses: int = 0
    siblings: int = 0
    friends: int = 0


def with_one_more(ties: Ties, kind: RelationshipType) -> Ties:
    """Count one more person who is a `kind` to the user."""
    match kind:
        case RelationshipType.PARENT:
            return replace(ties, parents=ties.parents + 1)
        case RelationshipType.CHILD:
            return replace(ties, children=ties.children + 1)
        case RelationshipType.SPOUSE:
            return replace(ties, spouses=ties.spouses + 1)
        case RelationshipType.SIBLING:
            return replace(ties, siblings=ties.siblings + 1)
        case RelationshipType.FRIEND:
            return replace(ties, friends=ties.friends + 1)


def trust_score(ties: Ties) -> int:
    """Score a user, 10 to 100: family counts once for each type and at most 80, friends 1 each.

    No more than ten friends count.
    """
    family = (
        _PARENT_POINTS * bool(ties.parents)
        + _SPOUSE_POINTS * bool(ties.spouses)
        + _SIBLING_POINTS * bool(ties.siblings)
        + _CHILD_POINTS * bool(ties.children)
    )
    friends = min(ties.friends, _FRIENDS_COUNTED_MAX)
    return min(TRUST_MAX, TRUST_BASE + min(family, _FAMILY_POINTS_MAX) + friends)

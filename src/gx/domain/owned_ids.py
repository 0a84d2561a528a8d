"""Ids that name their owner: `<owner>~<command id>`, made by the command that made the thing.

Whatever touches the thing later tells by its arguments alone whom else it touches. No identifier
holds a tilde, and no command makes two things of one kind.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple, NewType

from typing_extensions import override

from gx.domain.arguments import ArgumentKind
from gx.domain.codec import JsonObject
from gx.domain.identifiers import IDENTIFIER_PATTERN, CommandId
from gx.domain.refusals import RefusedError

LoanId = NewType("LoanId", str)
"""`<borrower>~<command id>`."""

ProposalId = NewType("ProposalId", str)
"""`<system parameter>~<command id>`."""

SEPARATOR: Final = "~"
_ID: Final = IDENTIFIER_PATTERN.removeprefix("^").removesuffix("$")
_PATTERN: Final = f"^{_ID}{SEPARATOR}{_ID}$"
_OWNED_ID: Final = re.compile(_PATTERN, re.ASCII)


class OwnedId(NamedTuple):
    """What such an id says."""

    owner: str
    command_id: CommandId


def owned_id(owner: str, command_id: CommandId) -> str:
    """Name what the command makes for `owner`."""
    return f"{owner}{SEPARATOR}{command_id}"


def is_owned_id(text: str) -> bool:
    """Tell whether `text` has the form of such an id."""
    return _OWNED_ID.fullmatch(text) is not None


def parse_owned_id(text: str) -> OwnedId:
    """Read an id of which `is_owned_id` holds."""
    owner, _, command_id = text.partition(SEPARATOR)
    return OwnedId(owner, CommandId(command_id))


def owner_of(text: str) -> str:
    """Tell whose an id is; an id of another form is its own owner."""
    return text.partition(SEPARATOR)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedIdentifier(ArgumentKind):
    """The id of a thing that was made for an owner, who is a `whose`."""

    whose: str

    @override
    def schema(self) -> JsonObject:
        return {"type": "string", "pattern": _PATTERN}

    @override
    def require(self, name: str, text: str) -> None:
        if not is_owned_id(text):
            raise RefusedError(
                self.invalid,
                f"{name} must be <{self.whose}>{SEPARATOR}<command id>, got {text[:80]!r}",
            )

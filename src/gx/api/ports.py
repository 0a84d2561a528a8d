"""What the edge needs from others, in its own words; `gx.runtime` wires the real ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gx.api.principal import Principal
from gx.api.settings import Allowance
from gx.domain.codec import JsonObject
from gx.domain.errors import GxError
from gx.outbox.ports import Acceptance, NewCommand


class KeysUnavailableError(GxError):
    """The issuer's keys could not be had and none are known: no token can be judged."""


class CommandGate(Protocol):
    """Takes one command in; many callers at once share one commit."""

    async def accept(self, command: NewCommand) -> Acceptance:
        """Store the command. It is durable when this returns.

        Raises:
            BacklogFullError: what waits is too old to take more; nothing was stored.
        """
        ...


class TokenVerifier(Protocol):
    """Tells who a bearer token stands for."""

    def recall(self, token: str) -> Principal | None:
        """Return what is known of a token that was verified before and still is valid."""
        ...

    async def verify(self, token: str) -> Principal:
        """Verify the token.

        Raises:
            RefusedError: TOKEN_INVALID, saying what is wrong with it.
            KeysUnavailableError: nobody can tell now.
        """
        ...


class RateLimiter(Protocol):
    """Token buckets by name."""

    async def take(self, name: str, allowance: Allowance) -> float:
        """Take one from the bucket; 0 if there was one, else the seconds until there is."""
        ...


class CommandProgress(Protocol):
    """Says that commands may have been settled or projected."""

    async def wait(self, timeout_s: float) -> None:
        """Return when something may have changed, at the latest after `timeout_s`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRequest:
    """One read: the query's name, what stands in the path, and which page of a list."""

    name: str
    values: Mapping[str, str]
    limit: int
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAnswer:
    """What the read models said as of a block; `body` is None if there is no such thing."""

    block_number: int
    body: JsonObject | None


class QueryDesk(Protocol):
    """Answers the reads of the catalogue from the read models."""

    async def answer(self, request: QueryRequest) -> QueryAnswer:
        """Answer one read, consistent as of one block.

        Raises:
            RefusedError: ARGUMENT_INVALID for a cursor that was none of this list's.
        """
        ...

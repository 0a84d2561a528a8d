"""What the rest of the project knows of the database: its leases, and how it fails."""

from dataclasses import dataclass
from typing import Protocol

from gx.domain.errors import GxError


class DatabaseUnavailableError(GxError):
    """The database did not answer, or could not work just now; the same call may succeed later.

    Whether a write took effect is unknown when the connection broke during its commit.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to be the one active worker of a role on a channel.

    Every statement that prepares or settles carries `epoch`; it changes nothing once another
    worker has taken over with a higher one.
    """

    name: str
    holder: str
    epoch: int


class LeaseLostError(GxError):
    """Another worker holds the lease with a higher epoch; this one changed nothing."""


class Leases(Protocol):
    """Leases by the database's clock."""

    async def acquire(self, name: str, holder: str, *, ttl_s: float) -> Lease | None:
        """Take the lease if it is free or expired; None while somebody else holds it."""
        ...

    async def renew(self, lease: Lease, *, ttl_s: float) -> bool:
        """Keep it for another `ttl_s`; False once it was taken over."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give it up, so that a standby takes over at once."""
        ...

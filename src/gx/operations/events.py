"""The ledger's own events, for those checks that do not trust the read models."""

from collections.abc import Sequence
from typing import Protocol

from gx.domain.codec import JsonObject
from gx.domain.identifiers import BlockNumber


class EventSource(Protocol):
    """Reads the events of one block of the ledger."""

    async def events_of(self, block_number: BlockNumber) -> Sequence[JsonObject]:
        """Return the block's domain events, in order."""
        ...

"""One typed method for each query of the catalogue; a test compares them with it."""

from abc import ABC, abstractmethod

from gx.client.requests import Request
from gx.client.transport import Answer


class QueryMethods(ABC):
    """The reading half of the client."""

    @abstractmethod
    async def _read(self, request: Request) -> Answer:
        """Send a read."""

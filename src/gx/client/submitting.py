"""What every typed command method ends in: one call that sends a command by its wire name."""

from abc import ABC, abstractmethod

from gx.client.answers import AcceptedCommand
from gx.domain.codec import JsonValue


class Submitting(ABC):
    """Whatever can send commands."""

    @abstractmethod
    async def submit(
        self, command_type: str, /, *, idempotency_key: str | None = None, **arguments: JsonValue
    ) -> AcceptedCommand:
        """Send a command by its wire name, its arguments in snake_case.

        Raises:
            ValueError: no such command, or a missing or surplus argument.
            ClientError: the API could not be reached, or refused (`ProblemError`).
        """

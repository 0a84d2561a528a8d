"""The typed commands about people's relationships."""

from gx.client.answers import AcceptedCommand
from gx.client.submitting import Submitting


class IdentityCommands(Submitting):
    """Says and confirms what people are to each other."""

    async def request_relationship(
        self,
        *,
        subject_id: str,
        object_id: str,
        type: str,  # noqa: A002 (the argument's declared name)
        idempotency_key: str | None = None,
    ) -> AcceptedCommand:
        """Say what somebody else is to a user; it counts once that person confirms it."""
        return await self.submit(
            "REQUEST_RELATIONSHIP",
            idempotency_key=idempotency_key,
            subject_id=subject_id,
            object_id=object_id,
            type=type,
        )

    async def confirm_relationship(
        self, *, relationship_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Confirm what somebody else said; both people's trust is scored anew."""
        return await self.submit(
            "CONFIRM_RELATIONSHIP",
            idempotency_key=idempotency_key,
            relationship_id=relationship_id,
        )

"""The typed commands of the tax area."""

from gx.client.answers import AcceptedCommand
from gx.client.submitting import Submitting


class TaxCommands(Submitting):
    """Commands about the velocity tax."""

    async def apply_velocity_tax(
        self, *, account_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Tax a balance that was held for too long; refused before it is due."""
        return await self.submit(
            "APPLY_VELOCITY_TAX", idempotency_key=idempotency_key, account_id=account_id
        )

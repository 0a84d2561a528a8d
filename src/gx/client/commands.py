"""One typed method for each command of the catalogue; a test compares them with it.

Each returns when the API has stored the command durably. Amounts are whole base units.
A call without an idempotency key makes one, so that its own retries are safe; pass one to make
a retry safe across processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gx.client.answers import AcceptedCommand
from gx.client.governance_commands import GovernanceCommands
from gx.client.identity_commands import IdentityCommands
from gx.client.loan_commands import LoanCommands
from gx.client.organization_commands import OrganizationCommands
from gx.client.tax_commands import TaxCommands
from gx.domain.amounts import Amount
from gx.domain.codec import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryShare:
    """A country to open; `percentage` is a decimal string, such as `4.2`."""

    country_code: str
    percentage: str


class CommandMethods(
    GovernanceCommands, IdentityCommands, LoanCommands, OrganizationCommands, TaxCommands
):
    """The writing half of the client."""

    async def bootstrap_system(self, *, idempotency_key: str | None = None) -> AcceptedCommand:
        """Create the system parameters and mint the four pools, once."""
        return await self.submit("BOOTSTRAP_SYSTEM", idempotency_key=idempotency_key)

    async def initialize_country_data(
        self, *, countries: Sequence[CountryShare], idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Open countries, each with a locked treasury."""
        wire: list[JsonValue] = [
            {"countryCode": share.country_code, "percentage": share.percentage}
            for share in countries
        ]
        return await self.submit(
            "INITIALIZE_COUNTRY_DATA", idempotency_key=idempotency_key, countries=wire
        )

    async def update_system_parameter(
        self,
        *,
        id: str,  # noqa: A002 (the argument's declared name)
        value: str,
        idempotency_key: str | None = None,
    ) -> AcceptedCommand:
        """Change one system parameter within its bounds."""
        return await self.submit(
            "UPDATE_SYSTEM_PARAMETER", idempotency_key=idempotency_key, id=id, value=value
        )

    async def pause_system(
        self, *, reason: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Refuse every write until the system is resumed."""
        return await self.submit("PAUSE_SYSTEM", idempotency_key=idempotency_key, reason=reason)

    async def resume_system(self, *, idempotency_key: str | None = None) -> AcceptedCommand:
        """Take writes again after a pause."""
        return await self.submit("RESUME_SYSTEM", idempotency_key=idempotency_key)

    async def appoint_admin(
        self, *, admin_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Record somebody as an administrator."""
        return await self.submit(
            "APPOINT_ADMIN", idempotency_key=idempotency_key, admin_id=admin_id
        )

    async def activate_treasury(
        self, *, country_code: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Let a country's treasury send."""
        return await self.submit(
            "ACTIVATE_TREASURY", idempotency_key=idempotency_key, country_code=country_code
        )

    async def mint_coins(
        self, *, account_id: str, amount: Amount, remark: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Create coins on an account."""
        return await self.submit(
            "MINT_COINS",
            idempotency_key=idempotency_key,
            account_id=account_id,
            amount=amount,
            remark=remark,
        )

    async def create_user(
        self,
        *,
        user_id: str,
        biometric_hash: str,
        nationality: str,
        age: int,
        idempotency_key: str | None = None,
    ) -> AcceptedCommand:
        """Register a user and open a wallet at 0."""
        return await self.submit(
            "CREATE_USER",
            idempotency_key=idempotency_key,
            user_id=user_id,
            biometric_hash=biometric_hash,
            nationality=nationality,
            age=age,
        )

    async def distribute_genesis(
        self, *, user_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Pay a user and the user's country the genesis coins, once."""
        return await self.submit(
            "DISTRIBUTE_GENESIS", idempotency_key=idempotency_key, user_id=user_id
        )

    async def transfer_tokens(
        self,
        *,
        from_id: str,
        to_id: str,
        amount: Amount,
        remark: str,
        idempotency_key: str | None = None,
    ) -> AcceptedCommand:
        """Move coins between two accounts; the sender pays the fee."""
        return await self.submit(
            "TRANSFER_TOKENS",
            idempotency_key=idempotency_key,
            from_id=from_id,
            to_id=to_id,
            amount=amount,
            remark=remark,
        )

    async def collect_fees(self, *, idempotency_key: str | None = None) -> AcceptedCommand:
        """Move fee income of up to 5,000 transactions into the operations fund's record.

        The command's result says whether there is more.
        """
        return await self.submit("COLLECT_FEES", idempotency_key=idempotency_key)

    async def freeze_wallet(
        self, *, user_id: str, reason: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Stop a wallet from sending and receiving."""
        return await self.submit(
            "FREEZE_WALLET", idempotency_key=idempotency_key, user_id=user_id, reason=reason
        )

    async def unfreeze_wallet(
        self, *, user_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Let a frozen wallet work again."""
        return await self.submit(
            "UNFREEZE_WALLET", idempotency_key=idempotency_key, user_id=user_id
        )

    async def lock_user(
        self, *, user_id: str, reason: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Stop a user from sending."""
        return await self.submit(
            "LOCK_USER", idempotency_key=idempotency_key, user_id=user_id, reason=reason
        )

    async def unlock_user(
        self, *, user_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Let a locked user send again."""
        return await self.submit("UNLOCK_USER", idempotency_key=idempotency_key, user_id=user_id)

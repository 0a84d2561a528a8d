"""The typed commands about loans from the loan pool."""

from gx.client.answers import AcceptedCommand
from gx.client.submitting import Submitting
from gx.domain.amounts import Amount


class LoanCommands(Submitting):
    """Asks for loans, decides about them, and pays them back."""

    async def apply_for_loan(
        self,
        *,
        borrower_id: str,
        amount: Amount,
        collateral_hash: str,
        idempotency_key: str | None = None,
    ) -> AcceptedCommand:
        """Ask for a loan; its id is the borrower's, a tilde, and the command's."""
        return await self.submit(
            "APPLY_FOR_LOAN",
            idempotency_key=idempotency_key,
            borrower_id=borrower_id,
            amount=amount,
            collateral_hash=collateral_hash,
        )

    async def approve_loan(
        self, *, loan_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Pay a pending loan out of the loan pool."""
        return await self.submit("APPROVE_LOAN", idempotency_key=idempotency_key, loan_id=loan_id)

    async def reject_loan(
        self, *, loan_id: str, reason: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Turn a pending loan down."""
        return await self.submit(
            "REJECT_LOAN", idempotency_key=idempotency_key, loan_id=loan_id, reason=reason
        )

    async def repay_loan(
        self, *, loan_id: str, amount: Amount, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Pay some of a loan back, or all of it."""
        return await self.submit(
            "REPAY_LOAN", idempotency_key=idempotency_key, loan_id=loan_id, amount=amount
        )

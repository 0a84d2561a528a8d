"""The typed commands about votes on system parameters."""

from gx.client.answers import AcceptedCommand
from gx.client.submitting import Submitting


class GovernanceCommands(Submitting):
    """Proposes, votes, and has the votes counted."""

    async def submit_proposal(
        self,
        *,
        target_param: str,
        new_value: str,
        title: str,
        idempotency_key: str | None = None,
    ) -> AcceptedCommand:
        """Propose a parameter's new value; its id is the parameter, a tilde, and the command's."""
        return await self.submit(
            "SUBMIT_PROPOSAL",
            idempotency_key=idempotency_key,
            target_param=target_param,
            new_value=new_value,
            title=title,
        )

    async def vote_on_proposal(
        self, *, proposal_id: str, ballot: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Vote FOR, AGAINST or ABSTAIN: once, before the end."""
        return await self.submit(
            "VOTE_ON_PROPOSAL",
            idempotency_key=idempotency_key,
            proposal_id=proposal_id,
            ballot=ballot,
        )

    async def execute_proposal(
        self, *, proposal_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Count the votes after the end; the command's result tells what came of it."""
        return await self.submit(
            "EXECUTE_PROPOSAL", idempotency_key=idempotency_key, proposal_id=proposal_id
        )

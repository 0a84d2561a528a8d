"""The typed commands about organisations and their payments."""

from collections.abc import Sequence
from dataclasses import dataclass

from gx.client.answers import AcceptedCommand
from gx.client.submitting import Submitting
from gx.domain.amounts import Amount
from gx.domain.codec import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthRule:
    """From `amount_threshold` base units on, so many of the group must approve a payment."""

    amount_threshold: Amount
    required_approvers: int
    approver_group: Sequence[str]

    def to_json(self) -> JsonObject:
        """Return the rule as a request carries it."""
        return {
            "amountThreshold": str(self.amount_threshold),
            "requiredApprovers": self.required_approvers,
            "approverGroup": list[JsonValue](self.approver_group),
        }


class OrganizationCommands(Submitting):
    """Proposes organisations, and lets them pay."""

    async def propose_organization(
        self,
        *,
        org_id: str,
        name: str,
        type: str,  # noqa: A002 (the argument's declared name)
        stakeholders: Sequence[str],
        rules: Sequence[AuthRule],
        idempotency_key: str | None = None,
    ) -> AcceptedCommand:
        """Propose an organisation with its stakeholders and rules; open its account."""
        return await self.submit(
            "PROPOSE_ORGANIZATION",
            idempotency_key=idempotency_key,
            org_id=org_id,
            name=name,
            type=type,
            stakeholders=list[JsonValue](stakeholders),
            rules=[rule.to_json() for rule in rules],
        )

    async def endorse_membership(
        self, *, org_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Agree, as a stakeholder, to a proposed organisation and its rules."""
        return await self.submit(
            "ENDORSE_MEMBERSHIP", idempotency_key=idempotency_key, org_id=org_id
        )

    async def activate_organization(
        self, *, org_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Let an organisation that every stakeholder has endorsed begin."""
        return await self.submit(
            "ACTIVATE_ORGANIZATION", idempotency_key=idempotency_key, org_id=org_id
        )

    async def define_auth_rule(
        self, *, org_id: str, rule: AuthRule, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Want a further rule, or endorse the same one; the last stakeholder makes it count."""
        return await self.submit(
            "DEFINE_AUTH_RULE",
            idempotency_key=idempotency_key,
            org_id=org_id,
            rule=rule.to_json(),
        )

    async def initiate_multisig_tx(
        self,
        *,
        org_id: str,
        to_id: str,
        amount: Amount,
        remark: str,
        idempotency_key: str | None = None,
    ) -> AcceptedCommand:
        """Want an organisation to pay; its strictest matching rule says who must approve.

        The command's result holds the payment's id.
        """
        return await self.submit(
            "INITIATE_MULTISIG_TX",
            idempotency_key=idempotency_key,
            org_id=org_id,
            to_id=to_id,
            amount=amount,
            remark=remark,
        )

    async def approve_multisig_tx(
        self, *, tx_id: str, idempotency_key: str | None = None
    ) -> AcceptedCommand:
        """Approve an organisation's payment; the last approval needed pays, once."""
        return await self.submit(
            "APPROVE_MULTISIG_TX", idempotency_key=idempotency_key, tx_id=tx_id
        )

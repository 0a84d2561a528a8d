"""The reads about organisations and their payments."""

from typing import Final

from asyncpg import Record

from gx.domain.codec import JsonObject, decode, wire_name_of
from gx.domain.organizations import MultiSigStatus, MultiSigTxId, OrganizationId
from gx.projection.cursors import parse_cursor
from gx.projection.organization_models import MULTISIG_TRANSACTIONS, ORGANIZATIONS
from gx.projection.ports import Answer
from gx.projection.postgres.answering import Answering, answer_of, page_of, render_row

# Members and rules of one organisation are few: they come with its row, as JSON.
READ_ORGANIZATION: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           coalesce((SELECT json_agg(json_build_object('userId', user_id,
                                                       'endorsedAt', endorsed_at)
                                     ORDER BY user_id)
                       FROM organization_members WHERE org_id = $2), '[]')::text AS stakeholders,
           coalesce((SELECT json_agg(json_build_object(
                                'ruleId', rule_id, 'amountThreshold', amount_threshold::text,
                                'requiredApprovers', required_approvers,
                                'approverGroup', approver_group::json,
                                'endorsements', endorsements, 'effectiveAt', effective_at)
                                ORDER BY organization_rules.amount_threshold, rule_id)
                       FROM organization_rules WHERE org_id = $2), '[]')::text AS rules,
           m.*
      FROM (VALUES (1)) AS one LEFT JOIN organizations AS m ON m.org_id = $2
"""

READ_MEMBERS: Final = "SELECT user_id FROM organization_members WHERE org_id = $1"

# Each payment with those who approved it, in the order in which they did.
READ_PAYMENT: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           m.*, (SELECT coalesce(json_agg(user_id ORDER BY approved_at, user_id), '[]')::text
                   FROM multisig_approvals AS a WHERE a.tx_id = m.tx_id) AS approved_by
      FROM (VALUES (1)) AS one LEFT JOIN multisig_transactions AS m ON m.tx_id = $2
"""

READ_PENDING: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           EXISTS (SELECT FROM organizations WHERE org_id = $2) AS is_known,
           m.*, (SELECT coalesce(json_agg(user_id ORDER BY approved_at, user_id), '[]')::text
                   FROM multisig_approvals AS a WHERE a.tx_id = m.tx_id) AS approved_by
      FROM (VALUES (1)) AS one
      LEFT JOIN LATERAL (SELECT * FROM multisig_transactions
                          WHERE org_id = $2 AND status = $3 AND tx_id > $4
                          ORDER BY tx_id LIMIT $5) AS m ON true
     ORDER BY m.tx_id
"""

_START: Final = ("",)


class OrganizationQueries(Answering):
    """Answers the queries of the organisation area."""

    async def organization(self, org_id: OrganizationId) -> Answer:
        """Return one organisation with its stakeholders and rules."""
        row = await self.row(READ_ORGANIZATION, org_id)
        if row["org_id"] is None:
            return answer_of(row, None)
        body: JsonObject = {
            **render_row(ORGANIZATIONS, row),
            "stakeholders": decode(row["stakeholders"]),
            "rules": decode(row["rules"]),
        }
        return answer_of(row, body)

    async def pending_transactions(
        self, org_id: OrganizationId, *, limit: int, cursor: str | None = None
    ) -> Answer:
        """Return an organisation's payments that wait for approvals, oldest ids first.

        Raises:
            RefusedError: ARGUMENT_INVALID for a cursor of another list.
        """
        place = _START if cursor is None else parse_cursor(cursor, _START)
        pending = MultiSigStatus.PENDING.value
        rows = await self.pool.fetch(READ_PENDING, self.channel, org_id, pending, *place, limit + 1)
        if not rows[0]["is_known"]:
            return answer_of(rows[0], None)
        page = page_of(MULTISIG_TRANSACTIONS, rows, limit, ("tx_id",))
        page["items"] = [_payment(row) for row in rows[:limit] if row["tx_id"] is not None]
        return answer_of(rows[0], page)

    async def multisig_transaction(self, tx_id: MultiSigTxId) -> Answer:
        """Return one payment with its approvals, whatever became of it."""
        row = await self.row(READ_PAYMENT, tx_id)
        return answer_of(row, None if row["tx_id"] is None else _payment(row))

    async def stakeholders_of(self, org_id: OrganizationId) -> frozenset[str]:
        """Return who holds the organisation; nobody if there is none."""
        rows = await self.pool.fetch(READ_MEMBERS, org_id)
        return frozenset(row["user_id"] for row in rows)


def _payment(row: Record) -> JsonObject:
    body = render_row(MULTISIG_TRANSACTIONS, row)
    for name in ("approver_group", "approved_by"):
        body[wire_name_of(name)] = decode(str(row[name]))
    return body

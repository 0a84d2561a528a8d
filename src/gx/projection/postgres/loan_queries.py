"""The reads about loans and votes."""

from typing import Final

from gx.domain.identifiers import UserId
from gx.domain.owned_ids import LoanId, ProposalId
from gx.projection.cursors import parse_cursor
from gx.projection.loan_models import LOANS, PROPOSALS
from gx.projection.ports import Answer
from gx.projection.postgres.answering import Answering, answer_of, page_of

# Newest first: the borrower's index, read backwards.
READ_LOANS: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           EXISTS (SELECT FROM users WHERE user_id = $2) AS is_known,
           m.*
      FROM (VALUES (1)) AS one
      LEFT JOIN LATERAL (SELECT * FROM loans
                          WHERE borrower_id = $2 AND (applied_at, loan_id) < ($3, $4)
                          ORDER BY applied_at DESC, loan_id DESC
                          LIMIT $5) AS m ON true
     ORDER BY m.applied_at DESC, m.loan_id DESC
"""

# Newest first: the index of times, read backwards.
READ_PROPOSALS: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           m.*
      FROM (VALUES (1)) AS one
      LEFT JOIN LATERAL (SELECT * FROM proposals
                          WHERE (submitted_at, proposal_id) < ($2, $3)
                          ORDER BY submitted_at DESC, proposal_id DESC
                          LIMIT $4) AS m ON true
     ORDER BY m.submitted_at DESC, m.proposal_id DESC
"""

# After every time, and after every id: those are ASCII.
_NEWEST: Final = (2**63 - 1, "\x7f")


class LoanQueries(Answering):
    """Answers the queries of the areas loans and governance."""

    async def loan(self, loan_id: LoanId) -> Answer:
        """Return one loan."""
        return await self.one_or_none(LOANS, loan_id)

    async def user_loans(self, user_id: UserId, *, limit: int, cursor: str | None = None) -> Answer:
        """Return a user's loans, newest first, page by page.

        Raises:
            RefusedError: ARGUMENT_INVALID for a cursor of another list.
        """
        place = _NEWEST if cursor is None else parse_cursor(cursor, _NEWEST)
        rows = await self.pool.fetch(READ_LOANS, self.channel, user_id, *place, limit + 1)
        if not rows[0]["is_known"]:
            return answer_of(rows[0], None)
        return answer_of(rows[0], page_of(LOANS, rows, limit, ("applied_at", "loan_id")))

    async def proposal(self, proposal_id: ProposalId) -> Answer:
        """Return one proposal with its votes so far."""
        return await self.one_or_none(PROPOSALS, proposal_id)

    async def proposals(self, *, limit: int, cursor: str | None = None) -> Answer:
        """Return proposals, newest first, page by page.

        Raises:
            RefusedError: ARGUMENT_INVALID for a cursor of another list.
        """
        place = _NEWEST if cursor is None else parse_cursor(cursor, _NEWEST)
        rows = await self.pool.fetch(READ_PROPOSALS, self.channel, *place, limit + 1)
        key = ("submitted_at", "proposal_id")
        return answer_of(rows[0], page_of(PROPOSALS, rows, limit, key))

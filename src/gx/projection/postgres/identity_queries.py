"""The reads about people's relationships."""

from typing import Final

from gx.domain.identifiers import UserId
from gx.projection.cursors import parse_cursor
from gx.projection.identity_models import RELATIONSHIPS
from gx.projection.ports import Answer
from gx.projection.postgres.answering import Answering, answer_of, page_of

# Either side's index finds them; a person has few enough to be put in order each time.
READ_RELATIONSHIPS: Final = """
    SELECT coalesce((SELECT block_number FROM projection_checkpoints WHERE channel = $1), -1)
               AS at_block,
           EXISTS (SELECT FROM users WHERE user_id = $2) AS is_known,
           m.*
      FROM (VALUES (1)) AS one
      LEFT JOIN LATERAL (SELECT * FROM relationships
                          WHERE (subject_id = $2 OR object_id = $2) AND relationship_id > $3
                          ORDER BY relationship_id LIMIT $4) AS m ON true
     ORDER BY m.relationship_id
"""

_START: Final = ("",)


class IdentityQueries(Answering):
    """Answers the queries of the identity area that are no plain rows."""

    async def relationships(
        self, subject_id: UserId, *, limit: int, cursor: str | None = None
    ) -> Answer:
        """Return a user's relationships, as either side, page by page.

        Raises:
            RefusedError: ARGUMENT_INVALID for a cursor of another list.
        """
        place = _START if cursor is None else parse_cursor(cursor, _START)
        rows = await self.pool.fetch(
            READ_RELATIONSHIPS, self.channel, subject_id, *place, limit + 1
        )
        if not rows[0]["is_known"]:
            return answer_of(rows[0], None)
        return answer_of(rows[0], page_of(RELATIONSHIPS, rows, limit, ("relationship_id",)))

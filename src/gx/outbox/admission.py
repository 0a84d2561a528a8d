"""Whether there is room for one more command: no, once what waits is too old.

Refusing early keeps the wait of accepted commands bounded; growing the queue would not make
the ledger any faster.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Final

import structlog

from gx.outbox.ports import Backlog, BacklogFullError, CommandInbox

_log: Final = structlog.get_logger(__name__)

FRESH_S: Final = 0.25
"""How long one look at the backlog serves every request."""

USABLE_S: Final = 1.0
"""How old a look may be while a newer one is under way."""

RETRY_AFTER_MAX_S: Final = 30


class Admission:
    """Refuses commands while the oldest waiting one is older than `age_max_s`."""

    def __init__(
        self, inbox: CommandInbox, *, age_max_s: float, monotonic_s: Callable[[], float]
    ) -> None:
        self._inbox = inbox
        self._age_max_ms = age_max_s * 1000
        self._monotonic_s = monotonic_s
        self._backlog = Backlog(pending=0, oldest_age_ms=0)
        self._looked_at_s = -math.inf
        self._look: asyncio.Task[None] | None = None

    async def require_room(self) -> None:
        """Return if a command may be stored.

        A database that cannot be asked refuses nothing here: storing will tell.

        Raises:
            BacklogFullError: What waits is too old; it says when to come back.
        """
        age_s = self._monotonic_s() - self._looked_at_s
        if age_s > FRESH_S and self._look is None:
            self._look = asyncio.create_task(self._look_again())
        if age_s > USABLE_S and self._look is not None:
            await asyncio.shield(self._look)
        excess_ms = self._backlog.oldest_age_ms - self._age_max_ms
        if excess_ms > 0:
            raise BacklogFullError(
                oldest_age_ms=self._backlog.oldest_age_ms,
                retry_after_s=min(RETRY_AFTER_MAX_S, math.ceil(excess_ms / 1000)),
            )

    async def _look_again(self) -> None:
        try:
            self._backlog = await self._inbox.backlog()
        except Exception as error:  # noqa: BLE001 (storing will tell, with the right answer)
            _log.warning("backlog_unknown", error=error)
            self._backlog = Backlog(pending=0, oldest_age_ms=0)
        finally:
            self._looked_at_s = self._monotonic_s()
            self._look = None

"""What the deliveries of one term of office share."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from gx.database.ports import DatabaseUnavailableError, Lease, LeaseLostError
from gx.domain.clock import Clock
from gx.domain.identifiers import CommandId
from gx.ledger.breaker import BreakingLedger
from gx.outbox.accounts import Accounts
from gx.outbox.options import SubmitterOptions
from gx.outbox.pace import Pace
from gx.outbox.ports import EntryHeldError, OutboxStore
from gx.outbox.scheduling import Batch, Return
from gx.outbox.verdicts import VerdictDesk

_log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A command's failures in a row while the ledger answered, and the waits after them."""

    tries: int = 0
    waited_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Workplace:
    """What the deliveries of one term of office share.

    `release` takes a batch out of flight and `set_aside` lets the calling task stay without taking
    up room; both are the term's to set. `troubles` are in memory alone; `is_batching` turns false
    when the chaincode knows no batches.
    """

    lease: Lease
    store: OutboxStore
    ledger: BreakingLedger
    desk: VerdictDesk
    accounts: Accounts
    clock: Clock
    options: SubmitterOptions
    pace: Pace
    release: Callable[[Batch, Sequence[Return]], None] = lambda _batch, _returning: None
    set_aside: Callable[[], None] = lambda: None
    is_batching: bool = True
    troubles: dict[CommandId, Trouble] = field(default_factory=dict)

    def delay_s(self, tries: int) -> float:
        """Draw the wait after so many failures."""
        return self.options.retry.delay_s(tries, self.options.random)

    async def write(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write to the outbox, again and again until it is done.

        Raises:
            LeaseLostError: Somebody else is active; nothing was written.
            EntryHeldError: What was in memory is not what is stored.
        """
        tries = 0
        while True:
            try:
                return await write()
            except (LeaseLostError, EntryHeldError):
                raise
            except DatabaseUnavailableError as error:
                _log.warning("outbox_write_delayed", error=error)
            except Exception:  # noqa: BLE001 (giving up would lose an answer; it is logged each time)
                _log.exception("outbox_write_failed")
            tries += 1
            await asyncio.sleep(self.delay_s(tries))

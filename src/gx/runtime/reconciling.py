"""What `gx reconcile` compares, opened: the ledger in use, the database, and the ledger's file."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from gx.database.lease_keeper import LeaseKeeper
from gx.database.leases import PostgresLeases
from gx.database.pool import Pool, PoolSettings
from gx.database.ports import LeaseLostError
from gx.domain.differences import Difference, DifferenceKind
from gx.domain.errors import GxError
from gx.ledger.kinds import LedgerKind
from gx.ledger.local.schema import FILE_NAME
from gx.ledger.local.verify import verify_ledger
from gx.ledger.ports import BlockSource
from gx.outbox.comparison import AnswerBook
from gx.outbox.postgres.comparing import Declaration, PostgresAnswerBook
from gx.projection.ports import ReadModelStore
from gx.projection.postgres.replica import PostgresReplica
from gx.projection.postgres.store import PostgresReadModelStore
from gx.projection.replica import Replica
from gx.runtime.inspection import database_dsn, ledger_folder, ledger_kind, open_client
from gx.runtime.processes.backend import holder_name
from gx.runtime.settings import CommonSettings, load

__all__ = ["Declaration"]

LEASE_S: Final = 30.0
STATEMENT_S: Final = 300.0
"""A table's index may take that long; whoever waits for a person can wait for a statement."""


class AlreadyComparingError(GxError):
    """Somebody else compares the same channel now."""


@contextlib.asynccontextmanager
async def open_sides(
    declaration: Declaration | None,
) -> AsyncIterator[tuple[BlockSource, ReadModelStore, Replica, AnswerBook]]:
    """Yield ledger, live read models, replica and the outbox's record, for one comparison.

    Raises:
        AlreadyComparingError: somebody else compares.
        LeaseLostError: the database was away for too long.
        DatabaseUnavailableError: it cannot be had.
    """
    channel = load(CommonSettings).channel
    settings = PoolSettings(
        dsn=database_dsn(),
        application_name="gx-reconcile",
        connections_max=4,
        statement_timeout_s=STATEMENT_S,
        idle_in_transaction_timeout_s=STATEMENT_S,
    )
    async with contextlib.AsyncExitStack() as stack:
        ledger, leases = open_client(), PostgresLeases(settings)
        stack.push_async_callback(ledger.close)
        stack.push_async_callback(leases.close)
        pool = await Pool.open(settings)
        stack.push_async_callback(pool.close)
        await stack.enter_async_context(_alone(leases, channel))
        yield (
            ledger,
            PostgresReadModelStore(pool, channel=channel),
            PostgresReplica(pool, channel=channel),
            PostgresAnswerBook(pool, declaration=declaration),
        )


@contextlib.asynccontextmanager
async def _alone(leases: PostgresLeases, channel: str) -> AsyncIterator[None]:
    """Hold the lease of the replica; the block is cancelled if it is lost."""
    lease = await leases.acquire(f"reconcile:{channel}", holder_name(), ttl_s=LEASE_S)
    if lease is None:
        raise AlreadyComparingError(
            f"the read models of {channel} are being compared already; a comparison that was "
            f"killed is forgotten after {LEASE_S:.0f} s"
        )
    this_task = asyncio.current_task()
    keeping = asyncio.create_task(LeaseKeeper(leases, lease, lease_s=LEASE_S).run())
    is_over = False

    def lost(_: object) -> None:
        if not is_over and this_task is not None:
            this_task.cancel()

    keeping.add_done_callback(lost)
    try:
        yield
    except asyncio.CancelledError:
        if keeping.done() and not keeping.cancelled():
            raise LeaseLostError("the lease of the comparison was lost: start it again") from None
        raise
    finally:
        is_over = True
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        with contextlib.suppress(GxError):
            await leases.release(lease)


def ledger_check() -> Callable[[Callable[[str], None]], Difference | None] | None:
    """Return how to check the local ledger's file; None for Fabric, or where it is not at hand.

    A client of Fabric checks the hashes of the blocks that it reads, and peers their own state.
    """
    if ledger_kind() is not LedgerKind.LOCAL:
        return None
    folder = ledger_folder()
    if not (folder / FILE_NAME).is_file():
        return None

    def check(tell: Callable[[str], None]) -> Difference | None:
        report = verify_ledger(
            folder, progress=lambda done, of: tell(f"the ledger's block {done} of {of} ...")
        )
        if report.difference is None:
            return None
        defect = report.difference.defect
        return Difference(
            kind=DifferenceKind.LEDGER,
            place="ledger",
            key=report.difference.where,
            column=defect.what,
            ledger=defect.recomputed,
            stored=defect.stored,
        )

    return check

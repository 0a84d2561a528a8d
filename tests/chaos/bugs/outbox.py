"""Bugs of the write side: the edge's and the submitter's."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import asyncpg
import structlog

from gx.database.lease_keeper import LeaseKeeper
from gx.database.ports import DatabaseUnavailableError
from gx.domain.identifiers import BlockNumber
from gx.ledger.ports import Envelope, ValidationCode, Verdict
from gx.outbox.delivery import Delivery
from gx.outbox.pending import PendingReader
from gx.outbox.ports import Acceptance, AcceptanceKind, Entry
from gx.outbox.postgres import inbox, store
from gx.outbox.resolution import Resolution
from gx.outbox.retry import Decision, Split
from gx.outbox.workplace import Workplace
from tests.chaos.bugs.replacing import replace, replace_text

_log: Final = structlog.get_logger(__name__)
_EPOCH_NOW: Final = "(SELECT epoch FROM leases WHERE name = $1 AND $2::bigint > 0)"
_NO_ID: Final = "00000000-0000-0000-0000-000000000000"


def no_fence() -> None:
    """Who was active once goes on: no statement asks under which epoch, and nobody looks again."""

    async def run(_: LeaseKeeper) -> None:
        await asyncio.Event().wait()

    replace(LeaseKeeper, "run", run)
    for name in ("PERSIST", "SETTLE", "ABANDON", "POSTPONE", "BURY"):
        replace_text(store, name, "$2", _EPOCH_NOW)


def late_envelope() -> None:
    """The envelope is stored once it has been submitted, and not before."""
    original = Delivery._persist

    async def persist(self: Delivery, envelope: Envelope) -> Envelope | None:
        await self._place.ledger.submit(envelope)
        return await original(self, envelope)

    replace(Delivery, "_persist", persist)


def silence_is_no() -> None:
    """A transaction without a verdict in time counts as invalid, and is endorsed anew."""
    original = Resolution._try_once

    async def try_once(self: Resolution, tries: int) -> Verdict:
        return await original(self, tries) or Verdict(
            transaction_id=self._envelope.transaction_id,
            validation_code=ValidationCode.MVCC_READ_CONFLICT,
            block_number=BlockNumber(0),
            event=None,
        )

    replace(Resolution, "_try_once", try_once)


def written_once() -> None:
    """An answer that the database did not take is not written again."""

    async def write(self: Workplace, write: Callable[[], Awaitable[None]]) -> None:  # noqa: ARG001 (a method)
        try:
            await write()
        except DatabaseUnavailableError as error:
            _log.warning("outbox_write_given_up", error=error)

    replace(Workplace, "write", write)


def cursor_of_ids() -> None:
    """What is new is what has a greater id than everything before."""
    replace_text(store, "PENDING", "seq > $1 AND", "command_id > $1::text::uuid AND")
    replace_text(store, "PENDING", "ORDER BY seq LIMIT", "ORDER BY command_id LIMIT")
    newest = _NO_ID

    async def pending(
        self: store.PostgresOutboxStore, *, after_seq: int, limit: int
    ) -> Sequence[Entry]:
        nonlocal newest
        assert after_seq >= 0  # and of no use here
        rows = await self._pool.fetch(store.PENDING, newest, limit)
        newest = max([newest, *(row["command_id"] for row in rows)])
        return [store._entry_of(row) for row in rows]

    replace(store.PostgresOutboxStore, "pending", pending)


def counted_notifications() -> None:
    """Each notification is taken for one command that has been read."""
    original = PendingReader.wake_up

    def wake_up(self: PendingReader) -> None:
        original(self)
        self._watermark += 1
        _log.info("command_counted", watermark=self._watermark)

    async def rescan(self: PendingReader) -> None:
        self._rescanned_at_s = asyncio.get_running_loop().time()

    replace(PendingReader, "wake_up", wake_up)
    replace(PendingReader, "_rescan", rescan)


def buried_together() -> None:
    """A batch in which one command fails for good is given up as a whole."""
    original = Delivery._act

    async def act(self: Delivery, decision: Decision, error: Exception, *, is_outage: bool) -> None:
        if not isinstance(decision, Split):
            return await original(self, decision, error, is_outage=is_outage)
        for entry in self._entries:
            await self._bury(entry, "in a batch that failed")
        return self._place.release(self._batch, ())

    replace(Delivery, "_act", act)


def early_answer() -> None:
    """A command counts as accepted when it was sent to the database."""
    original = inbox.PostgresCommandInbox._store_group

    async def store_group(
        self: inbox.PostgresCommandInbox, rows: Sequence[inbox._Row]
    ) -> Sequence[Acceptance]:
        try:
            return await original(self, rows)
        except (DatabaseUnavailableError, asyncpg.PostgresError) as error:
            _log.warning("acceptance_failed", error=error)
        return [Acceptance(kind=AcceptanceKind.NEW, command_id=row[0]) for row in rows]

    replace(inbox.PostgresCommandInbox, "_store_group", store_group)

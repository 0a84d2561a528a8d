"""What operators look at directly: the local ledger's file, its blocks, and the database.

Without settings of their own these are the local stack's, found in its folder.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

from gx.database.cluster import DATABASE, OWNER
from gx.domain.batches import parse_events
from gx.domain.codec import JsonObject
from gx.domain.identifiers import BlockNumber
from gx.ledger.local.client import LocalLedger
from gx.ledger.local.listing import BlockSummary, list_blocks
from gx.ledger.local.verify import VerifyReport, verify_ledger
from gx.ledger.ports import event_transactions
from gx.runtime.local_stack import POSTGRES
from gx.runtime.settings import LedgerSettings, SettingsError, load, load_database
from gx.runtime.stack import stack_folder

__all__ = ["BlockSummary", "VerifyReport"]

BLOCK_TIMEOUT_S: Final = 10.0


def ledger_folder() -> Path:
    """Return where the local ledger's file is: `GX_LEDGER_FOLDER`, or the stack's."""
    settings = load(LedgerSettings)
    is_named = "folder" in settings.model_fields_set
    return settings.folder if is_named else stack_folder().root / "ledger"


def ledger_socket() -> Path:
    """Return where the local ledger listens: `GX_LEDGER_SOCKET`, or the stack's."""
    settings = load(LedgerSettings)
    is_named = "socket" in settings.model_fields_set
    return settings.socket if is_named else stack_folder().root / "run" / "ledger.sock"


def database_dsn() -> str:
    """Return the database's address: the settings', or the running local stack's.

    Raises:
        SettingsError: neither names one.
    """
    try:
        return load_database().dsn.get_secret_value()
    except SettingsError:
        dsn = _stack_dsn()
        if dsn is None:
            raise
        return dsn


def _stack_dsn() -> str | None:
    folder = stack_folder()
    state = folder.read() if folder.is_running() else None
    password = folder.root / POSTGRES / "password"
    ports = [
        port
        for item in (state.items if state else ())
        if item.name == POSTGRES
        for port in item.ports
    ]
    if state is not None and not ports:
        raise SettingsError(
            f"the stack on {folder.root} uses the database that DATABASE_URL named when it "
            "started: set DATABASE_URL to the same here"
        )
    if not ports or not password.is_file():
        return None
    secret = password.read_text(encoding="utf-8").strip()
    return f"postgresql://{OWNER}:{secret}@127.0.0.1:{ports[0]}/{DATABASE}"


def verify(progress: Callable[[int, int], None] | None = None) -> VerifyReport:
    """Recompute the local ledger from block 0."""
    return verify_ledger(ledger_folder(), progress=progress)


def blocks(*, first: int | None, limit: int) -> Sequence[BlockSummary]:
    """Summarise blocks of the local ledger."""
    return list_blocks(ledger_folder(), first=first, limit=limit)


class LedgerEvents:
    """Reads the events of the local ledger's blocks, over its socket."""

    def __init__(self, ledger: LocalLedger) -> None:
        self._ledger = ledger

    async def events_of(self, block_number: BlockNumber) -> Sequence[JsonObject]:
        """Return the block's domain events, in order."""
        stream = self._ledger.blocks(block_number)
        try:
            async with asyncio.timeout(BLOCK_TIMEOUT_S):
                block = await anext(stream)
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        return [
            event
            for transaction in event_transactions(block)
            if transaction.event is not None
            for event in parse_events(transaction.event.name, transaction.event.payload)
        ]


@contextlib.asynccontextmanager
async def open_events() -> AsyncIterator[LedgerEvents | None]:
    """Yield the local ledger's events; None where no local ledger listens."""
    socket = ledger_socket()
    if not socket.exists():
        yield None
        return
    ledger = LocalLedger(socket)
    try:
        yield LedgerEvents(ledger)
    finally:
        await ledger.close()

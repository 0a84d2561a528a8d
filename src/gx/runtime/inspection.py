"""What operators look at directly: the ledger's blocks, the local one's file, and the database.

Without settings of their own these are the local stack's, found in its folder.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gx.database.cluster import DATABASE, OWNER
from gx.domain.batches import parse_events
from gx.domain.codec import JsonObject
from gx.domain.errors import GxError
from gx.domain.identifiers import BlockNumber
from gx.ledger.kinds import LedgerKind
from gx.ledger.local.client import LocalLedger
from gx.ledger.local.listing import BlockSummary, list_blocks
from gx.ledger.local.verify import VerifyReport, verify_ledger
from gx.ledger.ports import BlockSource, Ledger, event_transactions
from gx.runtime.fabric_settings import FabricSettings
from gx.runtime.ledgers import open_fabric
from gx.runtime.settings import (
    CommonSettings,
    LedgerSettings,
    SettingsError,
    load,
    load_database,
)
from gx.runtime.stack import LEDGER, POSTGRES, stack_folder

if TYPE_CHECKING:
    from gx.ledger.fabric.verify import ChannelReport

__all__ = ["BlockSummary", "VerifyReport"]

BLOCK_TIMEOUT_S: Final = 10.0


class NoLedgerFileError(GxError):
    """The ledger in use is Fabric's: its file is with its peers, and they check it themselves."""

    def __init__(self) -> None:
        super().__init__(
            "this looks at the embedded ledger's file, but the ledger in use is Fabric's: every "
            "client checks the hashes of the blocks that it reads, and `gx fabric preflight` "
            "checks the channel"
        )


def ledger_kind() -> LedgerKind:
    """Return which ledger is in use: `GX_LEDGER`, or the running stack's."""
    common = load(CommonSettings)
    if "ledger" in common.model_fields_set:
        return common.ledger
    folder = stack_folder()
    state = folder.read() if folder.is_running() else None
    is_local = state is None or any(item.name == LEDGER for item in state.items)
    return LedgerKind.LOCAL if is_local else LedgerKind.FABRIC


def fabric_profile() -> Path:
    """Return where the connection profile is: `GX_FABRIC_PROFILE`, or the stack's."""
    settings = load(FabricSettings)
    is_named = "profile" in settings.model_fields_set
    return settings.profile if is_named else stack_folder().root / "fabric" / "profile.json"


def open_client() -> Ledger:
    """Make a client of the ledger in use, to be closed by the caller.

    Raises:
        GxError: it is Fabric's, and the connection profile cannot be used.
    """
    if ledger_kind() is LedgerKind.FABRIC:
        return open_fabric(load(CommonSettings), fabric_profile())
    return LocalLedger(ledger_socket())


def ledger_folder() -> Path:
    """Return where the local ledger's file is: `GX_LEDGER_FOLDER`, or the stack's.

    Raises:
        NoLedgerFileError: the ledger in use is Fabric's.
    """
    if ledger_kind() is LedgerKind.FABRIC:
        raise NoLedgerFileError
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


def verify(progress: Callable[[int, int], None]) -> "VerifyReport | ChannelReport":
    """Check the ledger in use from block 0: the local one's whole file, or a Fabric channel."""
    if ledger_kind() is LedgerKind.FABRIC:
        return asyncio.run(_verify_channel(progress))
    return verify_ledger(ledger_folder(), progress=progress)


async def _verify_channel(progress: Callable[[int, int], None]) -> "ChannelReport":
    from gx.ledger.fabric.verify import verify_channel  # noqa: PLC0415 (an extra)

    ledger = open_fabric(load(CommonSettings), fabric_profile())
    try:
        return await verify_channel(ledger, progress=progress)
    finally:
        await ledger.close()


def blocks(*, first: int | None, limit: int) -> Sequence[BlockSummary]:
    """Summarise blocks of the local ledger."""
    return list_blocks(ledger_folder(), first=first, limit=limit)


class LedgerEvents:
    """Reads the events of the ledger's blocks."""

    def __init__(self, ledger: BlockSource) -> None:
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
    """Yield the ledger's events; None where the ledger cannot be reached from here."""
    is_fabric = ledger_kind() is LedgerKind.FABRIC
    way = fabric_profile() if is_fabric else ledger_socket()
    if not way.exists():
        yield None
        return
    ledger = open_client()
    try:
        yield LedgerEvents(ledger)
    finally:
        await ledger.close()

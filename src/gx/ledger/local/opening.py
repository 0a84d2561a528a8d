"""From a folder to a ledger that may be served: one process at a time, its tip checked."""

import fcntl
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from gx.ledger.local.blocks import read_code
from gx.ledger.local.chain import Tip, TornBlockError, check_tip, load_hash, load_tip, walk_blocks
from gx.ledger.local.content import decode_content
from gx.ledger.local.schema import FILE_NAME, StoreUnusableError, open_writer
from gx.ledger.local.store import FlushPolicy, LedgerStore
from gx.ledger.local.world import World
from gx.ledger.ports import ValidationCode

_LOCK_NAME: Final = "ledger.lock"
_ORIGIN_NAME: Final = "ledger.origin"
"""Names the ledger that this folder holds, so that a lost file is not taken for a new one."""
_CACHE_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLedger:
    """A ledger's parts, ready to serve. `replayed` blocks were above the savepoint."""

    path: Path
    store: LedgerStore
    world: World
    signing_key: bytes
    replayed: int


class FolderLock:
    """Keeps a second server away from a ledger's folder, until `release` or the process's end."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            StoreUnusableError: another process serves this folder.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise StoreUnusableError(
                f"another process already serves the ledger in {folder}"
            ) from error

    def release(self) -> None:
        """Let another process serve the folder."""
        os.close(self._file)


def open_ledger(folder: Path, *, verify_blocks: int, policy: FlushPolicy) -> OpenedLedger:
    """Open the ledger of a folder whose lock is held, checking its last `verify_blocks` blocks.

    Raises:
        StoreUnusableError: it cannot be opened, or its end is torn; the text says what to do.
    """
    path = folder / FILE_NAME
    _require_not_lost(folder, path)
    connection = open_writer(path)
    try:
        tip, signing_key = load_tip(connection)
        _require_origin(folder, signing_key)
        check_tip(connection, tip, blocks=verify_blocks)
        world = World(newest=tip.newest, savepoint=tip.savepoint, cache_bytes=_CACHE_BYTES)
        store = LedgerStore(connection, world=world, tip=tip, policy=policy)
        _replay(store, tip, world)
    except BaseException:
        connection.close()
        raise
    return OpenedLedger(
        path=path,
        store=store,
        world=world,
        signing_key=signing_key,
        replayed=tip.newest - tip.savepoint,
    )


def _require_not_lost(folder: Path, path: Path) -> None:
    """Refuse to begin a new chain where there was one: commands would be settled on it."""
    is_there = path.is_file() and path.stat().st_size > 0
    if not is_there and (folder / _ORIGIN_NAME).is_file():
        raise StoreUnusableError(
            f"the ledger's file {path} is lost or empty, and this folder held a ledger: restore "
            f"it from a backup; to begin a new chain on purpose, remove the folder {folder}"
        )


def _require_origin(folder: Path, signing_key: bytes) -> None:
    """Note which ledger the folder holds, and refuse another one in its place."""
    origin = folder / _ORIGIN_NAME
    name = sha256(signing_key).hexdigest()
    if not origin.is_file():
        partial = origin.with_suffix(".partial")
        partial.write_text(name, encoding="ascii")
        partial.replace(origin)
    elif origin.read_text(encoding="ascii") != name:
        raise StoreUnusableError(
            f"{folder} holds the file of another ledger than it did before: put the right one "
            f"back; to accept this one on purpose, remove {origin}"
        )


def _replay(store: LedgerStore, tip: Tip, world: World) -> None:
    """Bring back the pending state: the writes of the blocks above the savepoint."""
    first = tip.savepoint + 1
    previous_hash = load_hash(store.connection, first - 1)
    try:
        for block in walk_blocks(
            store.connection, first, last=tip.newest, previous_hash=previous_hash
        ):
            if read_code(block.metadata) is ValidationCode.VALID:
                world.add(block.number, decode_content(block.content).writes())
    except TornBlockError as error:
        raise StoreUnusableError(
            f"the ledger cannot replay its newest blocks ({error}); it is not served: "
            "run `gx ledger verify`, then restore the folder from a backup"
        ) from error

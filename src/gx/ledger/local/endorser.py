"""Simulates contract functions in threads of their own, each with its own reading connection."""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import Final, TypeVar

from gx.chaincode.executor import Refused
from gx.domain.clock import Clock
from gx.domain.identifiers import TransactionId
from gx.domain.roles import LedgerRole
from gx.ledger.local.content import NONCE_BYTES, seal
from gx.ledger.local.schema import open_reader
from gx.ledger.local.simulation import Call, Execute, RecordingStub
from gx.ledger.local.world import World

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsement:
    """A simulation that went well: the signed envelope and what the function returned."""

    transaction_id: TransactionId
    envelope: bytes
    result: str


class Readers:
    """Threads that read the ledger's file. A thread opens its connection when it first needs it."""

    def __init__(self, path: Path, *, threads: int, name: str) -> None:
        self._path: Final = path
        self._local: Final = local()
        self._opened: Final[list[sqlite3.Connection]] = []
        self._pool: Final = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do some reading in one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: work(self._connection()))

    async def close(self) -> None:
        """Wait for the threads and close their connections."""
        await asyncio.to_thread(self._pool.shutdown)
        for connection in self._opened:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = open_reader(self._path)
            self._local.connection = connection
            self._opened.append(connection)
        return connection


class Endorser:
    """Runs functions on the newest snapshot: to be signed, or for an answer alone."""

    def __init__(
        self,
        *,
        readers: Readers,
        world: World,
        execute: Execute,
        signing_key: bytes,
        clock: Clock,
        timeout_max_s: float,
    ) -> None:
        self._readers: Final = readers
        self._world: Final = world
        self._execute: Final = execute
        self._signing_key: Final = signing_key
        self._clock: Final = clock
        self._timeout_max_s: Final = timeout_max_s

    async def prepare(
        self,
        function: str,
        arguments: tuple[str, ...],
        role: LedgerRole,
        *,
        not_before_ms: int,
        timeout_s: float,
    ) -> Endorsement | Refused:
        """Simulate and sign. The transaction's time is now, but never before the last block's.

        Raises:
            Exception: a defect of the contract, or the store's failure; nothing was recorded.
        """
        call = self._call(function, arguments, role, not_before_ms)
        is_late = self._limit(timeout_s)
        return await self._readers.run(lambda reader: self._endorse(reader, call, is_late))

    async def evaluate(
        self,
        function: str,
        arguments: tuple[str, ...],
        role: LedgerRole,
        *,
        not_before_ms: int,
        timeout_s: float,
    ) -> str | Refused:
        """Run the function for its answer alone.

        Raises:
            Exception: a defect of the contract, or the store's failure.
        """
        call = self._call(function, arguments, role, not_before_ms)
        is_late = self._limit(timeout_s)
        return await self._readers.run(lambda reader: self._answer(reader, call, is_late))

    def _call(
        self, function: str, arguments: tuple[str, ...], role: LedgerRole, not_before_ms: int
    ) -> Call:
        return Call(
            function=function,
            arguments=arguments,
            role=role,
            nonce=secrets.token_bytes(NONCE_BYTES),
            timestamp_ms=max(self._clock.now_ms(), not_before_ms),
        )

    def _limit(self, timeout_s: float) -> Callable[[], bool]:
        deadline_s = time.monotonic() + min(timeout_s, self._timeout_max_s)
        return lambda: time.monotonic() > deadline_s

    def _endorse(
        self, reader: sqlite3.Connection, call: Call, is_late: Callable[[], bool]
    ) -> Endorsement | Refused:
        with self._world.snapshots.hold() as snapshot:
            stub = self._stub(reader, call, snapshot, is_late)
            executed = self._execute(stub, call.function, call.arguments)
            if isinstance(executed, Refused):
                return executed
        return Endorsement(
            transaction_id=stub.transaction_id,
            envelope=seal(stub.encode(), self._signing_key),
            result=executed.payload,
        )

    def _answer(
        self, reader: sqlite3.Connection, call: Call, is_late: Callable[[], bool]
    ) -> str | Refused:
        with self._world.snapshots.hold() as snapshot:
            stub = self._stub(reader, call, snapshot, is_late)
            executed = self._execute(stub, call.function, call.arguments)
        return executed if isinstance(executed, Refused) else executed.payload

    def _stub(
        self, reader: sqlite3.Connection, call: Call, snapshot: int, is_late: Callable[[], bool]
    ) -> RecordingStub:
        return RecordingStub(
            call, world=self._world, connection=reader, snapshot=snapshot, is_late=is_late
        )

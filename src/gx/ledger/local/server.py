"""The ledger's process: one folder, one socket, any number of clients."""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from gx.domain.clock import Clock
from gx.ledger.local.checkpoints import Checkpointer
from gx.ledger.local.committer import Committed, Committer
from gx.ledger.local.endorser import Endorser, Readers
from gx.ledger.local.listening import bind_socket
from gx.ledger.local.opening import FolderLock, OpenedLedger, open_ledger
from gx.ledger.local.sessions import Service, Session
from gx.ledger.local.simulation import Execute
from gx.ledger.local.store import FlushPolicy
from gx.ledger.local.tips import TipBoard
from gx.ledger.local.wire import BUFFER_BYTES, FRAME_BYTES_MAX
from gx.telemetry.instruments import LedgerMetrics

_log: Final = structlog.get_logger(__name__)

# Threads that compute hold the interpreter for this long while others wait. The default of 5 ms
# is paid at every read of a large frame and every SQLite step that meets a running contract.
_SWITCH_INTERVAL_S: Final = 0.0005
# What was made before serving stays; and what serving makes is freed by reference counts, so a
# collection that looks through all of the pending state finds nothing and costs milliseconds.
_COLLECTION_THRESHOLDS: Final = (50_000, 20, 50)
_BACKLOG: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """How a ledger is served. `folder` holds its file, `socket` is where clients find it."""

    folder: Path
    socket: Path
    verify_blocks: int = 64
    """How many of the newest blocks are checked before serving."""
    simulation_threads: int = 4
    simulation_timeout_s: float = 30.0
    read_threads: int = 2
    frame_bytes_max: int = FRAME_BYTES_MAX
    drain_s: float = 10.0
    """How long requests in flight may take once the server is asked to stop."""
    flush: FlushPolicy = field(default_factory=FlushPolicy)


class LedgerServer:
    """A ledger that is being served, from `start` to `close`."""

    def __init__(
        self, options: ServeOptions, *, execute: Execute, clock: Clock, metrics: LedgerMetrics
    ) -> None:
        self._options: Final = options
        self._execute: Final = execute
        self._clock: Final = clock
        self._metrics: Final = metrics
        self._sessions: Final[dict[asyncio.Task[None], Session]] = {}
        self._lock: FolderLock | None = None
        self._parts: _Parts | None = None
        self._listener: asyncio.Server | None = None

    @property
    def problem(self) -> str | None:
        """Say why the ledger is not ready; None when it is."""
        if self._parts is None or self._listener is None:
            return "the ledger is not being served"
        return self._parts.service.committer.problem

    async def start(self) -> None:
        """Open the ledger, check its end, and listen.

        Raises:
            StoreUnusableError: it cannot be served; the text says why and what to do.
        """
        options = self._options
        self._lock = FolderLock(options.folder)
        try:
            listening = await asyncio.to_thread(bind_socket, options.socket)
            try:
                opened = await self._open()
            except BaseException:
                listening.close()
                options.socket.unlink(missing_ok=True)
                raise
        except BaseException:
            self._lock.release()
            raise
        self._parts = self._assemble(opened)
        self._listener = await asyncio.start_unix_server(
            self._accept, sock=listening, backlog=_BACKLOG, limit=BUFFER_BYTES
        )
        _log.info(
            "ledger_opened",
            socket=str(options.socket),
            height=opened.store.tip.height,
            replayed_blocks=opened.replayed,
        )

    async def _open(self) -> OpenedLedger:
        return await asyncio.to_thread(
            open_ledger,
            self._options.folder,
            verify_blocks=self._options.verify_blocks,
            policy=self._options.flush,
        )

    async def close(self) -> None:
        """Finish what is in flight, make it durable, bring the state up to date, let go."""
        if self._listener is None or self._parts is None or self._lock is None:
            return
        self._listener.close()
        with suppress(FileNotFoundError):
            self._options.socket.unlink()
        self._parts.service.tips.close()
        await self._drain_sessions()
        height = self._parts.service.tips.tip.height
        await self._parts.close()
        self._lock.release()
        self._listener = None
        _log.info("ledger_closed", height=height)

    async def _drain_sessions(self) -> None:
        for session in self._sessions.values():
            session.drain()
        if not self._sessions:
            return
        _, late = await asyncio.wait(self._sessions, timeout=self._options.drain_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _assemble(self, opened: OpenedLedger) -> "_Parts":
        options = self._options
        simulating = Readers(opened.path, threads=options.simulation_threads, name="ledger-sim")
        endorser = Endorser(
            readers=simulating,
            world=opened.world,
            execute=self._execute,
            signing_key=opened.signing_key,
            clock=self._clock,
            timeout_max_s=options.simulation_timeout_s,
        )
        committer = Committer(opened.store, signing_key=opened.signing_key, observe=self._observe)
        service = Service(
            endorser=endorser,
            committer=committer,
            reading=Readers(opened.path, threads=options.read_threads, name="ledger-read"),
            tips=TipBoard(opened.store.tip, opened.store.genesis_hash),
            metrics=self._metrics,
            frame_bytes_max=options.frame_bytes_max,
        )
        self._measure(opened, service.tips)
        committer.start()
        checkpointer = Checkpointer(opened.path)
        checkpointer.start()
        return _Parts(
            opened=opened, simulating=simulating, service=service, checkpointer=checkpointer
        )

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task that `close` waits for."""
        if self._parts is None:
            writer.close()
            return
        session = Session(reader, writer, service=self._parts.service)
        task = asyncio.create_task(session.run())
        self._sessions[task] = session
        task.add_done_callback(self._sessions.pop)

    def _observe(self, committed: Committed) -> None:
        """Count a group and wake the streams."""
        if self._parts is None:
            return
        blocks = []
        for recorded in committed.recorded:
            if recorded.block is not None:
                self._metrics.transactions(recorded.code.value).inc()
                blocks.append(recorded.block)
        self._metrics.commit_duration_s.observe(committed.duration_s)
        if blocks:
            self._metrics.last_block_at_s.set(self._clock.now_ms() / 1000)
        self._parts.service.tips.advance(committed.tip, committed.genesis_hash, blocks)

    def _measure(self, opened: OpenedLedger, tips: TipBoard) -> None:
        """Say what can be read at any moment; what happens is counted as it happens."""
        metrics = self._metrics
        files = [opened.path, opened.path.with_name(opened.path.name + "-wal")]
        metrics.block_height.read_with(lambda: tips.tip.height)
        metrics.state_keys.read_with(lambda: tips.tip.state_keys)
        metrics.store_bytes.read_with(
            lambda: sum(path.stat().st_size for path in files if path.exists())
        )
        if tips.tip.height:
            metrics.last_block_at_s.set(tips.tip.newest_timestamp_ms / 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    opened: OpenedLedger
    simulating: Readers
    service: Service
    checkpointer: Checkpointer

    async def close(self) -> None:
        """End the threads, readers first so that no snapshot holds the last flush back."""
        await self.simulating.close()
        await self.service.reading.close()
        await self.service.committer.close()
        await self.checkpointer.close()
        self.opened.store.connection.close()


async def serve(
    options: ServeOptions,
    *,
    execute: Execute,
    clock: Clock,
    metrics: LedgerMetrics,
    stop: asyncio.Event,
    on_ready: Callable[[LedgerServer], Awaitable[None]] | None = None,
) -> None:
    """Serve a ledger until `stop` is set, then drain. Tunes the interpreter for a ledger's work.

    `on_ready` gets the server once it listens; its `problem` is what `/readyz` asks.

    Raises:
        StoreUnusableError: the ledger cannot be served; the text says why and what to do.
    """
    _tune_interpreter()
    server = LedgerServer(options, execute=execute, clock=clock, metrics=metrics)
    await server.start()
    try:
        if on_ready is not None:
            await on_ready(server)
        await stop.wait()
    finally:
        await server.close()


def _tune_interpreter() -> None:
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTION_THRESHOLDS)

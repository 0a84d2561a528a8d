"""A real edge over memory, served on a free port, behind which a tiny ledger answers at once."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from gx.domain.batches import OutcomeKind
from gx.domain.refusals import RefusalCode
from tests.api.parts import Backend, build_backend

TICK_S = 0.005


@dataclass
class ServedEdge:
    """The edge's address, what stands behind it, and what its ledger refuses by command type."""

    url: str
    backend: Backend
    keys_folder: Path
    refusals: dict[str, RefusalCode] = field(default_factory=dict)
    buries: set[str] = field(default_factory=set)
    is_answering: bool = True

    async def answer_for_ever(self) -> None:
        """Settle whatever waits, until cancelled."""
        while True:
            for command_id, waiting in list(self.backend.outbox.waiting.items()):
                if not self.is_answering:
                    break
                kind = waiting.entry.command_type
                code = self.refusals.get(kind)
                if kind in self.buries:
                    await self.backend.bury(command_id)
                elif code is not None:
                    await self.backend.settle(command_id, outcome=OutcomeKind.REJECTED, code=code)
                else:
                    await self.backend.settle(command_id)
                self.backend.project()
            await asyncio.sleep(TICK_S)


@contextmanager
def served_edge(folder: Path) -> Iterator[ServedEdge]:
    """Serve from a thread with its own event loop, for as long as the block lasts."""
    backend = build_backend(folder)
    backend.clock.ms = time.time_ns() // 1_000_000  # tokens are made by the real clock
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    edge = ServedEdge(url=url, backend=backend, keys_folder=folder)
    config = uvicorn.Config(backend.app, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)

    async def serve() -> None:
        answering = asyncio.create_task(edge.answer_for_ever())
        await server.serve(sockets=[listener])
        answering.cancel()
        with suppress(asyncio.CancelledError):
            await answering

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield edge
    finally:
        server.should_exit = True
        thread.join()

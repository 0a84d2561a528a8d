"""A projector at work in a test, with its metrics at hand."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gx.database.ports import Leases
from gx.domain.events import EVENTS
from gx.ledger.ports import BlockSource
from gx.projection.ports import ReadModelStore
from gx.projection.projector import Projector
from gx.projection.settings import ProjectionSettings
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Heartbeat
from gx.telemetry.instruments import ProjectorMetrics, build_projector_metrics
from tests.projection.clocks import StoppedClock

CHANNEL = "gxchannel"
PATIENCE_S = 60.0


def some_metrics() -> ProjectorMetrics:
    """Build a projector's instruments."""
    return build_projector_metrics(MetricsRegistry(), event_types=EVENTS, channel=CHANNEL)


@dataclass
class Bench:
    """One projector with what it works on. `task` runs it."""

    source: BlockSource
    store: ReadModelStore
    leases: Leases
    holder: str = "first"
    lease_s: float = 1.0
    chunk_blocks_max: int = 500
    clock: StoppedClock = field(default_factory=StoppedClock)
    metrics: ProjectorMetrics = field(default_factory=some_metrics)
    heartbeat: Heartbeat = field(default_factory=lambda: Heartbeat("projector", deadline_s=5))
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def projector(self) -> Projector:
        """Build the projector."""
        return Projector(
            source=self.source,
            store=self.store,
            leases=self.leases,
            clock=self.clock,
            metrics=self.metrics,
            heartbeat=self.heartbeat,
            settings=ProjectionSettings(
                channel=CHANNEL,
                holder=self.holder,
                lease_s=self.lease_s,
                chunk_blocks_max=self.chunk_blocks_max,
                reconcile_s=0.05,
            ),
        )

    async def reaches(self, block_number: int) -> None:
        """Wait until the store's checkpoint is this block."""

        async def is_there() -> bool:
            return (await self.store.checkpoint()).block_number >= block_number

        await eventually(is_there)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """Run the projector for the length of an `async with`, then stop it in good order."""
        task = asyncio.create_task(self.projector().run(self.stop))
        try:
            yield task
        finally:
            self.stop.set()
            await asyncio.wait_for(asyncio.wait([task]), PATIENCE_S)
        if not task.cancelled():
            task.result()


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not await holds():
        assert time.monotonic() < deadline_s, "it never came to hold"
        await asyncio.sleep(0.01)


async def is_so(value: bool) -> bool:  # noqa: FBT001 - a condition
    """Make a condition of what can be told at once."""
    return value


async def is_stopped(store: ReadModelStore) -> bool:
    """Tell whether the projection stands still at an event."""
    return await store.stop() is not None

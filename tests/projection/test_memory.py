"""The in-memory store keeps the port's promises."""

from collections.abc import AsyncIterator

from typing_extensions import override

from gx.database.leases import MemoryLeases
from gx.database.ports import Leases
from gx.projection.memory import MemoryReadModelStore
from gx.projection.ports import ReadModelStore
from tests.conformance.projection import ReadModelStoreConformance
from tests.projection.clocks import StoppedClock


class TestMemoryReadModelStore(ReadModelStoreConformance):
    """`MemoryReadModelStore` is a ReadModelStore."""

    @override
    async def open_store(self) -> AsyncIterator[tuple[ReadModelStore, Leases]]:
        leases = MemoryLeases(StoppedClock())
        yield MemoryReadModelStore(leases), leases

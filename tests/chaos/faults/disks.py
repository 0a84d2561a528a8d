"""Disks with no room left."""

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.kind import Declaration, FaultKind


class DiskFull(FaultKind):
    """Not a byte more."""

    declaration: ClassVar = Declaration(
        name="disk-full",
        does="the disk of PostgreSQL, or of the embedded ledger, has no room left",
        targets={LedgerKind.LOCAL: ("postgres", "ledger"), LedgerKind.FABRIC: ("postgres",)},
        duration_s=(0.8, 2.0),
        weight=2,
    )

    @override
    async def make(self) -> None:
        await self.stage.disks[self.fault.target].fill()

    @override
    async def mend(self) -> Sequence[str]:
        await self.stage.disks[self.fault.target].free()
        return ()

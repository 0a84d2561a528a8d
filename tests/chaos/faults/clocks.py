"""Clocks that jump while everything runs, and jump back."""

from collections.abc import Sequence
from typing import ClassVar, Final

from typing_extensions import override

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.kind import WORKERS, Declaration, FaultImpossibleError, FaultKind

DURATION_S: Final = (0.8, 2.0)
POSTGRES: Final = "postgres"
"""Commands are in the order of its clock, for whoever reads them later: it is never set back."""


class _ClockMoved(FaultKind):
    """A process, or both of a kind, whose clock is wrong for a while."""

    sign: ClassVar[float]

    @override
    async def make(self) -> None:
        if not self.stage.clocks.is_movable(self.fault.target):
            raise FaultImpossibleError("PostgreSQL's clock needs libfaketime, which apt has")
        self.stage.clocks.move(self.fault.target, self.sign * self.fault.amount)

    @override
    async def mend(self) -> Sequence[str]:
        if self.fault.target != POSTGRES:
            self.stage.clocks.move(self.fault.target, -self.sign * self.fault.amount)
        return ()


class ClockForward(_ClockMoved):
    """Everybody's; PostgreSQL's stays ahead."""

    declaration: ClassVar = Declaration(
        name="clock-forward",
        does="a process's clock is ahead by the amount in s, and then right again",
        targets={
            LedgerKind.LOCAL: (*WORKERS, "api", "ledger", POSTGRES),
            LedgerKind.FABRIC: (*WORKERS, "api", POSTGRES),
        },
        duration_s=DURATION_S,
        amounts=(5, 60, 600),
    )
    sign = 1.0


class ClockBackward(_ClockMoved):
    """Everybody's but PostgreSQL's."""

    declaration: ClassVar = Declaration(
        name="clock-backward",
        does="a process's clock is behind by the amount in s, and then right again",
        targets={
            LedgerKind.LOCAL: (*WORKERS, "api", "ledger"),
            LedgerKind.FABRIC: (*WORKERS, "api"),
        },
        duration_s=DURATION_S,
        amounts=(3, 20),
    )
    sign = -1.0

"""Processes that die, that stand still, and a database that is restarted."""

import asyncio
import signal
from collections.abc import Sequence
from typing import ClassVar, Final

from typing_extensions import override

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.kind import LEASE_S, NODES, WORKERS, Declaration, FaultKind

LOOP: Final = (*WORKERS, "api", "postgres")
EVERYBODY: Final = {LedgerKind.LOCAL: (*LOOP, "ledger"), LedgerKind.FABRIC: (*LOOP, *NODES)}
FAST, IMMEDIATE = 1.0, 2.0


class Kill(FaultKind):
    """SIGKILL."""

    declaration: ClassVar = Declaration(
        name="kill",
        does="kill -9 of a process and all its children",
        targets=EVERYBODY,
        weight=3,
    )

    @override
    async def make(self) -> None:
        await self.stage.send(self.fault.target, signal.SIGKILL)


class _Frozen(FaultKind):
    """SIGSTOP, and SIGCONT to the very same processes."""

    @override
    async def make(self) -> None:
        self._stopped = await self.stage.send(self.fault.target, signal.SIGSTOP)

    @override
    async def mend(self) -> Sequence[str]:
        self.stage.wake(self._stopped)
        return ()


class Freeze(_Frozen):
    """A pause that no lease notices."""

    declaration: ClassVar = Declaration(
        name="freeze",
        does="SIGSTOP of a process and all its children, shorter than the lease",
        targets=EVERYBODY,
        duration_s=(0.3, 0.7 * LEASE_S),
        weight=2,
    )


class FreezePastLease(_Frozen):
    """A pause after which the lease is somebody else's."""

    declaration: ClassVar = Declaration(
        name="freeze-past-lease",
        does="SIGSTOP of the active worker, or of what it needs, for longer than the lease",
        targets={
            LedgerKind.LOCAL: (*WORKERS, "postgres", "ledger"),
            LedgerKind.FABRIC: (*WORKERS, "postgres", "orderer", "chaincode-a"),
        },
        duration_s=(1.3 * LEASE_S, 2.2 * LEASE_S),
    )


class RestartPostgres(FaultKind):
    """A shutdown that was asked for, and the supervisor's new start."""

    declaration: ClassVar = Declaration(
        name="restart-postgres",
        does="PostgreSQL shut down (amount 1: fast, 2: immediate) and started again",
        targets=dict.fromkeys(LedgerKind, ("postgres",)),
        amounts=(FAST, IMMEDIATE),
        weight=2,
    )

    @override
    async def make(self) -> None:
        stop = signal.SIGQUIT if self.fault.amount == IMMEDIATE else signal.SIGINT
        before = self.stage.signal_one("postgres", stop)
        async with asyncio.timeout(60):
            while before is not None and self.stage.loop.pid_of("postgres") == before:  # noqa: ASYNC110 (a file has no event)
                await asyncio.sleep(0.05)

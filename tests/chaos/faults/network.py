"""What happens between two processes: every link of the loop leads through a proxy."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final

from typing_extensions import override

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.kind import Declaration, FaultKind
from tests.chaos.proxy import Toxics

TO_DATABASE: Final = ("outbox-submitter-database", "projector-database", "api-database")
TO_LEDGER: Final = ("outbox-submitter-ledger", "projector-ledger")
LINKS: Final = {
    LedgerKind.LOCAL: (*TO_DATABASE, *TO_LEDGER),
    LedgerKind.FABRIC: (*TO_DATABASE, *TO_LEDGER),
}
MILLISECONDS_A_SECOND: Final = 1_000


class _Spoiled(FaultKind):
    """A link with toxics, for a while."""

    @abstractmethod
    def _toxics(self) -> Toxics: ...

    @override
    async def make(self) -> None:
        self._link = await self.stage.link(self.fault.target)
        self._link.spoil(self._toxics())

    @override
    async def mend(self) -> Sequence[str]:
        self._link.heal()
        return ()


class Delay(_Spoiled):
    """Slow answers."""

    declaration: ClassVar = Declaration(
        name="delay",
        does="every chunk that passes, either way, comes later by the amount in ms",
        targets=LINKS,
        duration_s=(0.8, 1.8),
        amounts=(20, 80, 300),
    )

    @override
    def _toxics(self) -> Toxics:
        return Toxics(delay_s=self.fault.amount / MILLISECONDS_A_SECOND)


class LostAnswers(_Spoiled):
    """Done, and nobody told."""

    declaration: ClassVar = Declaration(
        name="lost-answers",
        does="this share of answers is swallowed, its connection cut; the requests had arrived",
        targets=LINKS,
        duration_s=(0.8, 1.8),
        amounts=(0.05, 0.3),
    )

    @override
    def _toxics(self) -> Toxics:
        return Toxics(lost_answers=self.fault.amount)


class LostRequests(_Spoiled):
    """Not done, and nobody told."""

    declaration: ClassVar = Declaration(
        name="lost-requests",
        does="this share of requests is swallowed, its connection cut",
        targets=LINKS,
        duration_s=(0.8, 1.8),
        amounts=(0.05, 0.3),
    )

    @override
    def _toxics(self) -> Toxics:
        return Toxics(lost_requests=self.fault.amount)


class BlackHole(_Spoiled):
    """A machine that vanished."""

    declaration: ClassVar = Declaration(
        name="black-hole",
        does="what is sent is gone, either way, and at the end those connections are reset",
        targets=LINKS,
        duration_s=(0.6, 2.5),
    )

    @override
    def _toxics(self) -> Toxics:
        return Toxics(is_black_hole=True)


class Partition(_Spoiled):
    """A network that comes back."""

    declaration: ClassVar = Declaration(
        name="partition",
        does="what is sent is held, either way, and arrives when the partition ends",
        targets=LINKS,
        duration_s=(0.6, 3.0),
    )

    @override
    def _toxics(self) -> Toxics:
        return Toxics(is_held=True)


class SlowConsumer(_Spoiled):
    """A reader that cannot keep up."""

    declaration: ClassVar = Declaration(
        name="slow-consumer",
        does="the link passes the amount in kB/s, and its reader holds its sender up",
        targets=LINKS,
        duration_s=(0.8, 1.8),
        amounts=(8, 64),
    )

    @override
    def _toxics(self) -> Toxics:
        return Toxics(bytes_per_s=self.fault.amount * 1_000)


class Refused(_Spoiled):
    """Nobody listens any more."""

    declaration: ClassVar = Declaration(
        name="refused",
        does="every connection of the link is cut and new ones are refused",
        targets=LINKS,
        duration_s=(0.3, 1.5),
    )

    @override
    def _toxics(self) -> Toxics:
        return Toxics(is_closed=True)

    @override
    async def make(self) -> None:
        await super().make()
        self._link.cut()

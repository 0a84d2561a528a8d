"""What every kind of fault declares and does."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.story import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

WORKERS: Final = ("outbox-submitter", "projector")
NODES: Final = ("orderer", "peer-org1", "peer-org2", "chaincode-a")
LEASE_S: Final = 2.0
"""Of the workers on the stage: a pause that is longer makes a standby take over."""


class FaultImpossibleError(Exception):
    """This machine cannot make such a fault; the text says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a kind is: to whom it can happen on which ledger, how long it lasts, how strong it is.

    A kind without a duration is over at once. `weight` says how often each target comes up, beside
    those of other kinds; `amounts` are what the schedule chooses from.
    """

    name: str
    does: str
    targets: Mapping[LedgerKind, Sequence[str]]
    duration_s: tuple[float, float] = (0.0, 0.0)
    amounts: Sequence[float] = ()
    weight: int = 1


class FaultKind(ABC):
    """One fault of a kind, from its making to its mending. Use it once."""

    declaration: ClassVar[Declaration]

    def __init__(self, stage: "Stage", fault: Fault) -> None:
        self.stage: Final = stage
        self.fault: Final = fault

    @abstractmethod
    async def make(self) -> None:
        """Let it happen.

        Raises:
            FaultImpossibleError: this machine cannot.
        """

    async def mend(self) -> Sequence[str]:
        """End it, and say what the system did wrong meanwhile, as far as this kind can tell."""
        return ()

"""Every kind of fault, by name. A new one is a class and a line here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.chaos.faults.clocks import ClockBackward, ClockForward
from tests.chaos.faults.database import CutConnections, DoorsClosed, NotifyStorm
from tests.chaos.faults.disks import DiskFull
from tests.chaos.faults.kind import FaultKind
from tests.chaos.faults.network import (
    BlackHole,
    Delay,
    LostAnswers,
    LostRequests,
    Partition,
    Refused,
    SlowConsumer,
)
from tests.chaos.faults.poison import Poison
from tests.chaos.faults.processes import Freeze, FreezePastLease, Kill, RestartPostgres
from tests.chaos.faults.torn import FlippedByte, TornTail

_ALL: Final[tuple[type[FaultKind], ...]] = (
    Kill,
    Freeze,
    FreezePastLease,
    RestartPostgres,
    CutConnections,
    DoorsClosed,
    NotifyStorm,
    Delay,
    LostAnswers,
    LostRequests,
    BlackHole,
    Partition,
    SlowConsumer,
    Refused,
    DiskFull,
    ClockForward,
    ClockBackward,
    TornTail,
    FlippedByte,
    Poison,
)
KINDS: Final[Mapping[str, type[FaultKind]]] = MappingProxyType(
    {kind.declaration.name: kind for kind in _ALL}
)

"""Counts and times the contract functions that this process runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from gx.chaincode.observing import Ending
from gx.domain.batches import BATCH_FUNCTION
from gx.domain.catalogue import COMMANDS, FUNCTIONS
from gx.telemetry.cells import Counter, Histogram
from gx.telemetry.instruments import ContractHostMetrics

_UNKNOWN: Final = ("other", "other")


def contract_functions() -> list[tuple[str, str]]:
    """List (contract, function) of everything that can be called, the batch included."""
    names = [BATCH_FUNCTION, *(spec.function for spec in COMMANDS.values()), *FUNCTIONS]
    return [_split(name) for name in names]


@dataclass(frozen=True, slots=True)
class _Instruments:
    counters: Mapping[Ending, Counter]
    duration_ms: Histogram


class ContractCalls:
    """Implements `gx.chaincode.observing.CallObserver`.

    A function that does not exist is the caller's invention: it counts as `other`.
    """

    def __init__(self, metrics: ContractHostMetrics) -> None:
        self._unknown: Final = _instruments(metrics, _UNKNOWN)
        self._known: Final = {
            ":".join(pair): _instruments(metrics, pair) for pair in contract_functions()
        }

    def begin(self) -> float:
        """See `CallObserver`."""
        return perf_counter()

    def end(self, function: str, ending: Ending, begun: float) -> None:
        """See `CallObserver`. A command inside a batch takes some 20 µs, this about one."""
        instruments = self._known.get(function, self._unknown)
        instruments.duration_ms.observe((perf_counter() - begun) * 1000)
        instruments.counters[ending].inc()


def _instruments(metrics: ContractHostMetrics, pair: tuple[str, str]) -> _Instruments:
    return _Instruments(
        counters={ending: metrics.calls(*pair, ending.value) for ending in Ending},
        duration_ms=metrics.call_duration_ms(*pair),
    )


def _split(name: str) -> tuple[str, str]:
    contract, _, function = name.partition(":")
    return contract, function

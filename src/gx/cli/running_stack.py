"""The local stack that runs now, as its monitoring is reached."""

from dataclasses import dataclass
from typing import Final

from gx.cli.failures import NotRunningError
from gx.monitoring.live import LOCAL_PROCESSES
from gx.runtime.fabric_network import ORDERER
from gx.runtime.local_stack import VALKEY
from gx.runtime.stack import StackState, stack_folder
from gx.runtime.tools import Program
from gx.telemetry.metric import Condition, Process

_PROCESSES: Final = frozenset(process.value for process in Process)
_HOST: Final = "http://127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStack:
    """Where its monitoring listens, and which conditions of the catalogue hold there."""

    prometheus_url: str
    alertmanager_url: str | None
    processes: tuple[str, ...]
    conditions: frozenset[Condition]


def find_running() -> RunningStack:
    """Return the local stack's addresses.

    Raises:
        NotRunningError: None runs, or it runs without Prometheus.
    """
    state = stack_folder().read()
    prometheus = _port_of(state, Program.PROMETHEUS) if state else None
    if state is None or prometheus is None:
        raise NotRunningError(
            "no local stack with Prometheus runs: start one with `gx up`, or name a --prometheus"
        )
    alertmanager = _port_of(state, Program.ALERTMANAGER)
    return RunningStack(
        prometheus_url=f"{_HOST}:{prometheus}",
        alertmanager_url=f"{_HOST}:{alertmanager}" if alertmanager else None,
        processes=tuple(
            f"{_HOST}:{item.ports[-1]}/metrics"
            for item in state.items
            if item.name in _PROCESSES and item.ports
        ),
        conditions=conditions_of(state),
    )


def conditions_of(state: StackState | None) -> frozenset[Condition]:
    """Return which conditions of the catalogue hold in a stack; none where none runs.

    Certificates are not among them: on one machine the chaincode's server has none.
    """
    names = {item.name for item in state.items} if state else set[str]()
    found = {VALKEY: Condition.REDIS, ORDERER: Condition.FABRIC}
    return frozenset(condition for name, condition in found.items() if name in names)


def exporting_processes(state: StackState | None) -> frozenset[Process]:
    """Return which of our processes should export metrics: Fabric's peers call a chaincode."""
    if Condition.FABRIC not in conditions_of(state):
        return LOCAL_PROCESSES
    return LOCAL_PROCESSES - {Process.LEDGER} | {Process.CHAINCODE}


def _port_of(state: StackState, name: str) -> int | None:
    return next((item.ports[0] for item in state.items if item.name == name and item.ports), None)

"""Cases of the eighteen that are about processes: folds, targets, limits, restarts, pools."""

from collections.abc import Sequence
from typing import Final

from gx.monitoring.alerts import backend
from gx.monitoring.cases.model import (
    OTHER,
    Case,
    Kind,
    Line,
    Trap,
    at_rate,
    at_threshold,
    grow,
    hold,
    line,
    more,
    trap,
)
from gx.monitoring.external import POD_RESTARTS, UP
from gx.monitoring.model import Alert
from gx.monitoring.rules import deployed_targets
from gx.telemetry.catalogue import client_library, every_process, read_path
from gx.telemetry.metric import Metric


def failed_events() -> Sequence[Case]:
    """0.1 a second is 1.5 a sample, over all types."""
    alert, failed = backend.EVENTS_FAIL, read_path.PROJECTOR_EVENTS_FAILED
    return [
        *at_rate(alert, lambda v: [line(failed, v, eventType="CoinsMinted")], over=1.6, under=1.4),
        more(
            alert,
            "several types, each below it",
            [line(failed, grow(1, 20), eventType=name) for name in ("CoinsMinted", "Transferred")],
            (15, 1),
        ),
        trap(alert, Trap.NO_TRAFFIC, [line(failed, hold(70, 20), eventType="x")], (18, 0)),
        trap(
            alert, Trap.COUNTER_RESET, [line(failed, "900x30 0x50", eventType="x")], (9, 0), (15, 0)
        ),
    ]


def _targets(values: str, first: str | None = None) -> list[Line]:
    """Write `up` of every expected target of devnet; the first may have other values, or none."""
    lines = [
        line(UP, values, job=job, service=labels.service, environment="devnet", instance="a:1")
        for job, labels in deployed_targets(["devnet"])
    ]
    return lines if first is None else [*([(lines[0][0], first)] if first else []), *lines[1:]]


def service_down() -> Sequence[Case]:
    """Down, or not there at all; the tested rules expect devnet alone."""
    alert = backend.SERVICE_DOWN
    return [
        Case(alert=alert, kind=Kind.FIRES, lines=_targets(hold(1, 9), hold(0, 9)), checks=[(4, 1)]),
        Case(alert=alert, kind=Kind.SILENT, lines=_targets(hold(1, 9)), checks=[(4, 0)]),
        Case(
            alert=alert,
            kind=Kind.RESOLVES,
            lines=_targets(hold(1, 15), "0x20 1x40"),
            checks=[(4, 1), (8, 0)],
        ),
        more(
            alert, "down for 45 s", _targets(hold(1, 9), "1x8 0 0 0 1x20"), (2, 0), (3, 0), (4, 0)
        ),
        more(alert, "one vanished from the configuration", _targets(hold(1, 9), ""), (4, 1)),
        more(alert, "nothing is scraped", [], (4, len(deployed_targets(["devnet"])))),
        trap(
            alert, Trap.NOT_DEPLOYED, _targets(hold(1, 9)), (8, 0), says="testnet is not expected"
        ),
        trap(
            alert,
            Trap.OTHER_IS_BUSY,
            [
                *_targets(hold(1, 9), ""),
                line(
                    UP,
                    hold(1, 9),
                    namespace=OTHER,
                    job="gx-outbox-submitter",
                    service="outbox-submitter",
                ),
            ],
            (4, 1),
        ),
    ]


def _process(metric: Metric, values: str, instance: str = "a:1") -> Line:
    return line(metric, values, job="gx-projector", instance=instance)


def limits() -> Sequence[Case]:
    """CPU and memory are shares of what the process may use."""
    cpu, memory = backend.HIGH_CPU, backend.HIGH_MEMORY
    cpus = _process(every_process.PROCESS_CPU_LIMIT, hold(2, 40))
    most = _process(every_process.PROCESS_MEMORY_LIMIT, hold(1_000, 40))
    used = client_library.PROCESS_RESIDENT_MEMORY
    return [
        *at_rate(
            cpu,
            lambda v: [cpus, _process(client_library.PROCESS_CPU, v)],
            over=24.3,
            under=23.7,
        ),
        more(
            cpu,
            "one of two CPUs in full is half",
            [cpus, _process(client_library.PROCESS_CPU, grow(15, 20))],
            (18, 0),
        ),
        trap(
            cpu,
            Trap.COUNTER_RESET,
            [cpus, _process(client_library.PROCESS_CPU, "9000+9x30 0+9x50")],
            (9, 0),
            (15, 0),
        ),
        *at_threshold(memory, lambda v: [most, _process(used, v)], over=851, under=850),
        trap(
            memory,
            Trap.UNLIMITED_MEMORY,
            [
                _process(every_process.PROCESS_MEMORY_LIMIT, hold(0, 20)),
                _process(used, hold(9e9, 20)),
            ],
            (15, 0),
        ),
    ]


def restarts() -> Sequence[Case]:
    """Two restarts within 15 minutes, again and again, not one."""
    alert, started = backend.RESTART_LOOP, client_library.PROCESS_START_TIME

    def pod(values: str) -> Line:
        return line(POD_RESTARTS, values, pod="api-1", container="api")

    often = " ".join(f"{count}x23" for count in range(12))
    return [
        Case(alert=alert, kind=Kind.FIRES, lines=[pod(often)], checks=[(30, 1), (45, 1), (60, 1)]),
        Case(alert=alert, kind=Kind.SILENT, lines=[pod("0x40 1x90")], checks=[(15, 0), (20, 0)]),
        Case(
            alert=alert,
            kind=Kind.RESOLVES,
            lines=[pod(f"{often} 11x100")],
            checks=[(60, 1), (92, 0)],
        ),
        more(
            alert,
            "processes that restart where nobody counts containers",
            [_process(started, often)],
            (30, 1),
            (60, 1),
        ),
        more(
            alert,
            "one restart of a process",
            [_process(started, "100x40 800x90")],
            (15, 0),
            (20, 0),
        ),
        trap(alert, Trap.COUNTER_RESET, [pod("30x40 0x90")], (15, 0), (24, 0)),
    ]


def pool() -> Sequence[Case]:
    """Full, of a pool that there is."""
    alert: Alert = backend.POOL_IS_EXHAUSTED
    active, most = every_process.DATABASE_POOL_ACTIVE, every_process.DATABASE_POOL_MAX
    ten = _process(most, hold(10, 40))
    return [
        *at_threshold(alert, lambda v: [ten, _process(active, v)], over=10, under=9),
        trap(
            alert,
            Trap.EMPTY_POOL,
            [_process(most, hold(0, 12)), _process(active, hold(0, 12))],
            (10, 0),
        ),
        trap(
            alert,
            Trap.REPLICAS,
            [
                ten,
                _process(active, hold(6, 12)),
                _process(most, hold(10, 12), "b:1"),
                _process(active, hold(6, 12), "b:1"),
            ],
            (10, 0),
        ),
    ]


PROCESS_CASES: Final = (
    *failed_events(),
    *service_down(),
    *limits(),
    *restarts(),
    *pool(),
)

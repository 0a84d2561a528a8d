"""Cases of workers that run and get nowhere, and of what monitoring sees with."""

from collections.abc import Sequence
from typing import Final

from gx.monitoring.alerts import watching, workers
from gx.monitoring.cases.model import (
    NAMESPACE,
    OTHER,
    Case,
    Kind,
    Line,
    Lines,
    Trap,
    at_rate,
    at_threshold,
    grow,
    hold,
    line,
    more,
    trap,
)
from gx.monitoring.external import UP
from gx.telemetry.catalogue import every_process, read_path, write_path


def _processing(values: str, instance: str = "a:1", namespace: str = NAMESPACE) -> Line:
    metric = write_path.OUTBOX_PROCESSING_COMMANDS
    return line(metric, values, instance=instance, namespace=namespace)


def _settled(values: str, namespace: str = NAMESPACE) -> Line:
    return line(
        write_path.OUTBOX_COMMANDS_PROCESSED,
        values,
        namespace=namespace,
        status="success",
        commandType="transfer",
    )


def unresolved() -> Sequence[Case]:
    """Commands in flight, and no outcome for five minutes."""
    alert = workers.COMMANDS_UNRESOLVED
    since_minute_2 = [_processing("0x7 3x80"), _settled(hold(7, 20))]
    return [
        Case(alert=alert, kind=Kind.FIRES, lines=since_minute_2, checks=[(8, 0), (10, 1)]),
        Case(
            alert=alert,
            kind=Kind.SILENT,
            lines=[_processing(hold(3, 20)), _settled("0x15 1x15 2x15 3x15")],
            checks=[(5, 0), (9, 0), (14, 0)],
        ),
        Case(
            alert=alert,
            kind=Kind.RESOLVES,
            lines=[_processing("3x47 0x60"), _settled("7x47 10x60")],
            checks=[(10, 1), (14, 0)],
        ),
        more(
            alert,
            "batches come and go",
            [_processing(" ".join(["50x2 0x0"] * 30)), _settled(hold(7, 30))],
            (12, 0),
        ),
    ]


def unresolved_traps() -> Sequence[Case]:
    """Other submitters, other environments, and restarts."""
    alert = workers.COMMANDS_UNRESOLVED
    stuck = [_processing(hold(3, 20)), _settled(hold(7, 20))]
    return [
        trap(alert, Trap.NO_TRAFFIC, [_processing(hold(0, 20)), _settled(hold(7, 20))], (15, 0)),
        trap(
            alert,
            Trap.REPLICAS,
            [_processing(hold(3, 20)), _processing(hold(3, 20), "b:1"), _settled(hold(7, 20))],
            (10, 1),
        ),
        trap(
            alert,
            Trap.OTHER_IS_BUSY,
            [*stuck, _processing(hold(9, 20), "a:1", OTHER), _settled(grow(100, 20), OTHER)],
            (10, 1),
        ),
        trap(
            alert,
            Trap.COUNTER_RESET,
            [_processing(hold(3, 20)), _settled("900x30 0+5x60")],
            (10, 0),
            (15, 0),
        ),
    ]


def rejections() -> Sequence[Case]:
    """Refused calls, in every five minutes of ten."""
    alert, metric = workers.BREAKER_REJECTS, write_path.CIRCUIT_BREAKER_REJECTIONS

    def refused(values: str) -> Lines:
        return [line(metric, values, instance="a:1")]

    return [
        *at_rate(alert, refused, over=0.2, under=0, minutes=20),
        more(alert, "one burst", refused("0x20 40x90"), (8, 0), (16, 0), (20, 0)),
        more(
            alert,
            "a burst in every four minutes",
            refused(" ".join(f"{count * 9}x15" for count in range(8))),
            (25, 1),
        ),
        trap(alert, Trap.COUNTER_RESET, refused("900x30 0x60"), (12, 0), (20, 0)),
        trap(alert, Trap.NO_TRAFFIC, refused(hold(40, 25)), (20, 0)),
    ]


def stopped() -> Sequence[Case]:
    """A loop that has ended, and events that were set aside."""
    alert, status = workers.WORKER_STOPPED, write_path.OUTBOX_WORKER_STATUS
    parked = workers.EVENTS_PARKED

    def submitter(values: str, instance: str = "a:1") -> Line:
        return line(status, values, service="outbox-submitter", instance=instance)

    return [
        *at_threshold(alert, lambda v: [submitter(v)], over=0, under=1),
        more(
            alert,
            "the projector's",
            [
                line(
                    read_path.PROJECTOR_WORKER_STATUS,
                    hold(0, 9),
                    service="projector",
                    instance="a:1",
                )
            ],
            (5, 1),
        ),
        trap(alert, Trap.REPLICAS, [submitter(hold(0, 9)), submitter(hold(1, 9), "b:1")], (5, 1)),
        *at_threshold(
            parked,
            lambda v: [line(read_path.PROJECTOR_PARKED_EVENTS, v, instance="a:1")],
            over=1,
            under=0,
        ),
        trap(
            parked,
            Trap.REPLICAS,
            [
                line(read_path.PROJECTOR_PARKED_EVENTS, hold(1, 9), instance=name)
                for name in ("a:1", "b:1")
            ],
            (5, 1),
        ),
    ]


def too_old() -> Sequence[Case]:
    """Processes that wait for their upgrade."""
    alert = workers.UPGRADE_IS_NEEDED

    def projector(values: str, instance: str = "a:1", reason: str = "event") -> Line:
        metric = every_process.UPGRADE_NEEDED
        return line(metric, values, service="projector", instance=instance, reason=reason)

    return [
        *at_threshold(alert, lambda v: [projector(v)], over=1, under=0),
        more(
            alert,
            "each reason is told",
            [projector(hold(1, 9)), projector(hold(1, 9), reason="block")],
            (5, 2),
        ),
        trap(alert, Trap.REPLICAS, [projector(hold(1, 9)), projector(hold(0, 9), "b:1")], (5, 1)),
    ]


def compared() -> Sequence[Case]:
    """Records that differ from the ledger."""
    differs = workers.OUTBOX_DIFFERS

    def records(values: str, kind: str = "result_wrong", namespace: str = NAMESPACE) -> Line:
        metric = write_path.OUTBOX_DIFFERENCES
        return line(metric, values, kind=kind, instance="a:1", namespace=namespace)

    return [
        *at_threshold(differs, lambda v: [records(v)], over=1, under=0),
        more(
            differs,
            "each kind is told",
            [records(hold(1, 12)), records(hold(2, 12), "result_missing")],
            (10, 2),
        ),
        trap(
            differs, Trap.REPLICAS, [records(hold(1, 12)), records(hold(1, 12), "ledger")], (10, 2)
        ),
        trap(
            differs,
            Trap.OTHER_IS_BUSY,
            [records(hold(0, 12)), records(hold(9, 12), namespace=OTHER)],
            (10, 1),
        ),
    ]


def comparing() -> Sequence[Case]:
    """A comparison that does not come to its end."""
    overdue = workers.RECONCILIATION_IS_OVERDUE

    def age(values: str, service: str = "projector", namespace: str = NAMESPACE) -> Line:
        metric = every_process.RECONCILIATION_AGE
        return line(metric, values, service=service, instance="a:1", namespace=namespace)

    return [
        *at_threshold(overdue, lambda v: [age(v)], over=3_601, under=3_600),
        trap(
            overdue,
            Trap.REPLICAS,
            [age(hold(4_000, 12)), age(hold(10, 12), "outbox-submitter")],
            (10, 1),
        ),
        trap(
            overdue,
            Trap.OTHER_IS_BUSY,
            [age(hold(4_000, 12)), age(hold(10, 12), namespace=OTHER)],
            (10, 1),
        ),
    ]


def targets() -> Sequence[Case]:
    """What is no process of ours and does not answer."""
    alert = watching.TARGET_DOWN
    return [
        *at_threshold(
            alert,
            lambda v: [line(UP, v, job="postgres", instance="p:1")],
            over=0,
            under=1,
        ),
        more(
            alert,
            "our own processes have another alert",
            [line(UP, hold(0, 12), job="gx-projector", instance="a:1")],
            (10, 0),
        ),
    ]


WORKER_CASES: Final = (
    *unresolved(),
    *unresolved_traps(),
    *rejections(),
    *stopped(),
    *too_old(),
    *compared(),
    *comparing(),
    *targets(),
)

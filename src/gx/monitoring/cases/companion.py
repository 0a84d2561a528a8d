"""Cases of the companions."""

from collections.abc import Sequence
from typing import Final

from gx.monitoring.alerts import companions
from gx.monitoring.cases.model import (
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
from gx.monitoring.selectors import Series
from gx.telemetry.catalogue import edge, every_process, read_path, write_path

DAY_S: Final = 86_400


def projection() -> Sequence[Case]:
    """Blocks wait and the checkpoint stands still; or nobody projects, or two do."""
    alert, height = companions.PROJECTOR_STALLED, read_path.LEDGER_BLOCKCHAIN_HEIGHT
    checkpoint = read_path.PROJECTOR_CHECKPOINT

    def blocks(values: str) -> Line:
        return line(height, values, channel="gx")

    def folded(values: str) -> Line:
        return line(checkpoint, values, instance="a:1")

    difference = read_path.RECONCILIATION_DIFFERENCE
    return [
        Case(
            alert=alert,
            kind=Kind.FIRES,
            lines=[blocks(hold(11, 9)), folded(hold(9, 9))],
            checks=[(8, 1)],
        ),
        Case(
            alert=alert,
            kind=Kind.SILENT,
            lines=[blocks(hold(11, 9)), folded(hold(10, 9))],
            checks=[(8, 0)],
        ),
        Case(
            alert=alert,
            kind=Kind.RESOLVES,
            lines=[blocks(hold(11, 20)), folded("9x32 10x40")],
            checks=[(8, 1), (12, 0)],
        ),
        trap(
            alert,
            Trap.FROZEN_GAUGE,
            [
                blocks(grow(3, 15)),
                folded(hold(9, 15)),
                line(read_path.PROJECTION_LAG, hold(200, 15), instance="a:1"),
            ],
            (12, 1),
        ),
        trap(
            alert,
            Trap.CATCH_UP,
            [blocks(hold(9_000, 15)), folded(grow(20, 15))],
            (8, 0),
            (10, 0),
            (14, 0),
        ),
        trap(
            alert,
            Trap.REPLICAS,
            [
                blocks(grow(1, 15)),
                folded(grow(1, 15)),
                line(checkpoint, hold(0, 15), instance="b:1"),
            ],
            (14, 0),
        ),
        *at_threshold(
            companions.BOOKS_DIFFER,
            lambda v: [line(difference, v, kind="balances", instance="a:1")],
            over=1,
            under=0,
        ),
        more(
            companions.BOOKS_DIFFER,
            "the read models have too much",
            [
                line(difference, hold(-1, 12), kind="minted", instance="a:1"),
                line(difference, hold(0, 12), kind="minted", instance="b:1"),
            ],
            (10, 1),
        ),
    ]


class _Worker:
    """Writes whether workers of a kind are active."""

    def __init__(self, metric: Series, service: str) -> None:
        self._metric = metric
        self._service = service

    def __call__(self, values: str, instance: str = "a:1") -> Line:
        return line(self._metric, values, service=self._service, instance=instance)

    def alone(self, values: str) -> Lines:
        """Write one worker."""
        return [self(values)]

    def beside_another(self, values: str) -> Lines:
        """Write a worker beside one that is active."""
        return [self(hold(1, 20)), self(values, "b:1")]


def leases() -> Sequence[Case]:
    """One worker of a kind is active: not none, not two."""
    cases: list[Case] = []
    two = companions.TWO_ACTIVE_WORKERS
    for alert, metric, service in (
        (companions.NO_ACTIVE_SUBMITTER, write_path.OUTBOX_WORKER_ACTIVE, "outbox-submitter"),
        (companions.NO_ACTIVE_PROJECTOR, read_path.PROJECTOR_WORKER_ACTIVE, "projector"),
    ):
        worker = _Worker(metric, service)
        cases += [
            *at_threshold(alert, worker.alone, over=0, under=1),
            trap(alert, Trap.REPLICAS, [worker(hold(0, 9)), worker(hold(1, 9), "b:1")], (8, 0)),
            more(
                alert,
                "a take-over within a minute",
                [worker("1x20 0x2 1x20")],
                (5, 0),
                (6, 0),
                (7, 0),
            ),
            *at_threshold(two, worker.beside_another, over=1, under=0),
        ]
    return cases


def commands() -> Sequence[Case]:
    """Age of the queue, failures where there are few commands, refusals in bulk."""
    processed = write_path.OUTBOX_COMMANDS_PROCESSED
    few, bulk = companions.FAILURES_AT_LOW_VOLUME, companions.REFUSED_IN_BULK

    def outcome(status: str, values: str, namespace: str = "backend-devnet") -> Line:
        return line(processed, values, namespace=namespace, status=status, commandType="transfer")

    def failing(count: int) -> Lines:
        return [outcome("success", "0+0.2x200"), outcome("failed", f"0x8 {count}x190")]

    return [
        *at_threshold(
            companions.OLDEST_IS_OLD,
            lambda v: [line(write_path.OUTBOX_OLDEST_PENDING_AGE, v, instance="a:1")],
            over=61,
            under=60,
        ),
        Case(alert=few, kind=Kind.FIRES, lines=failing(3), checks=[(10, 1)]),
        Case(alert=few, kind=Kind.SILENT, lines=failing(2), checks=[(10, 0), (20, 0)]),
        Case(alert=few, kind=Kind.RESOLVES, lines=failing(3), checks=[(10, 1), (40, 0)]),
        more(
            few,
            "three of many",
            [outcome("success", grow(9, 20)), outcome("failed", "0x8 3x80")],
            (10, 0),
        ),
        trap(
            few,
            Trap.ONE_FAILURE,
            [outcome("success", hold(0, 20)), outcome("failed", "0x8 1x80")],
            (10, 0),
        ),
        *at_rate(
            bulk,
            lambda v: [outcome("success", grow(5, 30)), outcome("rejected", v)],
            over=5.1,
            under=4.9,
        ),
        more(
            bulk,
            "19 refusals and nothing else",
            [outcome("rejected", "0x20 18x60")],
            (10, 0),
            (12, 0),
        ),
        trap(
            bulk,
            Trap.OTHER_IS_BUSY,
            [outcome("rejected", grow(3, 20)), outcome("success", grow(900, 20), OTHER)],
            (18, 1),
        ),
    ]


def requests() -> Sequence[Case]:
    """Server errors and writes that are turned away."""
    errors, refused = companions.API_ERRORS, companions.WRITES_REFUSED

    def answered(
        status: str, values: str, method: str = "POST", namespace: str = "backend-devnet"
    ) -> Line:
        return line(
            edge.HTTP_REQUESTS,
            values,
            namespace=namespace,
            service="api",
            endpoint="/x",
            method=method,
            status=status,
        )

    good = answered("202", grow(990, 40))
    shed = edge.OUTBOX_ADMISSIONS_REFUSED
    none_shed = line(shed, hold(0, 40), service="api")
    return [
        *at_rate(errors, lambda v: [good, answered("500", v)], over=10.2, under=9.8),
        trap(
            errors,
            Trap.ONE_FAILURE,
            [answered("202", hold(0, 20)), answered("500", "0x20 1x60")],
            (8, 0),
        ),
        trap(
            errors,
            Trap.OTHER_IS_BUSY,
            [answered("503", grow(2, 20)), answered("202", grow(9_000, 20), namespace=OTHER)],
            (18, 1),
        ),
        *at_rate(refused, lambda v: [good, none_shed, answered("429", v)], over=10.2, under=9.8),
        more(
            refused,
            "BACKLOG_FULL",
            [
                good,
                answered("429", hold(0, 20)),
                answered("503", grow(12, 20)),
                line(shed, grow(12, 20), service="api"),
            ],
            (15, 1),
        ),
        more(
            refused,
            "readers over their rate",
            [good, none_shed, answered("429", hold(0, 20)), answered("429", grow(500, 20), "GET")],
            (15, 0),
        ),
    ]


def dependencies() -> Sequence[Case]:
    """Database, ledger and certificates."""
    expiry = every_process.CERTIFICATE_EXPIRY
    cases: list[Case] = []
    for alert, metric in (
        (companions.DATABASE_UNREACHABLE, every_process.DATABASE_UP),
        (companions.LEDGER_UNREACHABLE, every_process.LEDGER_UP),
    ):

        def seen(values: str, metric: Series = metric) -> Lines:
            return [line(metric, values, service="api", instance="a:1")]

        cases += [
            *at_threshold(alert, seen, over=0, under=1),
            more(alert, "away for 45 s", seen("1x20 0x2 1x20"), (5, 0), (6, 0), (7, 0)),
        ]
    for alert, days in (
        (companions.CERTIFICATE_EXPIRING, 30),
        (companions.CERTIFICATE_NEARLY_EXPIRED, 7),
    ):

        def ends(values: str) -> Lines:
            return [line(expiry, values, service="projector", instance="a:1", identity="admin")]

        # The clock of a test starts at 0; an hour and four minutes later the alert is judged.
        at_s = alert.for_s + 240
        cases += at_threshold(alert, ends, over=days * DAY_S - 1, under=days * DAY_S + 2 * at_s)
    return cases


COMPANION_CASES: Final = (
    *projection(),
    *leases(),
    *commands(),
    *requests(),
    *dependencies(),
)

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


def _blocks(values: str) -> Line:
    return line(read_path.LEDGER_BLOCKCHAIN_HEIGHT, values, channel="gx")


def _folded(values: str) -> Line:
    return line(read_path.PROJECTOR_CHECKPOINT, values, instance="a:1")


def projection() -> Sequence[Case]:
    """Blocks wait and the checkpoint stands still."""
    alert = companions.PROJECTOR_STALLED
    return [
        Case(
            alert=alert,
            kind=Kind.FIRES,
            lines=[_blocks(hold(11, 9)), _folded(hold(9, 9))],
            checks=[(8, 1)],
        ),
        Case(
            alert=alert,
            kind=Kind.SILENT,
            lines=[_blocks(hold(11, 9)), _folded(hold(10, 9))],
            checks=[(8, 0)],
        ),
        Case(
            alert=alert,
            kind=Kind.RESOLVES,
            lines=[_blocks(hold(11, 20)), _folded("9x32 10x40")],
            checks=[(8, 1), (12, 0)],
        ),
    ]


def projection_traps() -> Sequence[Case]:
    """Lag says nothing of a projector that hangs; the checkpoint does."""
    alert = companions.PROJECTOR_STALLED
    return [
        trap(
            alert,
            Trap.FROZEN_GAUGE,
            [
                _blocks(grow(3, 15)),
                _folded(hold(9, 15)),
                line(read_path.PROJECTION_LAG, hold(200, 15), instance="a:1"),
            ],
            (12, 1),
        ),
        trap(
            alert,
            Trap.CATCH_UP,
            [_blocks(hold(9_000, 15)), _folded(grow(20, 15))],
            (8, 0),
            (10, 0),
            (14, 0),
        ),
        trap(
            alert,
            Trap.REPLICAS,
            [
                _blocks(grow(1, 15)),
                _folded(grow(1, 15)),
                line(read_path.PROJECTOR_CHECKPOINT, hold(0, 15), instance="b:1"),
            ],
            (14, 0),
        ),
    ]


def books() -> Sequence[Case]:
    """The ledger and the read models differ."""
    difference = read_path.RECONCILIATION_DIFFERENCE
    return [
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


def _outcome(status: str, values: str, namespace: str = "backend-devnet") -> Line:
    return line(
        write_path.OUTBOX_COMMANDS_PROCESSED,
        values,
        namespace=namespace,
        status=status,
        commandType="transfer",
    )


def _failing(count: int) -> Lines:
    return [_outcome("success", "0+0.2x200"), _outcome("failed", f"0x8 {count}x190")]


def commands() -> Sequence[Case]:
    """Age of the queue, and failures where there are few commands."""
    few = companions.FAILURES_AT_LOW_VOLUME
    return [
        *at_threshold(
            companions.OLDEST_IS_OLD,
            lambda v: [line(write_path.OUTBOX_OLDEST_PENDING_AGE, v, instance="a:1")],
            over=61,
            under=60,
        ),
        Case(alert=few, kind=Kind.FIRES, lines=_failing(3), checks=[(10, 1)]),
        Case(alert=few, kind=Kind.SILENT, lines=_failing(2), checks=[(10, 0), (20, 0)]),
        Case(alert=few, kind=Kind.RESOLVES, lines=_failing(3), checks=[(10, 1), (40, 0)]),
        more(
            few,
            "three of many",
            [_outcome("success", grow(9, 20)), _outcome("failed", "0x8 3x80")],
            (10, 0),
        ),
        trap(
            few,
            Trap.ONE_FAILURE,
            [_outcome("success", hold(0, 20)), _outcome("failed", "0x8 1x80")],
            (10, 0),
        ),
    ]


def refusals() -> Sequence[Case]:
    """More commands are refused than taken."""
    bulk = companions.REFUSED_IN_BULK
    return [
        *at_rate(
            bulk,
            lambda v: [_outcome("success", grow(5, 30)), _outcome("rejected", v)],
            over=5.1,
            under=4.9,
        ),
        more(
            bulk,
            "19 refusals and nothing else",
            [_outcome("rejected", "0x20 18x60")],
            (10, 0),
            (12, 0),
        ),
        trap(
            bulk,
            Trap.OTHER_IS_BUSY,
            [_outcome("rejected", grow(3, 20)), _outcome("success", grow(900, 20), OTHER)],
            (18, 1),
        ),
    ]


def _answered(
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


def server_errors() -> Sequence[Case]:
    """Requests that end in a server error."""
    errors = companions.API_ERRORS
    good = _answered("202", grow(990, 40))
    return [
        *at_rate(errors, lambda v: [good, _answered("500", v)], over=10.2, under=9.8),
        trap(
            errors,
            Trap.ONE_FAILURE,
            [_answered("202", hold(0, 20)), _answered("500", "0x20 1x60")],
            (8, 0),
        ),
        trap(
            errors,
            Trap.OTHER_IS_BUSY,
            [_answered("503", grow(2, 20)), _answered("202", grow(9_000, 20), namespace=OTHER)],
            (18, 1),
        ),
    ]


def refused_writes() -> Sequence[Case]:
    """Writes that are turned away."""
    refused = companions.WRITES_REFUSED
    good = _answered("202", grow(990, 40))
    shed = edge.OUTBOX_ADMISSIONS_REFUSED
    none_shed = line(shed, hold(0, 40), service="api")
    return [
        *at_rate(refused, lambda v: [good, none_shed, _answered("429", v)], over=10.2, under=9.8),
        more(
            refused,
            "BACKLOG_FULL",
            [
                good,
                _answered("429", hold(0, 20)),
                _answered("503", grow(12, 20)),
                line(shed, grow(12, 20), service="api"),
            ],
            (15, 1),
        ),
        more(
            refused,
            "readers over their rate",
            [
                good,
                none_shed,
                _answered("429", hold(0, 20)),
                _answered("429", grow(500, 20), "GET"),
            ],
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
    *projection_traps(),
    *books(),
    *leases(),
    *commands(),
    *refusals(),
    *server_errors(),
    *refused_writes(),
    *dependencies(),
)

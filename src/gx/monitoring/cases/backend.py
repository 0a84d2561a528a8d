"""Cases of the eighteen that are about commands, ledger transactions, lag and requests."""

from collections.abc import Sequence
from typing import Final

from gx.monitoring.alerts import backend
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
from gx.monitoring.external import PROBE_SUCCESS
from gx.telemetry.catalogue import edge, read_path, write_path
from gx.telemetry.metric import Metric

PROCESSED: Final = write_path.OUTBOX_COMMANDS_PROCESSED


def _commands(status: str, values: str, namespace: str = NAMESPACE) -> Line:
    return line(PROCESSED, values, namespace=namespace, status=status, commandType="transfer")


def success_rate() -> Sequence[Case]:
    """Commands: 1,000 a sample, so that one failure more or less is a tenth of a percent."""
    alert = backend.SUCCESS_RATE_BELOW_SLO
    good = _commands("success", grow(1_000, 40))
    return [
        *at_rate(alert, lambda v: [good, _commands("failed", v)], over=1.1, under=0.9),
        trap(
            alert,
            Trap.NO_TRAFFIC,
            [_commands("success", hold(50, 20)), _commands("failed", hold(5, 20))],
            (18, 0),
        ),
        trap(alert, Trap.NEVER_CREATED, [_commands("failed", grow(3, 20))], (18, 1)),
        trap(
            alert,
            Trap.ONE_FAILURE,
            [_commands("success", "0+1x4 4x30"), _commands("failed", "0x4 1x30")],
            (4, 0),
            (6, 0),
            (9, 0),
        ),
        trap(
            alert,
            Trap.OTHER_IS_BUSY,
            [
                _commands("success", grow(5, 20)),
                _commands("failed", grow(5, 20)),
                _commands("success", grow(10_000, 20), OTHER),
            ],
            (18, 1),
        ),
    ]


def restarted_submitters() -> Sequence[Case]:
    """Counters that begin anew, attempts, and correct refusals."""
    alert = backend.SUCCESS_RATE_BELOW_SLO
    return [
        trap(
            alert,
            Trap.COUNTER_RESET,
            [
                _commands("success", "0+9x30 0+9x50"),
                _commands("failed", "0+1x30 0+1x50"),
            ],
            (7, 1),
            (12, 1),
            says="failing before and after it",
        ),
        trap(
            alert,
            Trap.COUNTER_RESET,
            [_commands("success", "0+9x30 0+9x50"), _commands("failed", hold(7, 8) + " 0x50")],
            (9, 0),
            (15, 0),
            says="with failures of long ago",
        ),
        more(
            alert,
            "retries and correct refusals are no failures",
            [
                _commands("success", grow(5, 20)),
                _commands("retry", grow(20, 20)),
                _commands("rejected", grow(20, 20)),
            ],
            (18, 0),
        ),
    ]


def _gauge(metric: Metric) -> "_Gauge":
    return _Gauge(metric)


class _Gauge:
    """Writes a metric's one series."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def __call__(self, values: str) -> Lines:
        return [line(self._metric, values, instance="a:1")]


def projection_lag() -> Sequence[Case]:
    """A gauge computed at the scrape; the standby's 0 hides nothing."""
    lag = read_path.PROJECTION_LAG
    cases = [
        *at_threshold(backend.LAG_EXCEEDS_SLO, _gauge(lag), over=5_001, under=5_000),
        *at_threshold(backend.LAG_IS_CRITICAL, _gauge(lag), over=10_001, under=10_000),
    ]
    for alert in (backend.LAG_EXCEEDS_SLO, backend.LAG_IS_CRITICAL):
        cases += [
            trap(
                alert,
                Trap.REPLICAS,
                [line(lag, hold(20_000, 9), instance="a:1"), line(lag, hold(0, 9), instance="b:1")],
                (8, 1),
            ),
            trap(
                alert,
                Trap.CATCH_UP,
                [line(lag, f"{hold(60_000, 10)} {hold(0, 6)}", instance="a:1")],
                (9, 1),
                (14, 0),
                says="is late while it lasts",
            ),
            more(
                alert,
                "a blip shorter than its duration",
                [line(lag, "0x20 20000x3 0x20", instance="a:1")],
                (5, 0),
                (6, 0),
                (7, 0),
            ),
        ]
    return cases


def _requests(at_most: dict[str, float], count: float, namespace: str = NAMESPACE) -> list[Line]:
    """Write a histogram that grows by `count` a sample, by so many up to each bound."""
    bounds = {f"{float(bound)}": 0.0 for bound in edge.HTTP_REQUEST_DURATION.buckets} | at_most
    labels = {"namespace": namespace, "service": "api", "endpoint": "/x", "method": "GET"}
    return [
        line(edge.HTTP_REQUEST_DURATION, grow(step, 20), "_bucket", le=bound, **labels)
        for bound, step in {**bounds, "+Inf": count}.items()
    ]


def _slower_than(bound: float, share: float, namespace: str = NAMESPACE) -> list[Line]:
    """Of 1,000 requests a sample, let `share` be slower than the bound, all others at once."""
    quick = {str(float(each)): 1_000 * (1 - share) for each in edge.HTTP_REQUEST_DURATION.buckets}
    slow = {each: 1_000.0 if float(each) > bound else value for each, value in quick.items()}
    return _requests(slow, 1_000, namespace)


def api_latency() -> Sequence[Case]:
    """P95 over a bound when more than 5 % are slower; exact, since each objective is a bound."""
    cases: list[Case] = []
    for alert, bound in _LATENCY_BOUNDS:
        over, under = _slower_than(bound, 0.051), _slower_than(bound, 0.049)
        stopped = [(name, values.replace("x79", "x59")) for name, values in over]
        cases += [
            Case(alert=alert, kind=Kind.FIRES, lines=over, checks=[(14, 1)]),
            Case(alert=alert, kind=Kind.SILENT, lines=under, checks=[(14, 0)]),
            Case(alert=alert, kind=Kind.RESOLVES, lines=stopped, checks=[(14, 1), (22, 0)]),
            trap(alert, Trap.NO_TRAFFIC, [(name, "5x80") for name, _ in over], (18, 0)),
            more(alert, "requests beyond every bound", _requests({}, 100), (14, 1)),
        ]
    return cases


def hidden_latency() -> Sequence[Case]:
    """Slow requests beside quick ones that do not count, and slow ones that do not count either."""
    cases: list[Case] = []
    slow_few = _slower_than(5_000, 1)
    few = [(name, values.replace("1000", "1")) for name, values in slow_few]
    elsewhere = _requests(dict.fromkeys(_BOUNDS, 1e6), 1e6, OTHER)
    waits = [
        line(edge.HTTP_WAIT_DURATION, grow(0, 20), "_bucket", le="10000.0"),
        line(edge.HTTP_WAIT_DURATION, grow(900, 20), "_bucket", le="+Inf"),
    ]
    probe = line(PROBE_SUCCESS, hold(1, 20), job="gx-blackbox", service="api")
    restarted = [
        (name, f"{values.replace('x79', 'x39')} {values}")
        for name, values in _slower_than(25, 0.04)
    ]
    quick = _requests(dict.fromkeys(_BOUNDS, 10), 10)
    for alert, _ in _LATENCY_BOUNDS:
        cases += [
            trap(alert, Trap.OTHER_IS_BUSY, [*slow_few, *elsewhere], (14, 1)),
            trap(alert, Trap.LONG_POLLS, [*quick, *waits], (14, 0)),
            trap(alert, Trap.PROBES, [*few, probe], (14, 1)),
            trap(alert, Trap.COUNTER_RESET, restarted, (11, 0), (16, 0)),
        ]
    return cases


_LATENCY_BOUNDS: Final = ((backend.API_IS_SLOW, 500), (backend.API_IS_VERY_SLOW, 1_000))
_BOUNDS: Final = [str(float(bound)) for bound in edge.HTTP_REQUEST_DURATION.buckets]


def outbox_queue() -> Sequence[Case]:
    """The same table is exported by every submitter."""
    pending = write_path.OUTBOX_PENDING_COMMANDS
    cases = [
        *at_threshold(backend.QUEUE_BUILDS_UP, _gauge(pending), over=101, under=100),
        *at_threshold(backend.QUEUE_IS_CRITICAL, _gauge(pending), over=501, under=500),
    ]
    for alert, each in ((backend.QUEUE_BUILDS_UP, 60), (backend.QUEUE_IS_CRITICAL, 200)):
        replicas = [line(pending, hold(each, 12), instance=f"{name}:1") for name in "abc"]
        cases += [
            trap(alert, Trap.REPLICAS, replicas, (10, 0)),
            trap(
                alert,
                Trap.DRAINING,
                [line(pending, "900-10x90 0x20", instance="a:1")],
                (9, 1),
                (26, 0),
                says="until it is short again",
            ),
            trap(
                alert,
                Trap.OTHER_IS_BUSY,
                [
                    line(pending, hold(9_000, 12), instance="a:1"),
                    line(pending, hold(0, 12), namespace=OTHER, instance="a:1"),
                ],
                (10, 1),
            ),
        ]
    return cases


def dead_letters() -> Sequence[Case]:
    """A counter says how many were given up; a gauge says how many wait."""
    counter, waiting = write_path.OUTBOX_COMMANDS_DEAD_LETTERED, write_path.OUTBOX_DLQ_COMMANDS
    rising, full = backend.DEAD_LETTERS_ACCUMULATE, backend.DEAD_LETTERS_ARE_CRITICAL

    def given_up(count: int) -> Lines:
        return [line(counter, f"0x20 {count}x60", commandType="transfer")]

    return [
        Case(alert=rising, kind=Kind.FIRES, lines=given_up(11), checks=[(4, 0), (6, 1)]),
        Case(alert=rising, kind=Kind.SILENT, lines=given_up(9), checks=[(6, 0), (8, 0)]),
        Case(alert=rising, kind=Kind.RESOLVES, lines=given_up(11), checks=[(6, 1), (12, 0)]),
        trap(
            rising,
            Trap.DRAINING,
            [
                line(counter, hold(40, 20), commandType="transfer"),
                line(waiting, "40-1x39 0x30", instance="a:1"),
            ],
            (8, 0),
            (12, 0),
        ),
        trap(
            rising,
            Trap.COUNTER_RESET,
            [line(counter, "500x30 0x40", commandType="transfer")],
            (8, 0),
            (12, 0),
        ),
        *at_threshold(full, _gauge(waiting), over=51, under=50),
        trap(
            full,
            Trap.REPLICAS,
            [line(waiting, hold(30, 9), instance=f"{name}:1") for name in "ab"],
            (8, 0),
        ),
        trap(full, Trap.DRAINING, [line(waiting, "80-1x80 0x9", instance="a:1")], (5, 1), (20, 0)),
    ]


def breaker() -> Sequence[Case]:
    """The average of a minute: open or cycling, not half-open and idle."""
    alert, state = backend.BREAKER_IS_OPEN, write_path.CIRCUIT_BREAKER_STATE
    cycling = " ".join(["1x1 0.5x0"] * 20)
    return [
        *at_threshold(alert, _gauge(state), over=1, under=0.5),
        more(alert, "a breaker that cycles", _gauge(state)(cycling), (8, 1)),
        more(alert, "open for 30 s", _gauge(state)("0x20 1 1 0x20"), (5, 0), (6, 0), (7, 0)),
        trap(
            alert,
            Trap.REPLICAS,
            [line(state, hold(1, 9), instance="a:1"), line(state, hold(0, 9), instance="b:1")],
            (8, 1),
        ),
        trap(alert, Trap.FROZEN_GAUGE, [line(state, "1x8 _x60", instance="a:1")], (9, 0)),
    ]


def _beside_good_transactions(failed: str) -> Lines:
    metric = write_path.FABRIC_TRANSACTION_SUBMISSIONS
    good = line(metric, grow(1_000, 40), status="success")
    return [good, line(metric, failed, status="error")]


def _ended(status: str, values: str, namespace: str = NAMESPACE) -> Line:
    metric = write_path.FABRIC_TRANSACTION_SUBMISSIONS
    return line(metric, values, namespace=namespace, status=status)


def fabric_failures() -> Sequence[Case]:
    """Ledger transactions: 1,000 a sample."""
    cases: list[Case] = []
    for alert, over, under in (
        (backend.FABRIC_FAILURES, 53, 52),
        (backend.FABRIC_FAILURES_ARE_CRITICAL, 251, 249),
    ):
        one = [_ended("success", hold(0, 20)), _ended("error", "0x20 1x40")]
        still = [_ended("success", hold(3, 20)), _ended("error", hold(9, 20))]
        busy = [_ended("error", grow(5, 20)), _ended("success", grow(9_000, 20), OTHER)]
        restarted = [_ended("success", "0+9x30 0+9x50"), _ended("error", "80x30 0x50")]
        cases += [
            *at_rate(alert, _beside_good_transactions, over=over, under=under),
            trap(alert, Trap.NO_TRAFFIC, still, (18, 0)),
            trap(alert, Trap.NEVER_CREATED, [_ended("error", grow(3, 20))], (18, 1)),
            trap(alert, Trap.ONE_FAILURE, one, (7, 0), (9, 0)),
            trap(alert, Trap.OTHER_IS_BUSY, busy, (18, 1)),
            trap(alert, Trap.COUNTER_RESET, restarted, (9, 0), (14, 0)),
        ]
    return cases


BACKEND_CASES: Final = (
    *success_rate(),
    *restarted_submitters(),
    *projection_lag(),
    *api_latency(),
    *hidden_latency(),
    *outbox_queue(),
    *dead_letters(),
    *breaker(),
    *fabric_failures(),
)

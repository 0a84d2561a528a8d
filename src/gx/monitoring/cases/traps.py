"""The traps that many alerts share: replicas, busy neighbours, resets, silence, missing series."""

from collections.abc import Callable, Sequence
from typing import Final

from gx.monitoring import external
from gx.monitoring.alerts import backend, companions, storage, watching
from gx.monitoring.cases.model import (
    NAMESPACE,
    OTHER,
    Case,
    Line,
    Trap,
    grow,
    hold,
    line,
    trap,
)
from gx.monitoring.model import Alert
from gx.monitoring.selectors import Series
from gx.telemetry.catalogue import client_library, edge, every_process, read_path, write_path

_Write = Callable[[str, str], Line]


def _gauge(series: Series, **labels: str) -> _Write:
    """Return what writes one gauge's values in a namespace."""
    return lambda values, namespace: line(series, values, namespace=namespace, **labels)


def busy_neighbours() -> Sequence[Case]:
    """One environment fails while the other is well: it is told of the first, and of it alone."""
    worker = {"service": "projector", "instance": "a:1"}
    told: tuple[tuple[Alert, _Write, float, float], ...] = (
        (backend.LAG_EXCEEDS_SLO, _gauge(read_path.PROJECTION_LAG), 9_000, 0),
        (backend.LAG_IS_CRITICAL, _gauge(read_path.PROJECTION_LAG), 19_000, 0),
        (backend.DEAD_LETTERS_ARE_CRITICAL, _gauge(write_path.OUTBOX_DLQ_COMMANDS), 51, 0),
        (companions.OLDEST_IS_OLD, _gauge(write_path.OUTBOX_OLDEST_PENDING_AGE), 90, 0),
        (companions.NO_ACTIVE_SUBMITTER, _gauge(write_path.OUTBOX_WORKER_ACTIVE), 0, 1),
        (
            companions.NO_ACTIVE_PROJECTOR,
            _gauge(read_path.PROJECTOR_WORKER_ACTIVE, **worker),
            0,
            1,
        ),
        (
            watching.PROBE_FAILS,
            _gauge(external.PROBE_SUCCESS, job="gx-blackbox", service="api"),
            0,
            1,
        ),
        (storage.POSTGRES_DOWN, _gauge(external.PG_UP, instance="p:1"), 0, 1),
    )
    return [
        trap(
            alert,
            Trap.OTHER_IS_BUSY,
            [write(hold(bad, 12), NAMESPACE), write(hold(good, 12), OTHER)],
            (10, 1),
        )
        for alert, write, bad, good in told
    ]


def not_deployed() -> Sequence[Case]:
    """Without any series of an environment nothing is said of it, but by what expects it."""
    quiet = (
        companions.NO_ACTIVE_SUBMITTER,
        companions.NO_ACTIVE_PROJECTOR,
        companions.PROJECTOR_STALLED,
        watching.PROBE_FAILS,
    )
    return [trap(alert, Trap.NOT_DEPLOYED, [], (10, 0)) for alert in quiet]


def _twice(series: Series, first: float, second: float, **labels: str) -> list[Line]:
    """Write the same gauge of two replicas."""
    return [
        line(series, hold(value, 90), instance=name, **labels)
        for name, value in (("a:1", first), ("b:1", second))
    ]


def _told(*told: tuple[Alert, list[Line], int]) -> list[Case]:
    return [trap(alert, Trap.REPLICAS, lines, (75, count)) for alert, lines, count in told]


def replicas_of_workers() -> Sequence[Case]:
    """Two that say the same are not twice as much, and one that is well hides none that is not."""
    active = {"service": "outbox-submitter"}
    ends = {"identity": "admin", "service": "projector"}
    oldest, expiry = write_path.OUTBOX_OLDEST_PENDING_AGE, every_process.CERTIFICATE_EXPIRY
    differ = _twice(read_path.RECONCILIATION_DIFFERENCE, 5, 0, kind="balances")
    return _told(
        (companions.OLDEST_IS_OLD, _twice(oldest, 40, 40), 0),
        (companions.TWO_ACTIVE_WORKERS, _twice(write_path.OUTBOX_WORKER_ACTIVE, 1, 0, **active), 0),
        (companions.BOOKS_DIFFER, differ, 1),
        (companions.CERTIFICATE_EXPIRING, _twice(expiry, 9e4, 9e4, **ends), 1),
        (companions.CERTIFICATE_NEARLY_EXPIRED, _twice(expiry, 9e4, 9e9, **ends), 1),
    )


def replicas_of_processes() -> Sequence[Case]:
    """Each process has its own limits, scrapes and ways to what it depends on."""
    ours, api = {"job": "gx-projector"}, {"service": "api"}
    limit = _twice(every_process.PROCESS_MEMORY_LIMIT, 1_000, 1_000, **ours)
    used = _twice(client_library.PROCESS_RESIDENT_MEMORY, 600, 600, **ours)
    empty = _twice(external.SAMPLES_KEPT, 0, 900, **ours)
    return _told(
        (companions.DATABASE_UNREACHABLE, _twice(every_process.DATABASE_UP, 0, 1, **api), 1),
        (companions.LEDGER_UNREACHABLE, _twice(every_process.LEDGER_UP, 0, 1, **api), 1),
        (backend.HIGH_MEMORY, [*limit, *used], 0),
        (watching.SAMPLE_LIMIT_NEAR, _twice(external.SAMPLES_KEPT, 5_000, 5_000, **ours), 0),
        (watching.SCRAPE_IS_EMPTY, [*_twice(external.UP, 1, 1, **ours), *empty], 1),
    )


def replicas_of_storage() -> Sequence[Case]:
    """Two servers are not added up, and a roomy disk hides no full one."""
    disk = {"mountpoint": "/data", "fstype": "ext4", "device": "sda"}
    busy = _twice(external.PG_CONNECTIONS, 50, 50, datname="gx", state="active")
    most = _twice(external.PG_CONNECTIONS_MAX, 100, 100)
    size = _twice(external.DISK_SIZE, 1_000, 1_000, **disk)
    left = _twice(external.DISK_AVAILABLE, 50, 900, **disk)
    return _told(
        (storage.REPLICA_LAGS, _twice(external.PG_REPLICATION_LAG, 20, 20), 0),
        (storage.CONNECTIONS_NEAR_LIMIT, [*most, *busy], 0),
        (storage.DISK_FULL, [*size, *left], 1),
    )


def replicas_of_targets() -> Sequence[Case]:
    """One of two that is down, or could not reload, is told."""
    alertmanager = {"job": "alertmanager"}
    reloaded = _twice(external.ALERTMANAGER_RELOAD_SUCCESSFUL, 0, 1, **alertmanager)
    projectors = _twice(external.UP, 0, 1, job="gx-projector", service="projector")
    return _told(
        (watching.CONFIG_RELOAD_FAILED, reloaded, 1),
        (watching.TARGET_DOWN, _twice(external.UP, 0, 1, **alertmanager), 1),
        (backend.SERVICE_DOWN, [*projectors, *_all_others_up()], 1),
    )


def _all_others_up() -> list[Line]:
    others = (
        ("gx-outbox-submitter", "outbox-submitter"),
        ("gx-backend-services", "api"),
        ("gx-chaincode", "chaincode"),
        *(("gx-blackbox", service) for service in ("api", "outbox-submitter", "projector")),
    )
    return [
        line(external.UP, hold(1, 90), job=job, service=service, instance="c:1")
        for job, service in others
    ]


def _outcome(status: str, values: str, namespace: str = NAMESPACE) -> Line:
    return line(
        write_path.OUTBOX_COMMANDS_PROCESSED,
        values,
        namespace=namespace,
        status=status,
        commandType="transfer",
    )


def _answered(status: str, values: str, namespace: str = NAMESPACE) -> Line:
    labels = {"service": "api", "endpoint": "/x", "method": "POST", "status": status}
    return line(edge.HTTP_REQUESTS, values, namespace=namespace, **labels)


def _dead(values: str, namespace: str = NAMESPACE) -> Line:
    metric = write_path.OUTBOX_COMMANDS_DEAD_LETTERED
    return line(metric, values, namespace=namespace, commandType="transfer")


def command_counters() -> Sequence[Case]:
    """Outcomes that stand still, start anew, or were never there."""
    few = companions.FAILURES_AT_LOW_VOLUME
    bulk = companions.REFUSED_IN_BULK
    still = hold(700, 20)
    reset = "700x40 0x60"
    return [
        trap(
            few, Trap.NO_TRAFFIC, [_outcome("success", still), _outcome("failed", still)], (18, 0)
        ),
        trap(
            few,
            Trap.COUNTER_RESET,
            [_outcome("success", reset), _outcome("failed", reset)],
            (18, 0),
        ),
        trap(few, Trap.NEVER_CREATED, [_outcome("failed", "0x8 3x90")], (10, 1)),
        trap(
            few,
            Trap.OTHER_IS_BUSY,
            [_outcome("failed", "0x8 3x90"), _outcome("success", grow(900, 20), OTHER)],
            (10, 1),
        ),
        trap(bulk, Trap.NO_TRAFFIC, [_outcome("rejected", still)], (18, 0)),
        trap(bulk, Trap.COUNTER_RESET, [_outcome("rejected", reset)], (11, 0), (18, 0)),
        trap(bulk, Trap.NEVER_CREATED, [_outcome("rejected", grow(5, 20))], (18, 1)),
    ]


def request_counters() -> Sequence[Case]:
    """Answers that stand still, start anew, or were never there."""
    errors = companions.API_ERRORS
    refused = companions.WRITES_REFUSED
    still = hold(700, 20)
    reset = "700x40 0x60"
    return [
        trap(errors, Trap.NO_TRAFFIC, [_answered("500", still), _answered("202", still)], (18, 0)),
        trap(errors, Trap.COUNTER_RESET, [_answered("500", reset)], (11, 0), (18, 0)),
        trap(errors, Trap.NEVER_CREATED, [_answered("500", grow(5, 20))], (18, 1)),
        trap(refused, Trap.NO_TRAFFIC, [_answered("429", still), _answered("202", still)], (18, 0)),
        trap(refused, Trap.COUNTER_RESET, [_answered("429", reset)], (11, 0), (18, 0)),
        trap(
            refused,
            Trap.NEVER_CREATED,
            [_answered("429", grow(5, 20)), _answered("202", grow(5, 20))],
            (18, 1),
            says="nothing was ever shed",
        ),
        trap(
            refused,
            Trap.OTHER_IS_BUSY,
            [_answered("429", grow(5, 20)), _answered("202", grow(9_000, 20), OTHER)],
            (18, 1),
        ),
    ]


def other_counters() -> Sequence[Case]:
    """Dead letters and failed evaluations."""
    given_up = backend.DEAD_LETTERS_ACCUMULATE
    own = {"rule_group": "g", "job": "prometheus", "instance": "m:1"}
    still = hold(700, 20)
    reset = "700x40 0x60"
    failures = external.RULE_EVALUATION_FAILURES
    return [
        trap(given_up, Trap.NO_TRAFFIC, [_dead(still)], (18, 0)),
        trap(
            given_up,
            Trap.OTHER_IS_BUSY,
            [_dead("0x20 11x60"), _dead(hold(0, 20), OTHER)],
            (6, 1),
        ),
        trap(
            watching.RULES_FAIL,
            Trap.COUNTER_RESET,
            [line(failures, reset, **own)],
            (11, 0),
            (18, 0),
        ),
    ]


TRAP_CASES: Final = (
    *busy_neighbours(),
    *not_deployed(),
    *replicas_of_workers(),
    *replicas_of_processes(),
    *replicas_of_storage(),
    *replicas_of_targets(),
    *command_counters(),
    *request_counters(),
    *other_counters(),
)

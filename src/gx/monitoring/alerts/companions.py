"""What the eighteen cannot see: stalls, leases, refusals, unreachable parts, certificates."""

from typing import Final

from gx.monitoring.model import (
    CAPACITY_DASHBOARD,
    POSTGRES_DASHBOARD,
    Alert,
    Component,
    Fault,
    Objective,
    Severity,
)
from gx.monitoring.promql import (
    Expr,
    both,
    changes,
    combine,
    either,
    increase,
    max_by,
    min_by,
    now,
    select,
    sum_by,
)
from gx.monitoring.recording import FAILED_COMMANDS, FINISHED_COMMANDS, NAMESPACE
from gx.monitoring.selectors import is_, one_of
from gx.monitoring.thresholds import (
    CERTIFICATE_CRITICAL,
    CERTIFICATE_WARNING,
    LOW_VOLUME_FAILURES,
    LOW_VOLUME_SHARE,
    OLDEST_PENDING,
    REFUSALS,
    REFUSALS_SHARE,
    SERVER_ERRORS,
    SERVER_ERRORS_SHARE,
    WRITES_REFUSED_SHARE,
    Threshold,
    beyond,
)
from gx.telemetry.catalogue.edge import HTTP_REQUESTS, OUTBOX_ADMISSIONS_REFUSED
from gx.telemetry.catalogue.every_process import CERTIFICATE_EXPIRY, DATABASE_UP, LEDGER_UP
from gx.telemetry.catalogue.read_path import (
    LEDGER_BLOCKCHAIN_HEIGHT,
    PROJECTOR_CHECKPOINT,
    PROJECTOR_WORKER_ACTIVE,
    RECONCILIATION_DIFFERENCE,
)
from gx.telemetry.catalogue.write_path import (
    OUTBOX_COMMANDS_PROCESSED,
    OUTBOX_OLDEST_PENDING_AGE,
    OUTBOX_WORKER_ACTIVE,
)

_IN: Final = "in {{ $labels.namespace }}"
_WINDOW_S: Final = 300
_LONG_WINDOW_S: Final = 1_800
_SERVICE: Final = (NAMESPACE, "service")
_OUTCOMES: Final = select(
    OUTBOX_COMMANDS_PROCESSED, one_of("status", "success", "failed", "rejected")
)
_REJECTED: Final = select(OUTBOX_COMMANDS_PROCESSED, is_("status", "rejected"))
_SERVER_ERRORS: Final = select(HTTP_REQUESTS, one_of("status", "500", "503"))
_WRITES: Final = is_("method", "POST")


def _grown(counter: Expr, *labels: str) -> Expr:
    return sum_by(counter, *(labels or (NAMESPACE,)))


def _percent(part: Expr, whole: Expr, *labels: str) -> Expr:
    on = labels or (NAMESPACE,)
    return 100 * combine(part, "/", whole > 0, on=on)


def _stalled() -> Expr:
    height = max_by(select(LEDGER_BLOCKCHAIN_HEIGHT), NAMESPACE)
    checkpoint = max_by(select(PROJECTOR_CHECKPOINT), NAMESPACE)
    waiting = combine(height - 1, "-", checkpoint, on=[NAMESPACE]) > 0
    moved = max_by(changes(select(PROJECTOR_CHECKPOINT), 120), NAMESPACE)
    return both(waiting, moved.equals(0), on=[NAMESPACE])


def _writes_refused() -> Expr:
    """Return the share of the writes; a way of refusing that was never used counts as none."""
    limited = _grown(increase(select(HTTP_REQUESTS, _WRITES, is_("status", "429")), _WINDOW_S))
    shed = _grown(increase(select(OUTBOX_ADMISSIONS_REFUSED), _WINDOW_S))
    writes = _grown(increase(select(HTTP_REQUESTS, _WRITES), _WINDOW_S))
    none = 0 * writes
    refused = combine(
        either(limited, none, on=[NAMESPACE]),
        "+",
        either(shed, none, on=[NAMESPACE]),
        on=[NAMESPACE],
    )
    return _percent(refused, writes)


def _certificates(limit: Threshold) -> Expr:
    ends = min_by(select(CERTIFICATE_EXPIRY), *_SERVICE, "identity")
    return beyond(ends - now(), "<", limit)


PROJECTOR_STALLED: Final = Alert(
    name="ProjectorStalled",
    expr=_stalled(),
    for_s=120,
    crossing_s=120,
    severity=Severity.CRITICAL,
    component=Component.PROJECTOR,
    family="projection_lag",
    slo=Objective.PROJECTION_LAG,
    summary="Blocks wait and the projection does not move.",
    description=f"{{{{ $value }}}} blocks {_IN} wait; the checkpoint stands still.",
    drill=Fault.STALL_PROJECTOR,
)
NO_ACTIVE_SUBMITTER: Final = Alert(
    name="NoActiveSubmitter",
    expr=max_by(select(OUTBOX_WORKER_ACTIVE), NAMESPACE) < 1,
    for_s=60,
    severity=Severity.CRITICAL,
    component=Component.OUTBOX,
    family="outbox_lease",
    summary="Accepted commands are not submitted: no submitter holds the lease.",
    description=f"No outbox-submitter {_IN} is active (value {{{{ $value }}}}).",
    drill=Fault.STOP_DATABASE,
)
NO_ACTIVE_PROJECTOR: Final = Alert(
    name="NoActiveProjector",
    expr=max_by(select(PROJECTOR_WORKER_ACTIVE), NAMESPACE) < 1,
    for_s=60,
    severity=Severity.CRITICAL,
    component=Component.PROJECTOR,
    family="projector_lease",
    summary="Nothing new becomes visible: no projector holds the lease.",
    description=f"No projector {_IN} is active (value {{{{ $value }}}}).",
    drill=Fault.STOP_DATABASE,
)
TWO_ACTIVE_WORKERS: Final = Alert(
    name="TwoActiveWorkers",
    expr=either(
        sum_by(select(OUTBOX_WORKER_ACTIVE), *_SERVICE) > 1,
        sum_by(select(PROJECTOR_WORKER_ACTIVE), *_SERVICE) > 1,
    ),
    for_s=60,
    severity=Severity.WARNING,
    component=Component.OUTBOX,
    family="two_active",
    summary="Two workers believe that they hold the same lease.",
    description=f"{{{{ $value }}}} of {{{{ $labels.service }}}} {_IN} say that they are active.",
    drill=Fault.SECOND_ACTIVE_WORKER,
)
OLDEST_IS_OLD: Final = Alert(
    name="OldestPending",
    expr=beyond(max_by(select(OUTBOX_OLDEST_PENDING_AGE), NAMESPACE), ">", OLDEST_PENDING),
    for_s=120,
    crossing_s=60,
    severity=Severity.CRITICAL,
    component=Component.OUTBOX,
    family="outbox_queue",
    summary="A command has waited for more than a minute.",
    description=f"The oldest command {_IN} has waited for {{{{ $value | humanizeDuration }}}}.",
    thresholds=(OLDEST_PENDING,),
    dashboard=CAPACITY_DASHBOARD,
    drill=Fault.STOP_LEDGER,
)
FAILURES_AT_LOW_VOLUME: Final = Alert(
    name="CommandFailuresAtLowVolume",
    expr=both(
        beyond(_grown(increase(FAILED_COMMANDS, _LONG_WINDOW_S)), ">=", LOW_VOLUME_FAILURES),
        beyond(
            _percent(
                _grown(increase(FAILED_COMMANDS, _LONG_WINDOW_S)),
                _grown(increase(FINISHED_COMMANDS, _LONG_WINDOW_S)),
            ),
            ">",
            LOW_VOLUME_SHARE,
        ),
        on=[NAMESPACE],
    ),
    severity=Severity.CRITICAL,
    component=Component.OUTBOX,
    family="tx_success",
    slo=Objective.TRANSACTION_SUCCESS,
    summary="Several commands failed although there were few.",
    description=f"{{{{ $value | humanize }}}} commands {_IN} failed within 30 minutes.",
    thresholds=(LOW_VOLUME_FAILURES, LOW_VOLUME_SHARE),
    drill=Fault.POISON_COMMANDS,
)
REFUSED_IN_BULK: Final = Alert(
    name="CommandsRefusedInBulk",
    expr=both(
        beyond(_grown(increase(_REJECTED, _WINDOW_S)), ">=", REFUSALS),
        beyond(
            _percent(
                _grown(increase(_REJECTED, _WINDOW_S)), _grown(increase(_OUTCOMES, _WINDOW_S))
            ),
            ">",
            REFUSALS_SHARE,
        ),
        on=[NAMESPACE],
    ),
    for_s=300,
    crossing_s=60,
    severity=Severity.WARNING,
    component=Component.OUTBOX,
    family="refusals",
    summary="The ledger refuses more commands than it takes.",
    description=f"{{{{ $value | humanize }}}} commands {_IN} were refused within 5 minutes.",
    thresholds=(REFUSALS, REFUSALS_SHARE),
    drill=Fault.OVERDRAW,
)
API_ERRORS: Final = Alert(
    name="APIErrorRate",
    expr=both(
        beyond(
            _percent(
                _grown(increase(_SERVER_ERRORS, _WINDOW_S), *_SERVICE),
                _grown(increase(select(HTTP_REQUESTS), _WINDOW_S), *_SERVICE),
                *_SERVICE,
            ),
            ">",
            SERVER_ERRORS_SHARE,
        ),
        beyond(_grown(increase(_SERVER_ERRORS, _WINDOW_S), *_SERVICE), ">=", SERVER_ERRORS),
        on=_SERVICE,
    ),
    for_s=300,
    crossing_s=30,
    severity=Severity.CRITICAL,
    component=Component.API,
    family="api_errors",
    slo=Objective.AVAILABILITY,
    summary="More than 1 % of the requests end in a server error.",
    description=(
        f"{{{{ $value | humanize }}}} % of the requests to {{{{ $labels.service }}}} {_IN} fail."
    ),
    thresholds=(SERVER_ERRORS_SHARE, SERVER_ERRORS),
    drill=Fault.FAILING_API,
)
WRITES_REFUSED: Final = Alert(
    name="WritesRefused",
    expr=beyond(_writes_refused(), ">", WRITES_REFUSED_SHARE),
    for_s=300,
    crossing_s=30,
    severity=Severity.WARNING,
    component=Component.API,
    family="writes_refused",
    summary="Writes are turned away: the queue is too old, or callers exceed their rate.",
    description=f"{{{{ $value | humanize }}}} % of the writes {_IN} get BACKLOG_FULL or 429.",
    thresholds=(WRITES_REFUSED_SHARE,),
    dashboard=CAPACITY_DASHBOARD,
    drill=Fault.OVERLOAD,
)
DATABASE_UNREACHABLE: Final = Alert(
    name="DatabaseUnreachable",
    expr=max_by(select(DATABASE_UP), *_SERVICE, "instance").equals(0),
    for_s=60,
    severity=Severity.CRITICAL,
    component=Component.DATABASE,
    family="database",
    summary="A process cannot use the database.",
    description=(
        f"{{{{ $labels.service }}}} ({{{{ $labels.instance }}}}) {_IN} cannot use the database "
        "(value {{ $value }})."
    ),
    dashboard=POSTGRES_DASHBOARD,
    drill=Fault.STOP_DATABASE,
)
LEDGER_UNREACHABLE: Final = Alert(
    name="LedgerUnreachable",
    expr=max_by(select(LEDGER_UP), *_SERVICE, "instance").equals(0),
    for_s=60,
    severity=Severity.CRITICAL,
    component=Component.FABRIC,
    family="ledger",
    summary="A process cannot reach the ledger.",
    description=(
        f"{{{{ $labels.service }}}} ({{{{ $labels.instance }}}}) {_IN} cannot reach the ledger "
        "(value {{ $value }})."
    ),
    drill=Fault.STOP_LEDGER,
)
BOOKS_DIFFER: Final = Alert(
    name="ReconciliationDifference",
    expr=either(
        max_by(select(RECONCILIATION_DIFFERENCE), NAMESPACE, "kind") > 0,
        min_by(select(RECONCILIATION_DIFFERENCE), NAMESPACE, "kind") < 0,
    ),
    for_s=300,
    crossing_s=60,
    severity=Severity.CRITICAL,
    component=Component.PROJECTOR,
    family="reconciliation",
    summary="Ledger and read models disagree about money.",
    description=f"The {{{{ $labels.kind }}}} {_IN} differ by {{{{ $value }}}} base units.",
    drill=Fault.FALSIFY_BALANCE,
)
CERTIFICATE_EXPIRING: Final = Alert(
    name="CertificateExpiring",
    expr=_certificates(CERTIFICATE_WARNING),
    for_s=3_600,
    severity=Severity.WARNING,
    component=Component.FABRIC,
    family="certificates",
    summary="A certificate stops being valid within 30 days.",
    description=(
        f"{{{{ $labels.identity }}}} of {{{{ $labels.service }}}} {_IN} is valid for another "
        "{{ $value | humanizeDuration }}."
    ),
    thresholds=(CERTIFICATE_WARNING,),
    drill=Fault.STAND_IN,
)
CERTIFICATE_NEARLY_EXPIRED: Final = Alert(
    name="CertificateExpiringCritical",
    expr=_certificates(CERTIFICATE_CRITICAL),
    for_s=3_600,
    severity=Severity.CRITICAL,
    component=Component.FABRIC,
    family="certificates",
    summary="A certificate stops being valid within 7 days.",
    description=(
        f"{{{{ $labels.identity }}}} of {{{{ $labels.service }}}} {_IN} is valid for another "
        "{{ $value | humanizeDuration }}."
    ),
    thresholds=(CERTIFICATE_CRITICAL,),
    drill=Fault.STAND_IN,
)

COMPANION_ALERTS: Final = (
    PROJECTOR_STALLED,
    NO_ACTIVE_SUBMITTER,
    NO_ACTIVE_PROJECTOR,
    TWO_ACTIVE_WORKERS,
    OLDEST_IS_OLD,
    FAILURES_AT_LOW_VOLUME,
    REFUSED_IN_BULK,
    API_ERRORS,
    WRITES_REFUSED,
    DATABASE_UNREACHABLE,
    LEDGER_UNREACHABLE,
    BOOKS_DIFFER,
    CERTIFICATE_EXPIRING,
    CERTIFICATE_NEARLY_EXPIRED,
)

"""The numbers that alerts compare with: one default each, and what an environment has instead."""

from dataclasses import dataclass
from functools import reduce
from typing import Final

from gx.monitoring.promql import Expr, combine, either, labelled, unless, vector

BACKEND_NAMESPACE: Final = "backend-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One number with its unit; `by_environment` names the environments that have another."""

    default: float
    unit: str
    by_environment: tuple[tuple[str, float], ...] = ()

    @property
    def text(self) -> str:
        """The numbers for people: the default, then the exceptions."""
        others = "".join(f"; {name}: {value:g}" for name, value in self.by_environment)
        return f"{self.default:g} {self.unit}{others}"


def beyond(expr: Expr, operator: str, threshold: Threshold) -> Expr:
    """Compare with a threshold; an environment's own number holds in its namespace alone.

    Where an environment has its own, `expr` needs the label `namespace`.
    """
    if not threshold.by_environment:
        return combine(expr, operator, threshold.default)
    own = [
        labelled(vector(value), "namespace", BACKEND_NAMESPACE + name)
        for name, value in threshold.by_environment
    ]
    exceptions = reduce(either, own)
    on = ["namespace"]
    return either(
        combine(expr, operator, exceptions, on=on, many_to_one=True),
        unless(combine(expr, operator, threshold.default), exceptions, on=on),
    )


EVENTS: Final = "events"
PERCENT: Final = "%"

SUCCESS_SLO: Final = Threshold(default=99.9, unit=PERCENT)
SUCCESS_VOLUME: Final = Threshold(default=20, unit="commands in 5 minutes")
LAG_SLO: Final = Threshold(default=5_000, unit="ms")
LAG_CRITICAL: Final = Threshold(default=10_000, unit="ms")
LATENCY_SLO: Final = Threshold(default=500, unit="ms")
LATENCY_CRITICAL: Final = Threshold(default=1_000, unit="ms")
QUEUE_WARNING: Final = Threshold(default=100, unit="commands")
QUEUE_CRITICAL: Final = Threshold(default=500, unit="commands")
DEAD_LETTERS_RISE: Final = Threshold(default=10, unit="dead letters in 5 minutes")
DEAD_LETTERS_CRITICAL: Final = Threshold(default=50, unit="dead letters")
BREAKER: Final = Threshold(default=0.5, unit="of the last minute not closed")
FABRIC_WARNING: Final = Threshold(default=5, unit=PERCENT)
FABRIC_CRITICAL: Final = Threshold(default=20, unit=PERCENT)
FABRIC_VOLUME: Final = Threshold(default=10, unit="transactions in 5 minutes")
FAILED_EVENTS: Final = Threshold(default=0.1, unit="failures per second")
CPU: Final = Threshold(default=80, unit="% of the limit")
MEMORY: Final = Threshold(default=85, unit="% of the limit")
RESTARTS: Final = Threshold(default=0.1, unit="restarts per minute over 15 minutes")

OLDEST_PENDING: Final = Threshold(default=60, unit="s")
RECONCILIATION_OVERDUE: Final = Threshold(default=3_600, unit="s")
LOW_VOLUME_FAILURES: Final = Threshold(default=3, unit="failed commands in 30 minutes")
LOW_VOLUME_SHARE: Final = Threshold(default=10, unit=PERCENT)
REFUSALS: Final = Threshold(default=20, unit="refused commands in 5 minutes")
REFUSALS_SHARE: Final = Threshold(default=50, unit="% of the outcomes")
SERVER_ERRORS_SHARE: Final = Threshold(default=1, unit="% of the requests")
SERVER_ERRORS: Final = Threshold(default=5, unit="errors in 5 minutes")
WRITES_REFUSED_SHARE: Final = Threshold(default=1, unit="% of the writes")
CERTIFICATE_WARNING: Final = Threshold(default=30 * 86_400, unit="s left (30 days)")
CERTIFICATE_CRITICAL: Final = Threshold(default=7 * 86_400, unit="s left (7 days)")
SAMPLES_SHARE: Final = Threshold(default=80, unit="% of the sample limit")
REPLICATION_LAG: Final = Threshold(default=30, unit="s")
TRANSACTION_AGE: Final = Threshold(default=600, unit="s")
CONNECTIONS_SHARE: Final = Threshold(default=80, unit="% of the connections")
DISK_LEFT: Final = Threshold(default=10, unit="% left")
BLOCKS_BEHIND: Final = Threshold(default=10, unit="blocks behind")
INVALID_SHARE: Final = Threshold(default=5, unit="% of the transactions")
INVALID_VOLUME: Final = Threshold(default=10, unit="transactions in 5 minutes")
ENDORSEMENT_SHARE: Final = Threshold(default=5, unit="% of the proposals")
ENDORSEMENT_FAILURES: Final = Threshold(default=5, unit="failures in 5 minutes")

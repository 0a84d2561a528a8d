"""Recording rules: numbers that several alerts and panels share, computed once.

A name says level, metric and operation (prometheus.io/docs/practices/rules). Ratios divide by
traffic that is there: without any they have no value, which is not the same as 0 or 100 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gx.monitoring.external import PROBE_SUCCESS
from gx.monitoring.jobs import PROBE_JOB
from gx.monitoring.promql import (
    Expr,
    Selector,
    avg_by,
    avg_over,
    buckets_of,
    combine,
    either,
    histogram_quantile,
    rate,
    select,
    sum_by,
    vector,
)
from gx.monitoring.scrape import TargetLabels
from gx.monitoring.selectors import is_, is_not, one_of
from gx.telemetry.catalogue.edge import HTTP_REQUEST_DURATION
from gx.telemetry.catalogue.write_path import (
    FABRIC_TRANSACTION_SUBMISSIONS,
    OUTBOX_COMMANDS_PROCESSED,
)

NAMESPACE: Final = "namespace"
RATIO_WINDOW_S: Final = 300
AVAILABILITY_WINDOW_S: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One recording rule; as a series it has exactly the labels of its result."""

    name: str
    expr: Expr
    help: str
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels of what it records."""
        return tuple(sorted(self.expr.labels | {key for key, _ in self.labels}))

    def to_yaml(self) -> dict[str, object]:
        """Return it as a rule file spells it."""
        labels: dict[str, object] = {"labels": dict(self.labels)} if self.labels else {}
        return {"record": self.name, "expr": self.expr.text, **labels}


def percent_of(part: Expr, whole: Expr) -> Expr:
    """Return 100 * part / whole by namespace; a part that never happened is 0."""
    busy = whole > 0
    known = either(part, 0 * busy, on=[NAMESPACE])
    return 100 * combine(known, "/", busy, on=[NAMESPACE])


def _by_namespace(counter: Selector, window_s: int) -> Expr:
    return sum_by(rate(counter, window_s), NAMESPACE)


FAILED_COMMANDS: Final = select(OUTBOX_COMMANDS_PROCESSED, is_("status", "failed"))
FINISHED_COMMANDS: Final = select(OUTBOX_COMMANDS_PROCESSED, one_of("status", "success", "failed"))
FAILED_TRANSACTIONS: Final = select(FABRIC_TRANSACTION_SUBMISSIONS, is_not("status", "success"))
TRANSACTIONS: Final = select(FABRIC_TRANSACTION_SUBMISSIONS)

COMMAND_SUCCESS: Final = Recording(
    name="namespace:gx_command_success:percent5m",
    expr=100
    - percent_of(
        _by_namespace(FAILED_COMMANDS, RATIO_WINDOW_S),
        _by_namespace(FINISHED_COMMANDS, RATIO_WINDOW_S),
    ),
    help="Commands that took effect, of those that did or were given up; no value when idle.",
)
FABRIC_FAILURE: Final = Recording(
    name="namespace:gx_fabric_failure:percent5m",
    expr=percent_of(
        _by_namespace(FAILED_TRANSACTIONS, RATIO_WINDOW_S),
        _by_namespace(TRANSACTIONS, RATIO_WINDOW_S),
    ),
    help="Ledger transactions that ended without a valid verdict; no value when idle.",
)
API_LATENCY_P95: Final = Recording(
    name="namespace_service:gx_api_latency_ms:p95_5m",
    expr=histogram_quantile(
        0.95,
        sum_by(rate(buckets_of(HTTP_REQUEST_DURATION), RATIO_WINDOW_S), NAMESPACE, "service", "le"),
    ),
    help="95th percentile of the time to answer a request, by service.",
)
AVAILABILITY: Final = Recording(
    name="namespace:gx_availability:percent1h",
    expr=100
    * avg_by(
        avg_over(select(PROBE_SUCCESS, is_("job", PROBE_JOB)), AVAILABILITY_WINDOW_S), NAMESPACE
    ),
    help="Share of the readiness probes of the last hour that succeeded.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedTargets:
    """The series `gx:expected_target`: one sample for each target that there should be."""

    name: str = "gx:expected_target"
    label_names: tuple[str, ...] = ("environment", "job", "namespace", "service")

    def rules(self, targets: Sequence[tuple[str, TargetLabels]]) -> tuple[Recording, ...]:
        """Make a rule for each job and its target's labels, every pair once."""
        return tuple(
            Recording(
                name=self.name,
                expr=vector(1),
                help="1 for a target that there should be.",
                labels=(
                    ("environment", labels.environment),
                    ("job", job),
                    ("namespace", labels.namespace),
                    ("service", labels.service),
                ),
            )
            for job, labels in dict.fromkeys(targets)
        )


EXPECTED_TARGET: Final = ExpectedTargets()

SHARED_RECORDINGS: Final = (COMMAND_SUCCESS, FABRIC_FAILURE, API_LATENCY_P95, AVAILABILITY)

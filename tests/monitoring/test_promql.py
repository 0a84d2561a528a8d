"""Expressions: what the catalogue lacks cannot be written; what it has, Prometheus reads."""

from collections.abc import Callable

import promql_parser
import pytest

from gx.monitoring.durations import duration
from gx.monitoring.external import POD_RESTARTS, UP
from gx.monitoring.promql import (
    RATE_INTERVAL,
    Expr,
    at_most,
    avg_over,
    both,
    buckets_of,
    changes,
    combine,
    count_of,
    either,
    histogram_quantile,
    increase,
    labelled,
    max_by,
    max_over,
    number,
    predict,
    rate,
    select,
    sum_by,
    sum_of,
    unless,
    vector,
)
from gx.monitoring.recording import API_LATENCY_P95, COMMAND_SUCCESS, SHARED_RECORDINGS, Recording
from gx.monitoring.selectors import PromqlError, is_, is_not, matches, matches_not, one_of
from gx.telemetry.catalogue.edge import HTTP_REQUEST_DURATION
from gx.telemetry.catalogue.read_path import PROJECTION_LAG
from gx.telemetry.catalogue.write_path import (
    OUTBOX_COMMANDS_PROCESSED,
    OUTBOX_COMMIT_LATENCY,
    OUTBOX_PENDING_COMMANDS,
)

PENDING = select(OUTBOX_PENDING_COMMANDS)
PROCESSED = select(OUTBOX_COMMANDS_PROCESSED)
UPS = select(UP)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (max_by(PENDING, "namespace") > 100, "max by (namespace) (outbox_pending_commands) > 100"),
        (
            rate(select(OUTBOX_COMMANDS_PROCESSED, is_("status", "failed")), RATE_INTERVAL),
            'rate(outbox_commands_processed_total{status="failed"}[$__rate_interval])',
        ),
        (
            sum_by(increase(PROCESSED, 900), "namespace") / 15,
            "sum by (namespace) (increase(outbox_commands_processed_total[15m])) / 15",
        ),
        (
            histogram_quantile(0.5, sum_by(rate(buckets_of(HTTP_REQUEST_DURATION), 300), "le")),
            "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_ms_bucket[5m])))",
        ),
        (
            rate(at_most(HTTP_REQUEST_DURATION, 500), 60),
            'rate(http_request_duration_ms_bucket{le=~"500(\\\\.0)?"}[1m])',
        ),
        (
            rate(sum_of(HTTP_REQUEST_DURATION), 90) * 1e-3,
            "rate(http_request_duration_ms_sum[90s]) * 0.001",
        ),
        (
            unless(UPS.equals(0), vector(1), on=()),
            "(up == 0) unless on () vector(1)",
        ),
        (
            either(UPS <= 0, UPS >= 1, on=["job"]),
            "(up <= 0) or on (job) (up >= 1)",
        ),
        (
            combine(PENDING, "/", UPS, on=["job", "instance"], many_to_one=True),
            "outbox_pending_commands / on (job, instance) group_left () up",
        ),
        (
            avg_over(max_by(PENDING, "namespace"), 120),
            "avg_over_time(max by (namespace) (outbox_pending_commands)[2m:])",
        ),
        (max_over(UPS < 1, 3_600), "max_over_time((up < 1)[1h:])"),
        (
            predict(PENDING, 21_600, ahead_s=86_400),
            "predict_linear(outbox_pending_commands[6h], 86400)",
        ),
        (number(1) - PENDING - 2, "(1 - outbox_pending_commands) - 2"),
        (
            select(
                UP, one_of("job", "a.b", "c"), is_not("pod", 'x"y'), matches_not("service", "z+")
            ),
            'up{job=~"a\\\\.b|c",pod!="x\\"y",service!~"z+"}',
        ),
    ],
)
def test_an_expression_reads_as_written(expression: Expr, text: str) -> None:
    """The text has the brackets that it needs, and another parser accepts it."""
    assert expression.text == text
    promql_parser.parse(text.replace(RATE_INTERVAL, "1m"))


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (lambda: select(OUTBOX_COMMANDS_PROCESSED, is_("stat", "failed")), "no label stat; it has"),
        (
            lambda: select(OUTBOX_COMMANDS_PROCESSED, one_of("status", "failed", "error")),
            "status is never error; it is one of success, failed, rejected, retry",
        ),
        (lambda: select(HTTP_REQUEST_DURATION), "is a histogram"),
        (lambda: count_of(PROJECTION_LAG), "is not a histogram"),
        (lambda: at_most(HTTP_REQUEST_DURATION, 400), "no bucket that ends at 400"),
        (lambda: rate(PENDING, 300), "rate of the gauge outbox_pending_commands"),
        (lambda: increase(select(UP), 300), "increase of the gauge up"),
        (lambda: sum_by(PROCESSED, "namespce"), "sum needs the label namespce, which"),
        (lambda: max_by(max_by(PENDING, "namespace"), "instance"), "max needs the label instance"),
        (
            lambda: histogram_quantile(0.95, sum_by(buckets_of(OUTBOX_COMMIT_LATENCY), "service")),
            "needs the label le",
        ),
        (lambda: PENDING / PROCESSED, "say on which labels to match"),
        (
            lambda: combine(PENDING, "/", sum_by(PROCESSED), on=["namespace"]),
            "/ needs the label namespace",
        ),
        (
            lambda: both(max_by(PENDING, "namespace"), PROCESSED, on=["commandType"]),
            "and needs the label commandType",
        ),
        (lambda: select(COMMAND_SUCCESS, is_("service", "api")), "no label service"),
        (lambda: duration("5m"), "no dashboard variable"),
    ],
)
def test_what_the_catalogue_does_not_have_cannot_be_written(
    write: Callable[[], object], complaint: str
) -> None:
    """The mistake is an error where it is made, and the text names what is missing."""
    with pytest.raises(PromqlError, match=complaint):
        write()


def test_an_expression_knows_its_labels_and_what_it_reads() -> None:
    """Aggregation keeps the named labels, matching those it matches on, `or` what both have."""
    by_type = sum_by(rate(PROCESSED, 300), "namespace", "commandType")
    total = sum_by(rate(PROCESSED, 300), "namespace")
    share = combine(by_type, "/", total, on=["namespace"], many_to_one=True)
    restarts = either(sum_by(select(POD_RESTARTS), "namespace", "pod"), total)

    assert share.labels == {"namespace", "commandType"}
    assert combine(total, "/", total, on=["namespace"]).labels == {"namespace"}
    assert share.reads == {OUTBOX_COMMANDS_PROCESSED}
    assert restarts.labels == {"namespace"}
    assert restarts.maybe == {"pod"}
    assert labelled(vector(1), "namespace", "a").labels == {"namespace"}
    assert changes(select(UP, matches("job", "gx-.+")), 900).reads == {UP}
    assert select(API_LATENCY_P95).labels == {"namespace", "service"}


@pytest.mark.parametrize("recording", SHARED_RECORDINGS, ids=lambda each: each.name)
def test_every_recording_rule_is_promql(recording: Recording) -> None:
    """A second parser reads it, and its rule has nothing but what a rule file knows."""
    promql_parser.parse(recording.expr.text)
    assert recording.to_yaml() == {"record": recording.name, "expr": recording.expr.text}

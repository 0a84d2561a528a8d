"""The catalogue's rules, each with a metric that breaks it."""

from dataclasses import replace
from typing import Final

import pytest

from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.catalogue.read_path import PROJECTION_LAG
from gx.telemetry.metric import Kind, Label, Metric, Process, Unit, ValueSource, repeat
from gx.telemetry.naming import find_faults

GOOD: Final = Metric(
    name="gx_things_total",
    kind=Kind.COUNTER,
    help="Things that happened.",
    unit=Unit.COUNT,
    processes=frozenset({Process.API}),
)
TIMED: Final = Metric(
    name="gx_thing_duration_seconds",
    kind=Kind.HISTOGRAM,
    help="Time that a thing took.",
    unit=Unit.SECONDS,
    processes=frozenset({Process.API}),
    buckets=(0.1, 1.0),
)


def test_the_catalogue_keeps_its_rules() -> None:
    """Every metric has a lawful name, unit, kind, labels and aliases."""
    assert find_faults(CATALOGUE) == ()


def test_lawful_metrics_have_no_faults() -> None:
    """The metrics that the negative controls start from are lawful themselves."""
    assert find_faults((GOOD, TIMED)) == ()


@pytest.mark.parametrize(
    ("metric", "fault"),
    [
        pytest.param(replace(GOOD, name="gxThings_total"), "snake_case", id="camel case name"),
        pytest.param(replace(GOOD, name="things"), "prefix", id="no prefix"),
        pytest.param(replace(GOOD, help="things"), "sentence", id="no help"),
        pytest.param(replace(GOOD, processes=frozenset()), "no process", id="nobody exports it"),
        pytest.param(replace(GOOD, name="gx_things"), "_total", id="counter without _total"),
        pytest.param(replace(GOOD, kind=Kind.GAUGE), "_total", id="gauge with _total"),
        pytest.param(
            replace(GOOD, name="gx_thing_size_bytes", kind=Kind.GAUGE, unit=Unit.BYTES),
            "sizes are histograms",
            id="size that is a gauge",
        ),
        pytest.param(replace(GOOD, unit=Unit.SECONDS), "_seconds", id="unit not in the name"),
        pytest.param(
            replace(TIMED, name="gx_thing_duration_ms", unit=Unit.MILLISECONDS),
            "new metric uses seconds",
            id="new metric in ms",
        ),
        pytest.param(replace(TIMED, buckets=()), "has buckets", id="histogram without buckets"),
        pytest.param(replace(GOOD, buckets=(1.0,)), "has buckets", id="counter with buckets"),
        pytest.param(replace(TIMED, buckets=(1.0, 0.1)), "do not rise", id="falling buckets"),
        pytest.param(replace(GOOD, stale_after_s=1), "only a gauge", id="counter gone stale"),
        pytest.param(
            replace(GOOD, labels=(Label("eventType", values=("a",)),)),
            "not snake_case",
            id="camel case label of a new metric",
        ),
        pytest.param(
            replace(GOOD, labels=(Label("namespace", values=("a",)),)),
            "scrape target",
            id="target's label",
        ),
        pytest.param(replace(GOOD, labels=(Label("kind"),)), "values or a source", id="no values"),
        pytest.param(
            replace(GOOD, labels=(Label("kind", ("a",), source=ValueSource.CHANNEL),)),
            "values or a source",
            id="values and a source",
        ),
        pytest.param(
            replace(GOOD, labels=(Label("kind", ("a",)), Label("kind", ("b",)))),
            "appears twice",
            id="label twice",
        ),
    ],
)
def test_a_broken_rule_is_named(metric: Metric, fault: str) -> None:
    """Breaking one rule is reported, with the metric's name."""
    faults = find_faults((metric,))

    assert any(each.startswith(f"{metric.name}: ") and fault in each for each in faults), faults


def test_an_exception_needs_its_reason() -> None:
    """A name quoted by the original rules is lawful only with the mark that says so."""
    assert find_faults((PROJECTION_LAG,)) == ()
    assert find_faults((replace(PROJECTION_LAG, unit_exception=None),)) != ()


def test_a_name_is_declared_once() -> None:
    """Two metrics may share neither a name nor a histogram's sample names."""
    clash = replace(GOOD, name="gx_thing_duration_seconds_count", kind=Kind.GAUGE)

    assert "gx_things_total: declared 2 times" in find_faults((GOOD, GOOD))
    assert "gx_thing_duration_seconds_count: declared 2 times" in find_faults((TIMED, clash))


@pytest.mark.parametrize(
    ("alias", "fault"),
    [
        pytest.param(
            repeat(replace(TIMED, name="gx_gone_seconds"), "gx_other_seconds"),
            "not in the catalogue",
            id="of nothing",
        ),
        pytest.param(
            repeat(repeat(TIMED, "gx_b_duration_seconds"), "gx_c_duration_seconds"),
            "an alias itself",
            id="of an alias",
        ),
        pytest.param(
            replace(repeat(TIMED, "gx_b_seconds"), processes=frozenset({Process.LEDGER})),
            "differ",
            id="of another process",
        ),
        pytest.param(
            replace(repeat(TIMED, "gx_b_seconds"), alias_divisor=1000),
            "divisor",
            id="converted without need",
        ),
        pytest.param(
            replace(repeat(TIMED, "gx_b_seconds"), buckets=(0.2, 1.0)),
            "buckets",
            id="other buckets",
        ),
    ],
)
def test_an_alias_repeats_its_primary(alias: Metric, fault: str) -> None:
    """An alias has kind, labels, processes and (converted) buckets of a declared metric."""
    faults = find_faults((TIMED, alias))

    assert any(fault in each for each in faults), faults

"""What is read from files, and what is refused with words that help."""

from pathlib import Path
from typing import Final

import pytest
import yaml

from gx.monitoring.model import ENVIRONMENTS
from gx.proof.backtest.history import POINTS_MAX, chunks, halves
from gx.proof.backtest.incidents import Incident, IncidentFileError, read_incidents
from gx.proof.backtest.inlining import Inliner, InliningError
from gx.proof.backtest.measures import Reading, is_false, measure, split_incidents
from gx.proof.backtest.replay import Replay
from gx.proof.backtest.report import incident_rows
from gx.proof.backtest.rules import (
    RecordingRule,
    RuleFileError,
    catalogue_rules,
    parse_duration,
    read_rules,
)
from gx.proof.backtest.states import Evaluations
from gx.proof.baseline.proposals import Trial, choose
from gx.proof.baseline.tunables import tunables

FILE: Final = {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0", "for": "1m"}]}]}


@pytest.mark.parametrize(
    "document",
    [
        FILE,
        {"kind": "PrometheusRule", "spec": FILE},
        {"kind": "ConfigMap", "data": {"rules.yml": yaml.safe_dump(FILE)}},
    ],
)
def test_rules_are_found_in_whatever_holds_them(document: object, tmp_path: Path) -> None:
    """A rule file, a PrometheusRule and a ConfigMap say the same."""
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump(document))

    (alert,) = read_rules(path).alerts

    assert (alert.name, alert.expr, alert.for_s) == ("A", "up == 0", 60)


@pytest.mark.parametrize(
    "text", ["[]", "a: 1", "groups: 1", "groups: [{rules: [{alert: A}]}]", "groups: []", "{"]
)
def test_what_holds_no_rules_is_refused(text: str, tmp_path: Path) -> None:
    """With the file's name, so that its owner finds it."""
    path = tmp_path / "rules.yml"
    path.write_text(text)

    with pytest.raises(RuleFileError, match=r"rules\.yml"):
        read_rules(path)


def test_durations_are_read_as_prometheus_writes_them() -> None:
    """Units descend and add up; anything else is refused."""
    assert parse_duration("1h30m", "x") == 5_400
    assert parse_duration("1d", "x") == 86_400
    for wrong in ("5", "", "1.5h", "5 minutes"):
        with pytest.raises(RuleFileError, match="whole seconds"):
            parse_duration(wrong, "x")


def test_no_alert_of_the_catalogue_reads_a_recording_after_inlining() -> None:
    """Whatever records what, the history needs scraped metrics alone."""
    rules = catalogue_rules(ENVIRONMENTS)
    names = {recording.name for recording in rules.recordings}
    inliner = Inliner(rules.recordings)

    left = {
        alert.name
        for alert in rules.alerts
        if any(name in inliner.inline(alert.expr) for name in names)
    }

    assert names
    assert not left


def test_only_series_are_replaced_not_words_that_look_like_them() -> None:
    """A recording's name in a string, a label list, a matcher or a comment stays."""
    inliner = Inliner([RecordingRule(name="job", expr="up")])

    text = 'sum by (job) (x{job="job"}) + on (job) label_replace(y, "job", "", "", "") # job'

    assert inliner.inline(text) == text
    assert inliner.inline("job > 1") == "((up)) > 1"
    assert inliner.inline("max_over_time(job[5m])") == "max_over_time(((up))[5m:15s])"


def test_recordings_that_cannot_be_replaced_are_refused() -> None:
    """A circle has no end, and `@` has no place in a bracket."""
    inliner = Inliner([RecordingRule(name="a", expr="b + 1"), RecordingRule(name="b", expr="a")])

    with pytest.raises(InliningError, match="circle"):
        inliner.inline("a")
    with pytest.raises(InliningError, match="@"):
        inliner.inline("a @ end()")


def test_incidents_are_the_same_in_yaml_and_in_csv(tmp_path: Path) -> None:
    """Times without an offset are UTC; several alerts are separated by a semicolon."""
    listed, table = tmp_path / "i.yaml", tmp_path / "i.csv"
    listed.write_text(
        "- {name: jam, start: 2026-01-05T01:00:00Z, end: 1767576000, alerts: [A, B]}\n"
    )
    table.write_text("name,start,end,alerts\njam,2026-01-05T01:00,2026-01-05T01:20:00Z,A; B\n")

    (incident,) = read_incidents(listed)

    assert (incident,) == read_incidents(table)
    assert incident == Incident(
        name="jam", start_s=1_767_574_800, end_s=1_767_576_000, alerts=("A", "B")
    )
    assert incident.concerns("A")
    assert not incident.concerns("C")


@pytest.mark.parametrize(
    "row", ["- {name: x, start: 2, end: 1}", "- {name: x, start: 1}", "- x", "a: b", "- {"]
)
def test_incidents_that_make_no_sense_are_refused(row: str, tmp_path: Path) -> None:
    """With the file's name, so that its owner finds the entry."""
    path = tmp_path / "i.yaml"
    path.write_text(row)

    with pytest.raises(IncidentFileError, match=r"i\.yaml"):
        read_incidents(path)


def test_parts_of_a_range_are_all_of_it_once() -> None:
    """No evaluation is asked for twice or left out, and no part is too large for an answer."""
    whole = Evaluations(start_s=7, end_s=7 + 15 * 25_003, step_s=15)

    parts = [half for part in chunks(whole) for half in halves(part)]

    instants = [t for part in parts for t in range(part.start_s, part.last_s + 1, 15)]
    assert instants == list(range(whole.start_s, whole.last_s + 1, 15))
    assert all(part.count <= POINTS_MAX for part in chunks(whole))


def test_every_tunable_threshold_can_be_replaced_in_its_alert() -> None:
    """Another number makes another expression; the same number the same one."""
    found = tunables()

    assert len(found) >= 25
    for each in found:
        assert each.expression(each.threshold.default) == each.alert.expr.text
        assert each.expression(123_456) != each.alert.expr.text


def _trial(value: float, *, false: float, missed: int) -> Trial:
    names = tuple(str(number) for number in range(missed))
    return Trial(
        value=value, notifications=1, false_per_week=false, missed=names, miss_rate=missed / 2
    )


def test_a_missed_incident_weighs_more_than_any_false_page() -> None:
    """Silence is no improvement; with equal misses the fewest false pages win, then the nearest."""
    trials = [
        _trial(100, false=3, missed=0),
        _trial(150, false=1, missed=0),
        _trial(200, false=1, missed=0),
        _trial(900, false=0, missed=1),
    ]

    assert choose(trials, 100) == 150
    assert choose(trials[:1], 100) is None
    assert choose([trials[0], trials[3]], 100) is None


def test_an_incident_that_the_history_has_not_wholly_is_not_judged() -> None:
    """Neither found nor missed; one at the very edges is."""
    evaluations = Evaluations(start_s=100, end_s=200, step_s=10)
    whole = Incident(name="whole", start_s=100, end_s=200)
    early = Incident(name="early", start_s=90, end_s=150)
    late = Incident(name="late", start_s=150, end_s=201)
    kept, outside = split_incidents((whole, early, late), evaluations)

    assert (kept, outside) == ((whole,), (early, late))
    reading = Reading(incidents=kept, outside=outside)
    measured = measure(Replay(name="none", evaluations=evaluations, alerts=()), reading)
    assert measured.unjudged == ("early", "late")
    assert [row[:2] for row in incident_rows(measured)] == [
        ("whole", "missed"),
        ("early", "-"),
        ("late", "-"),
    ]
    assert not is_false((95, 99), "Any", reading)

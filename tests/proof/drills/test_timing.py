"""In time or late: what an alert may take, and what is declared of faults that take theirs."""

from dataclasses import replace
from typing import Final

import pytest

from gx.ledger.breaker import BreakerSettings
from gx.monitoring.alertmanager.routing import Pace
from gx.monitoring.deadman.watch import PERIODS_MAX
from gx.monitoring.scaling import LOOKBACK_S, Scale
from gx.proof.drills.notifications import Notice
from gx.proof.drills.observer import Sighting
from gx.proof.drills.onsets import ALLOWANCE_S, ONSETS
from gx.proof.drills.outcome import AlertRun, DrillRun, Phase
from gx.proof.drills.places import PATIENCE
from gx.proof.drills.report import complaints, row, to_markdown, to_wire
from gx.proof.drills.scenarios import SCENARIOS, Scenario
from gx.runtime.processes.backend import WATCH_INTERVAL_S, WATCH_TIMEOUT_S
from gx.runtime.settings import ProjectorSettings, SubmitterSettings

SCALE: Final = Scale(15)
OUTAGE: Final = next(each for each in SCENARIOS if each.name == "api-outage")
PARKED: Final = next(each for each in SCENARIOS if each.name == "parked-event")
SILENCE: Final = next(each for each in SCENARIOS if each.is_silence)


def played(scenario: Scenario, told_s: float, *, firing_s: float = 1.0) -> AlertRun:
    """The scenario's first alert, told so many seconds on the wall after its fault."""
    alert = scenario.expects[0]
    labels = {"alertname": alert.name}
    return AlertRun(
        alert=alert,
        scenario=scenario,
        phase=Phase.RESOLVED,
        injected_s=100.0,
        ended_s=120.0,
        sighting=Sighting(labels=labels, pending_s=100.5, firing_s=100.0 + firing_s),
        notices=(Notice(at_s=100.0 + told_s, receiver="pagerduty", is_firing=True),),
    )


def test_an_alert_is_late_after_its_budget_and_what_a_busy_machine_may_add() -> None:
    """A time that is only printed beside its budget proves no "in time"."""
    run = played(OUTAGE, 0.0)
    most_s = run.alert.detection_s / 15 + ALLOWANCE_S

    assert not played(OUTAGE, most_s - 0.1).is_late(SCALE)
    assert played(OUTAGE, most_s + 0.1).is_late(SCALE)


def test_a_fault_that_is_not_complete_at_once_has_its_onset_and_no_more() -> None:
    """What is declared of one alert in one drill is added there, and nowhere else."""
    run = played(PARKED, 0.0)
    most_s = run.alert.detection_s / 15 + ONSETS["parked-event"][run.alert.name].own_s + ALLOWANCE_S

    assert not played(PARKED, most_s - 0.1).is_late(SCALE)
    assert played(PARKED, most_s + 0.1).is_late(SCALE)


def test_the_true_pace_allows_ten_seconds_and_no_multiple() -> None:
    """The allowance is this machine's, and the machine is not slower at the true pace."""
    run = played(OUTAGE, 0.0)

    assert run.limit_s(Scale(1)) == run.alert.detection_s + ALLOWANCE_S


def test_a_group_that_is_still_open_adds_its_interval() -> None:
    """Alertmanager tells of the same alert again only when its group's interval is over."""
    run = played(OUTAGE, 0.0)
    alone_s = run.limit_s(SCALE)
    run.has_open_group = True

    assert run.limit_s(SCALE) == alone_s + SCALE.seconds(Pace().interval_s)


def test_a_muted_alert_is_judged_by_when_it_fired() -> None:
    """It was told only once what muted it was gone: that says nothing of its own speed."""
    run = played(OUTAGE, 90.0, firing_s=5.0)
    assert run.is_late(SCALE)

    run.muting = replace(run.sighting or Sighting(labels={}, pending_s=0.0), muted_s=106.0)
    assert run.detected_s == 5.0
    assert not run.is_late(SCALE)


def test_silence_is_judged_by_the_dead_man_s_own_patience() -> None:
    """No alert can fire; what counts is how many heartbeats may be missed."""
    patience_s = Pace().beat_s * PERIODS_MAX / 15

    assert not played(SILENCE, patience_s + 5).is_late(SCALE)
    assert played(SILENCE, patience_s + 2 * ALLOWANCE_S).is_late(SCALE)


def test_who_is_late_fails_by_name() -> None:
    """The table, the report and the exit code must not disagree."""
    late = played(OUTAGE, 90.0)
    late.phase, late.faults = Phase.LATE, [late.lateness(SCALE)]
    run = DrillRun(scale=SCALE, began_s=100.0, alerts=[late], ended_s=200.0)
    wire = to_wire(run)

    assert row(late, SCALE)[-1] == "late"
    assert not run.is_good
    assert wire["ok"] is False
    assert "detected after 1350 s, and more than 250 s is late" in complaints(run)
    assert "| 1350 s | 100 s | 250 s |" in to_markdown(run, command="gx drill")


def test_each_onset_belongs_to_an_alert_that_its_drill_expects() -> None:
    """A renamed drill would lose its onset, and an unused one would stay for ever."""
    expected = {(each.name, alert.name) for each in SCENARIOS for alert in each.expects}

    assert {(drill, name) for drill, alerts in ONSETS.items() for name in alerts} <= expected


def test_onsets_are_what_the_configuration_makes_them() -> None:
    """A time-out that somebody changes must not hide behind an old figure."""
    patience_s = float(PATIENCE["GX_LEDGER_PREPARE_TIMEOUT_S"])
    lease_s = ProjectorSettings.model_fields["lease_s"].default
    outage = ONSETS["database-outage"]

    assert outage["NoActiveProjector"].own_s == lease_s
    assert outage["NoActiveSubmitter"].own_s == SubmitterSettings.model_fields["lease_s"].default
    assert outage["DatabaseUnreachable"].own_s == 2 * WATCH_TIMEOUT_S + WATCH_INTERVAL_S
    assert ONSETS["parked-event"]["ProjectionEventsParked"].own_s == pytest.approx(
        lease_s * 4 / 3, abs=0.1
    )
    assert ONSETS["removed-target"]["BackendServiceDown"].scaled_s == LOOKBACK_S
    assert (
        ONSETS["ledger-outage"]["FabricCircuitBreakerOpen"].own_s
        == BreakerSettings().failures_max * patience_s
    )

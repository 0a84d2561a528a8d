"""What is declared of the drills; `make proof` plays them, on a machine of its own."""

import pytest

from gx.monitoring.alerts import ALERTS
from gx.monitoring.scaling import Scale
from gx.proof.drills.choice import choose, suspects
from gx.proof.drills.observer import Sighting
from gx.proof.drills.outcome import AlertRun, DrillRun, FalseAlarm, Phase
from gx.proof.drills.scenarios import NOT_DRILLED, SCENARIOS
from gx.proof.drills.spoken import Spoken, Statement


def test_each_alert_has_a_drill_or_a_reason_why_it_has_none() -> None:
    """What nobody plays, nobody knows to work."""
    played = {alert.name for each in SCENARIOS for alert in each.expects}

    assert played | set(NOT_DRILLED) == {alert.name for alert in ALERTS}
    assert not played & set(NOT_DRILLED)
    assert all(NOT_DRILLED.values())


def test_what_a_drill_expects_is_what_the_catalogue_says_of_its_fault() -> None:
    """An alert that names another fault would be proven by accident."""
    for each in SCENARIOS:
        assert {alert.drill for alert in each.expects} == {each.drill.fault}


def test_each_scenario_can_be_chosen_by_its_name() -> None:
    """Two of one name would hide each other."""
    names = [each.name for each in SCENARIOS]

    assert len(names) == len(set(names))


def test_an_alert_s_name_chooses_its_first_drill_and_waits_for_it_alone() -> None:
    """At the true pace the drill's other alerts may take an hour longer."""
    (outage,) = choose(SCENARIOS, ["BackendServiceDown"])
    (whole,) = choose(SCENARIOS, ["api-outage", "BackendServiceDown"])

    assert (outage.name, [each.name for each in outage.expects]) == (
        "api-outage",
        ["BackendServiceDown"],
    )
    assert "ProbeFailing" in outage.tolerated
    assert len(whole.expects) > 1


def test_a_name_that_nobody_plays_is_refused() -> None:
    """A misspelt drill that passed would look like a proof."""
    with pytest.raises(ValueError, match="no drill plays api-outrage"):
        choose(SCENARIOS, ["api-outage", "api-outrage"])


def test_what_failed_is_played_again_and_nothing_else() -> None:
    """A second chance is for the drill that needs it; the others have shown what they can."""
    good, failed, disturbed = SCENARIOS[:3]
    run = DrillRun(
        scale=Scale(15),
        began_s=0,
        alerts=[
            AlertRun(alert=good.expects[0], scenario=good, phase=Phase.RESOLVED),
            AlertRun(alert=failed.expects[0], scenario=failed, phase=Phase.FAILED),
            AlertRun(alert=disturbed.expects[0], scenario=disturbed, phase=Phase.RESOLVED),
        ],
    )
    assert suspects(run, SCENARIOS[:3]) == (failed,)

    run.false_alarms.append(
        FalseAlarm(
            sighting=Sighting(labels={"alertname": "Other"}, pending_s=1.0),
            during=(disturbed.name,),
        )
    )
    assert suspects(run, SCENARIOS[:3]) == (failed, disturbed)

    run.alerts.clear()
    run.false_alarms.clear()
    run.shape_faults = ("a title was missing",)
    assert suspects(run, SCENARIOS[:3]) == SCENARIOS[:3]


def test_a_counter_goes_on_from_where_it_was() -> None:
    """A stand-in's counter that fell would look like a restart, and hide what is counted."""
    spoken = Spoken()
    spoken.say([Statement("done_total", labels={"a": "b"}, per_second=2.0)], now_s=10.0)
    spoken.say([Statement("done_total", labels={"a": "b"}, per_second=0.5)], now_s=20.0)

    assert spoken.exposition(now_s=30.0) == b'done_total{a="b"} 25\n'


def test_what_is_said_no_more_is_gone() -> None:
    """New statements replace the ones before, and a gauge is what it is said to be."""
    spoken = Spoken()
    spoken.say([Statement("left", 3.0), Statement("right", 1.0)], now_s=0.0)
    spoken.say([Statement("left", 4.0)], now_s=1.0)

    assert spoken.exposition(now_s=9.0) == b"left 4\n"

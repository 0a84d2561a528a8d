"""What is declared of the drills; `make proof` plays them, on a machine of its own."""

from gx.monitoring.alerts import ALERTS
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

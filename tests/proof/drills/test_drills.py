"""What is declared of the drills; `make proof` plays them, on a machine of its own."""

from gx.monitoring.alerts.backend import BACKEND_ALERTS
from gx.proof.drills.scenarios import SCENARIOS


def test_each_of_the_eighteen_has_a_drill() -> None:
    """What nobody plays, nobody knows to work."""
    played = {alert.name for each in SCENARIOS for alert in each.expects}
    assert {alert.name for alert in BACKEND_ALERTS} <= played


def test_what_a_drill_expects_is_what_the_catalogue_says_of_its_fault() -> None:
    """An alert that names another fault would be proven by accident."""
    for each in SCENARIOS:
        assert {alert.drill for alert in each.expects} == {each.drill.fault}

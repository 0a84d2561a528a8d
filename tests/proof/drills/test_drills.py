"""The eighteen alerts, each against a real fault in a real stack, in one run."""

import asyncio

import pytest

from gx.monitoring.alerts.backend import BACKEND_ALERTS
from gx.monitoring.scaling import Scale
from gx.proof.drills.report import complaints
from gx.proof.drills.run import Conductor
from gx.proof.drills.scenarios import SCENARIOS
from gx.proof.drills.stack import running_stack


def test_each_of_the_eighteen_has_a_drill() -> None:
    """What nobody plays, nobody knows to work."""
    played = {alert.name for each in SCENARIOS for alert in each.expects}
    assert {alert.name for alert in BACKEND_ALERTS} <= played


def test_what_a_drill_expects_is_what_the_catalogue_says_of_its_fault() -> None:
    """An alert that names another fault would be proven by accident."""
    for each in SCENARIOS:
        assert {alert.drill for alert in each.expects} == {each.drill.fault}


@pytest.mark.slow
@pytest.mark.timeout(1_500)
@pytest.mark.xdist_group("drills")
def test_every_fault_is_told_and_nothing_else() -> None:
    """Each fires, is told in its declared words or muted by what may mute it, and resolves.

    The resolving page has the key of the page that it resolves; no other alert fires.
    """

    async def play() -> str:
        async with running_stack(Scale(15)) as stack:
            return complaints(await Conductor(stack).play(SCENARIOS))

    assert asyncio.run(play()) == ""

"""Which drills somebody means by the names of drills and of alerts."""

from collections.abc import Sequence
from dataclasses import replace

from gx.proof.drills.outcome import DrillRun
from gx.proof.drills.scenarios import Scenario


def choose(scenarios: Sequence[Scenario], names: Sequence[str]) -> tuple[Scenario, ...]:
    """Return the drills that are named, in their order.

    An alert's name chooses the first drill that makes it fire, and expects that alert alone: what
    else the drill proves may fire, and nobody waits for it.

    Raises:
        ValueError: No drill, and no alert of a drill, is called so.
    """
    wanted: dict[str, set[str]] = {}
    for name in names:
        found = next((each for each in scenarios if name in _names_of(each)), None)
        if found is None:
            raise ValueError(f"no drill plays {name}")
        alerts = {alert.name for alert in found.expects}
        wanted.setdefault(found.name, set()).update({name} if name in alerts else alerts)
    return tuple(
        replace(each, expects=tuple(a for a in each.expects if a.name in wanted[each.name]))
        for each in scenarios
        if each.name in wanted
    )


def suspects(run: DrillRun, played: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """Return the drills to blame: those that failed, and those during which another alert fired.

    All of them, if what is wrong cannot be laid to any.
    """
    names = {each.scenario.name for each in run.alerts if not each.is_good}
    names.update(name for alarm in run.false_alarms for name in alarm.during)
    return tuple(each for each in played if each.name in names) or tuple(played)


def _names_of(scenario: Scenario) -> set[str]:
    return {scenario.name, *(alert.name for alert in scenario.expects)}

"""Everything that can be missing in the declarations, asked at once: the gate before rendering."""

from collections.abc import Iterable
from pathlib import Path

from gx.monitoring.alerts import ALERTS
from gx.monitoring.cases.catalogue import CASES, TRAPS
from gx.monitoring.cases.coverage import find_gaps
from gx.monitoring.drills import find_drill_faults
from gx.monitoring.rules import all_groups, deployed_targets, find_faults
from gx.monitoring.runbooks import WRITTEN, find_runbook_faults


def find_declaration_faults(environments: Iterable[str], runbooks: Path) -> tuple[str, ...]:
    """Say which alert or rule lacks what; empty when nothing does.

    A metric that was renamed, a label that was dropped, an alert without family, cases, drill or
    a runbook in the folder `runbooks`: each is named with what it lacks.
    """
    return (
        *find_faults(all_groups(deployed_targets(environments))),
        *find_gaps(ALERTS, CASES, TRAPS),
        *find_drill_faults(ALERTS),
        *find_runbook_faults(ALERTS, runbooks, WRITTEN),
    )

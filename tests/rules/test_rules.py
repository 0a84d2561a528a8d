"""Every alert fires just over, is silent just under, resolves, and passes its traps: promtool.

The cases are declared in `gx.monitoring.cases`; here they are run, and the gate is tried.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from gx.monitoring.alerts import ALERTS
from gx.monitoring.alerts.backend import QUEUE_BUILDS_UP
from gx.monitoring.cases.catalogue import CASES, TRAPS
from gx.monitoring.cases.coverage import cases_of, cover, find_gaps
from gx.monitoring.cases.model import Case, Kind, Trap
from gx.monitoring.cases.promtool import Command, find_failures
from gx.monitoring.model import Alert
from gx.runtime.tools import Program, Tool

pytestmark = pytest.mark.timeout(600)  # the first run on a machine fetches the programs


@pytest.fixture
def promtool(tools: dict[Program, Tool]) -> Command:
    """Debian's promtool."""
    tool = tools[Program.PROMTOOL]
    return Command(path=tool.path, working_folder=tool.working_folder)


@pytest.mark.slow
@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_fires_when_it_should_and_only_then(
    alert: Alert, tmp_path: Path, promtool: Command
) -> None:
    """Real promtool agrees with every case of the alert."""
    failures = find_failures(alert, cases_of(alert, CASES), promtool, tmp_path)

    assert failures == (), "\n".join(failures)


def test_the_cases_cover_every_alert_and_every_trap() -> None:
    """Each alert fires, is silent, resolves and meets its traps; no trap is without a case."""
    assert find_gaps(ALERTS, CASES, TRAPS) == ()
    assert {case.trap for case in CASES} - {None} == set(Trap)


@pytest.mark.parametrize("kind", [Kind.FIRES, Kind.SILENT, Kind.RESOLVES])
def test_a_missing_case_is_named(kind: Kind) -> None:
    """Negative control of the gate, kind by kind."""
    left = [case for case in CASES if (case.alert, case.kind) != (QUEUE_BUILDS_UP, kind)]

    assert find_gaps(ALERTS, left, TRAPS) == (f"OutboxQueueBuildup: no case shows that it {kind}",)


def test_a_missing_trap_is_named() -> None:
    """Negative control: a trap without its case, an alert without its list, a trap for nobody."""
    left = [case for case in CASES if (case.alert, case.trap) != (QUEUE_BUILDS_UP, Trap.DRAINING)]
    assert find_gaps(ALERTS, left, TRAPS) == (
        "OutboxQueueBuildup: no case shows that it passes the trap: draining the queue",
    )

    unlisted = {name: traps for name, traps in TRAPS.items() if name != QUEUE_BUILDS_UP.name}
    assert any(
        gap.startswith("OutboxQueueBuildup: nobody said which traps")
        for gap in find_gaps(ALERTS, CASES, unlisted)
    )

    gone: frozenset[Trap] = frozenset()
    assert find_gaps(ALERTS, CASES, {**TRAPS, "Gone": gone}) == (
        "Gone: traps are named for it and there is no such alert",
    )


def test_the_report_counts_what_the_cases_show() -> None:
    """The numbers that `gx monitoring test` prints are those of the cases."""
    report = cover(QUEUE_BUILDS_UP, CASES)

    assert (report.fires, report.silent, report.resolves) == (1, 1, 1)
    assert set(report.traps) == TRAPS[QUEUE_BUILDS_UP.name]


def test_a_wrong_case_is_noticed(tmp_path: Path, promtool: Command) -> None:
    """Negative control: promtool fails where a case expects the opposite, and it is named."""
    case = next(case for case in CASES if case.kind is Kind.FIRES)
    opposite: Case = replace(
        case, kind=Kind.SILENT, checks=[(minute, 0) for minute, _ in case.checks]
    )
    (failure,) = find_failures(case.alert, [opposite], promtool, tmp_path)

    assert failure.startswith(f"{case.alert.name} is silent just under")

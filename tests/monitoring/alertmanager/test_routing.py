"""The routing: nothing is lost, nobody is woken for nothing, and both linters agree."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import yaml

from gx.monitoring.alertmanager.files import (
    ALERTMANAGER_FOLDER,
    ON_KUBERNETES,
    RoutingError,
    render_alertmanager_files,
)
from gx.monitoring.alertmanager.inhibition import BY_FAMILY, INHIBITIONS, warnings_about
from gx.monitoring.alertmanager.model import (
    Configuration,
    Inhibition,
    Receiver,
    Route,
    Span,
    TimeInterval,
    Timing,
    Weekday,
    is_,
    one_of,
)
from gx.monitoring.alertmanager.routing import (
    DEADMAN,
    PAGERDUTY,
    SLACK_CRITICAL,
    Destinations,
    OfficeHours,
    build_configuration,
)
from gx.monitoring.alertmanager.schedule import OFFICE_HOURS, ON_CALL_HOURS
from gx.monitoring.alertmanager.validate import find_routing_faults
from gx.monitoring.alerts import ALERTS
from gx.monitoring.model import Links, Severity
from gx.monitoring.render import stale_files
from gx.monitoring.rules import all_groups, deployed_targets, groups_to_yaml
from gx.runtime.tools import Program
from tests.monitoring.alertmanager.cases import (
    INHIBITION_CASES,
    ROUTE_CASES,
    SERVICE_MUTES,
    InhibitionCase,
    RouteCase,
    to_amlint,
)
from tests.monitoring.alertmanager.programs import write_configuration
from tests.monitoring.conftest import ROOT, RunTool

pytestmark = pytest.mark.timeout(600)  # the first run on a machine fetches the programs

# Alertmanager looks zones up in the machine's own list, which a small machine may lack.
A_ZONE: Final = "Asia/Tokyo" if Path("/usr/share/zoneinfo/Asia/Tokyo").exists() else "UTC"
CONFIGURATION: Final = build_configuration(ON_KUBERNETES)


def amlint(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run amlint, apart from any configuration of its own."""
    script = "import sys; from amlint.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


def write_rules(folder: Path) -> Path:
    """Write every rule, so that names in routes can be compared with alerts that exist."""
    path = folder / "rules.yml"
    groups = all_groups(deployed_targets(["devnet", "testnet", "mainnet"]))
    path.write_text(yaml.safe_dump(groups_to_yaml(groups, Links())))
    return path


def test_nothing_is_wrong_with_the_routing() -> None:
    """Every alert reaches somebody in every environment, by the declaration's own rules."""
    assert find_routing_faults(CONFIGURATION, ALERTS) == ()


@pytest.mark.parametrize(
    "destinations",
    [
        pytest.param(ON_KUBERNETES, id="Kubernetes"),
        pytest.param(Destinations(), id="nothing connected"),
        pytest.param(
            replace(
                ON_KUBERNETES,
                url_per_channel=True,
                office=OfficeHours(start_minute=0, end_minute=1_440, time_zone=A_ZONE),
            ),
            id="an address a channel, another zone, whole days",
        ),
    ],
)
def test_amtool_accepts_the_files(
    destinations: Destinations, tmp_path: Path, run_tool: RunTool
) -> None:
    """Alertmanager's own checker reads configuration and templates."""
    path = write_configuration(destinations, tmp_path)
    answer = run_tool(Program.AMTOOL, "check-config", str(path))

    assert answer.returncode == 0, answer.stdout
    assert "1 templates" in answer.stdout


def test_amtool_notices_a_mistake(tmp_path: Path, run_tool: RunTool) -> None:
    """Negative control: a receiver that is not declared does not pass."""
    path = write_configuration(ON_KUBERNETES, tmp_path)
    path.write_text(path.read_text().replace("- name: pagerduty", "- name: pager"))

    assert run_tool(Program.AMTOOL, "check-config", str(path)).returncode != 0


def test_amlint_finds_nothing_even_when_strict(tmp_path: Path) -> None:
    """No route is shadowed, no rule mutes too much, no name is of an alert that is not there."""
    path = write_configuration(ON_KUBERNETES, tmp_path)
    answer = amlint("check", "--strict", str(path), "--rules", str(write_rules(tmp_path)))

    assert answer.returncode == 0, answer.stdout
    assert "No issues found" in answer.stdout


def test_amlint_notices_a_mistake(tmp_path: Path) -> None:
    """Negative control: without its equal labels an inhibition is a warning, so a failure."""
    path = write_configuration(ON_KUBERNETES, tmp_path)
    path.write_text(path.read_text().replace("  equal:\n  - namespace\n  - family\n", ""))

    assert "inhibit-no-equal" in amlint("check", "--strict", str(path)).stdout


def test_amlint_routes_every_case_as_the_table_says_and_reaches_every_route(
    tmp_path: Path,
) -> None:
    """Each alert of the catalogue in each environment, each pair of a mute; all routes covered."""
    (tmp_path / "cases.yml").write_text(to_amlint())
    path = write_configuration(ON_KUBERNETES, tmp_path)
    answer = amlint("test", "--fail-under", "100", str(path), str(tmp_path / "cases.yml"))

    assert answer.returncode == 0, answer.stdout
    assert f"{len(ROUTE_CASES) + len(INHIBITION_CASES)} passed" in answer.stdout
    assert "100.0%" in answer.stdout


@pytest.mark.parametrize("case", ROUTE_CASES, ids=lambda case: case.name)
def test_the_declaration_routes_each_case_as_the_table_says(case: RouteCase) -> None:
    """Our own reading of the tree, which the validation uses, agrees with the table."""
    assert set(CONFIGURATION.receivers_of(case.labels)) == case.expect


@pytest.mark.parametrize("case", INHIBITION_CASES, ids=lambda case: case.name)
def test_the_declaration_mutes_as_the_table_says(case: InhibitionCase) -> None:
    """So does our own reading of what mutes what."""
    is_muted = any(rule.mutes(case.labels, case.firing) for rule in CONFIGURATION.inhibitions)

    assert is_muted is case.inhibited


def test_every_warning_of_one_process_is_muted_while_it_is_down() -> None:
    """The lists follow from what alerts read; those that read of two processes are on none."""
    for process, names in SERVICE_MUTES.items():
        assert set(names) <= {alert.name for alert in warnings_about(process)}
    listed = [alert for process in SERVICE_MUTES for alert in warnings_about(process)]

    assert len(listed) == len({alert.name for alert in listed})
    assert all(alert.severity is Severity.WARNING for alert in listed)


def _routes(configuration: Configuration, *kept: Route) -> Configuration:
    return replace(configuration, root=replace(configuration.root, routes=kept))


ROUTES: Final = CONFIGURATION.root.routes
BROKEN: Final = {
    "two of this name": replace(
        CONFIGURATION,
        receivers=(*CONFIGURATION.receivers, Receiver(name=DEADMAN, integration=None)),
    ),
    "a route names it and it is not declared": replace(
        CONFIGURATION,
        receivers=tuple(each for each in CONFIGURATION.receivers if each.name != PAGERDUTY),
    ),
    "no route leads to it": replace(
        CONFIGURATION,
        receivers=(*CONFIGURATION.receivers, Receiver(name="nobody", integration=None)),
    ),
    "alerts that fulfil none would be lost": replace(
        CONFIGURATION, root=replace(CONFIGURATION.root, matchers=(is_("severity", "critical"),))
    ),
    "names the interval lunch": _routes(
        CONFIGURATION, replace(ROUTES[0], muted=("lunch",)), *ROUTES[1:]
    ),
    "it repeats sooner": _routes(
        CONFIGURATION,
        *ROUTES[:3],
        replace(ROUTES[3], timing=Timing(repeat_interval_s=10)),
        *ROUTES[4:],
    ),
    "must reach the dead-man's receiver alone": _routes(CONFIGURATION, *ROUTES[1:]),
    "only the default receiver is told": _routes(CONFIGURATION, *ROUTES[:5]),
    "it must page": _routes(CONFIGURATION, *ROUTES[:2], *ROUTES[3:]),
    "it must not page": _routes(
        CONFIGURATION, *ROUTES[:2], replace(ROUTES[2], matchers=()), *ROUTES[3:]
    ),
    "it would look like a heartbeat": _routes(
        CONFIGURATION, replace(ROUTES[0], matchers=(), goes_on=True), *ROUTES[1:]
    ),
    "no alert is called Gone": replace(
        CONFIGURATION,
        inhibitions=(
            *INHIBITIONS,
            Inhibition(
                source=(is_("alertname", "Gone"),),
                target=(one_of("alertname", "WritesRefused"),),
                equal=("namespace",),
                reason="a test",
            ),
        ),
    ),
    "without equal labels it mutes everywhere": replace(
        CONFIGURATION, inhibitions=(replace(BY_FAMILY, equal=()),)
    ),
    "it takes alerts that lack the label": replace(
        CONFIGURATION, inhibitions=(replace(BY_FAMILY, source=(one_of("severity", "", "a"),)),)
    ),
    "Watchdog: an inhibition mutes it": replace(
        CONFIGURATION,
        inhibitions=(replace(BY_FAMILY, target=(one_of("severity", "warning", "none"),)),),
    ),
    "they mute each other": replace(
        CONFIGURATION,
        inhibitions=(
            BY_FAMILY,
            replace(BY_FAMILY, source=BY_FAMILY.target, target=BY_FAMILY.source),
        ),
    ),
    "is in 0 of office-hours and on-call-hours": replace(
        CONFIGURATION, intervals=CONFIGURATION.intervals[:1]
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_in_the_routing_is_named(fault: str) -> None:
    """Negative controls: each kind of mistake is found, and said."""
    assert fault in "\n".join(find_routing_faults(BROKEN[fault], ALERTS))


def test_a_faulty_routing_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what is wrong instead of writing files."""
    broken = BROKEN["it must page"]
    monkeypatch.setattr("gx.monitoring.alertmanager.files.build_configuration", lambda _: broken)

    with pytest.raises(RoutingError, match="it must page"):
        render_alertmanager_files()


def test_office_hours_and_hours_on_call_are_the_whole_week() -> None:
    """Every minute has exactly one of them, whatever the hours; an empty span is refused."""
    for office in (OfficeHours(), OfficeHours(start_minute=0, end_minute=1_440)):
        hours = {
            each.name: each for each in build_configuration(Destinations(office=office)).intervals
        }
        for day in Weekday:
            for minute in range(1_440):
                is_open = hours[OFFICE_HOURS].contains(day, minute)
                assert is_open is not hours[ON_CALL_HOURS].contains(day, minute)

    with pytest.raises(ValueError, match="no span of a day"):
        Span(days=(Weekday.MONDAY,), start_minute=600, end_minute=600)
    assert not TimeInterval(name="never", spans=(), time_zone="UTC").contains(Weekday.MONDAY, 0)


def test_devnet_is_quiet_at_night_and_mainnet_is_not() -> None:
    """Routes of devnet are active in office hours; pages have no hours at all."""
    by_receiver = {route.receiver: route for route in CONFIGURATION.root.walk()}

    assert by_receiver["slack-devnet"].active == (OFFICE_HOURS,)
    assert by_receiver["slack-on-call"].active == (ON_CALL_HOURS,)
    for receiver in (PAGERDUTY, SLACK_CRITICAL, DEADMAN):
        assert (by_receiver[receiver].active, by_receiver[receiver].muted) == ((), ())


def test_the_committed_files_are_fresh_and_hold_no_secret() -> None:
    """What is committed is what the declarations say; addresses and keys are in files elsewhere."""
    files = render_alertmanager_files()

    assert stale_files(files, ROOT) == ()
    assert set(files) == {
        ALERTMANAGER_FOLDER / "01-configmap.yaml",
        ALERTMANAGER_FOLDER / "operator" / "alertmanager-config.yaml",
    }
    for text in files.values():
        assert "hooks.slack.com" not in text
        assert "routing_key:" not in text
        assert "api_url:" not in text


def test_the_operators_twin_routes_the_same(tmp_path: Path) -> None:
    """Amlint merges it as the Operator does and gets the table's answers for all but the root."""
    files = render_alertmanager_files()
    twin = tmp_path / "twin.yaml"
    text = files[ALERTMANAGER_FOLDER / "operator" / "alertmanager-config.yaml"]
    twin.write_text(text.replace("metadata:\n", "metadata:\n  namespace: monitoring\n", 1))
    strategy = ("--matcher-strategy", "None")
    checked = amlint("check", "--strict", *strategy, str(twin))
    assert checked.returncode == 0, checked.stdout

    cases = yaml.safe_load(to_amlint())
    for case in cases:
        if "expect" in case:
            case["expect"] = [f"monitoring/gx-alerting/{name}" for name in case["expect"]]
    (tmp_path / "cases.yml").write_text(yaml.safe_dump(cases))
    tested = amlint("test", *strategy, str(twin), str(tmp_path / "cases.yml"))
    assert tested.returncode == 0, tested.stdout


def test_with_another_time_zone_there_is_no_twin() -> None:
    """An AlertmanagerConfig would silently mean UTC."""
    office = OfficeHours(time_zone="Asia/Kolkata")
    files = render_alertmanager_files(replace(ON_KUBERNETES, office=office))

    assert [path.name for path in files] == ["01-configmap.yaml"]
    assert "location: Asia/Kolkata" in "".join(files.values())

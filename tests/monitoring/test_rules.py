"""Rules: what is undeclared, dropped or missing is named; an environment's own threshold holds."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import promql_parser
import pytest
import yaml

from gx.monitoring.alerts import ALERTS, BACKEND_GROUP
from gx.monitoring.alerts.backend import (
    BACKEND_ALERTS,
    LAG_EXCEEDS_SLO,
    QUEUE_BUILDS_UP,
    SUCCESS_RATE_BELOW_SLO,
)
from gx.monitoring.model import Alert, Links, RuleGroup, Severity
from gx.monitoring.promql import max_by, select
from gx.monitoring.rules import (
    all_groups,
    backend_groups,
    companion_groups,
    deployed_targets,
    find_faults,
    groups_to_yaml,
)
from gx.monitoring.thresholds import QUEUE_WARNING, beyond
from gx.runtime.tools import Program
from gx.telemetry.catalogue.read_path import PROJECTION_LAG
from gx.telemetry.catalogue.write_path import OUTBOX_PENDING_COMMANDS, OUTBOX_QUEUE_DEPTH
from tests.monitoring.conftest import RunTool

pytestmark = pytest.mark.timeout(600)  # the first run on a machine fetches the programs

TARGETS: Final = deployed_targets(["devnet", "testnet", "mainnet"])
GROUPS: Final = all_groups(TARGETS)

# What operators of the original know: name, minutes, severity.
EIGHTEEN: Final = {
    "TransactionSuccessRateBelowSLO": (300, "critical"),
    "ProjectionLagExceedsSLO": (120, "warning"),
    "ProjectionLagCritical": (60, "critical"),
    "APIResponseTimeSlow": (300, "warning"),
    "APIResponseTimeCritical": (120, "critical"),
    "OutboxQueueBuildup": (300, "warning"),
    "OutboxQueueCritical": (120, "critical"),
    "DeadLetterQueueAccumulating": (0, "warning"),
    "DeadLetterQueueCritical": (0, "critical"),
    "FabricCircuitBreakerOpen": (60, "critical"),
    "FabricTransactionFailureRate": (180, "warning"),
    "FabricTransactionFailureCritical": (60, "critical"),
    "EventProcessingFailures": (180, "warning"),
    "BackendServiceDown": (60, "critical"),
    "BackendHighCPU": (300, "warning"),
    "BackendHighMemory": (300, "warning"),
    "BackendPodRestartLoop": (300, "warning"),
    "DatabaseConnectionPoolExhausted": (120, "critical"),
}


def test_the_eighteen_are_what_operators_know() -> None:
    """Names, durations, severities and the group's name stand."""
    group = next(group for group in GROUPS if group.name == BACKEND_GROUP)

    assert BACKEND_GROUP == "gx_backend_cqrs_alerts"
    assert {each.name: (each.for_s, each.severity.value) for each in group.alerts} == EIGHTEEN


def test_the_rules_have_no_faults() -> None:
    """Every series is declared or recorded, every text has its value and its labels."""
    assert find_faults(GROUPS) == ()
    assert find_faults([*backend_groups(TARGETS)]) == ()


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        pytest.param(
            replace(
                LAG_EXCEEDS_SLO, expr=select(replace(PROJECTION_LAG, name="projector_lag_ms")) > 1
            ),
            "ProjectionLagExceedsSLO: it reads projector_lag_ms, which the metric catalogue",
            id="a renamed metric",
        ),
        pytest.param(
            replace(QUEUE_BUILDS_UP, expr=max_by(select(OUTBOX_PENDING_COMMANDS)) > 100),
            "OutboxQueueBuildup: its description uses the label namespace, which its expression",
            id="a dropped label",
        ),
        pytest.param(
            replace(QUEUE_BUILDS_UP, expr=select(OUTBOX_QUEUE_DEPTH) > 100),
            "it reads outbox_queue_depth: use outbox_pending_commands",
            id="an alias",
        ),
        pytest.param(
            replace(QUEUE_BUILDS_UP, family=""),
            "OutboxQueueBuildup: it has no family",
            id="no family",
        ),
        pytest.param(
            replace(QUEUE_BUILDS_UP, description="Too many wait."),
            "its description does not have the value",
            id="no value",
        ),
        pytest.param(
            replace(QUEUE_BUILDS_UP, summary="too many wait"),
            "its summary is not a sentence",
            id="no sentence",
        ),
        pytest.param(
            SUCCESS_RATE_BELOW_SLO,
            "it reads namespace:gx_command_success:percent5m, which no rule of these groups",
            id="a recording rule that is not there",
        ),
    ],
)
def test_a_fault_is_found_and_says_which_alert_has_it(wrong: Alert, fault: str) -> None:
    """Negative controls, one for each rule."""
    faults = find_faults([RuleGroup(name="g", alerts=(wrong,))])

    assert any(fault in each for each in faults), faults


def test_two_alerts_of_one_name_are_a_fault() -> None:
    """Routing and silences go by the name."""
    twice = RuleGroup(name="g", alerts=(LAG_EXCEEDS_SLO, LAG_EXCEEDS_SLO))

    assert "ProjectionLagExceedsSLO: two alerts have this name" in find_faults([twice])


def test_an_alert_cannot_be_declared_without_family_drill_or_severity() -> None:
    """The declaration itself asks for them."""
    with pytest.raises(TypeError, match=r"severity.*component.*family.*drill"):
        Alert(name="X", expr=LAG_EXCEEDS_SLO.expr, summary="S.", description="{{ $value }}")  # type: ignore[call-arg]  # that is what is tested


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_has_its_labels_and_annotations(alert: Alert) -> None:
    """What routes, mutes and explains it is there; a second parser reads its expression."""
    promql_parser.parse(alert.expr.text)
    annotations = Links(runbooks="https://r/", dashboards="https://d").annotate(alert)

    assert {"severity", "component", "family"} <= set(alert.labels)
    assert annotations["runbook_url"] == f"https://r/{alert.name}"
    assert annotations["dashboard"] == f"https://d/{alert.dashboard}"
    assert set(annotations) == {"summary", "description", "runbook_url", "dashboard"}


def test_a_warning_and_its_critical_share_their_family() -> None:
    """The critical one can then mute the warning."""
    families: dict[str, set[Severity]] = {}
    for alert in BACKEND_ALERTS:
        families.setdefault(alert.family, set()).add(alert.severity)

    for family in ("projection_lag", "api_latency", "outbox_queue", "dlq", "fabric_failures"):
        assert families[family] == {Severity.WARNING, Severity.CRITICAL}


def test_real_promtool_accepts_every_file(tmp_path: Path, run_tool: RunTool) -> None:
    """The backend's rules stand alone; the others are no second copy of them."""
    counts = {}
    for name, groups in (("backend", backend_groups(TARGETS)), ("all", GROUPS)):
        path = tmp_path / f"{name}.yml"
        path.write_text(yaml.safe_dump(groups_to_yaml(groups, Links())))
        answer = run_tool(Program.PROMTOOL, "check", "rules", "--lint-fatal", str(path))
        assert answer.returncode == 0, answer.stdout
        counts[name] = sum(len(group.recordings) + len(group.alerts) for group in groups)
    rest = sum(len(group.recordings) + len(group.alerts) for group in companion_groups())
    recorded = [(rule.name, rule.labels) for group in GROUPS for rule in group.recordings]

    assert counts["all"] == counts["backend"] + rest
    assert len(recorded) == len(set(recorded))


def test_an_environment_has_its_own_threshold(tmp_path: Path, run_tool: RunTool) -> None:
    """Its number holds in its namespace, the default everywhere else."""
    own = replace(QUEUE_WARNING, by_environment=(("mainnet", 200.0), ("devnet", 50.0)))
    expr = beyond(max_by(select(OUTBOX_PENDING_COMMANDS), "namespace"), ">", own)
    expected = {"mainnet": 0, "devnet": 1, "testnet": 1}
    test = {
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [
                    {
                        "series": f'{OUTBOX_PENDING_COMMANDS.name}{{namespace="backend-{name}"}}',
                        "values": f"{value}x9",
                    }
                    for name, value in (("mainnet", 150), ("devnet", 60), ("testnet", 101))
                ],
                "promql_expr_test": [
                    {
                        "expr": f"count(({expr.text}) and on (namespace) "
                        f'{OUTBOX_PENDING_COMMANDS.name}{{namespace="backend-{name}"}})',
                        "eval_time": "1m",
                        "exp_samples": [{"labels": "{}", "value": count}] if count else [],
                    }
                    for name, count in expected.items()
                ],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump(test))
    answer = run_tool(Program.PROMTOOL, "test", "rules", str(path))

    assert answer.returncode == 0, answer.stdout
    assert own.text == "100 commands; mainnet: 200; devnet: 50"

"""Scaled rules: every duration is divided, and nothing that is a process's own."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

from gx.monitoring.alertmanager.routing import Pace
from gx.monitoring.alerts import ALERTS
from gx.monitoring.alerts.backend import LAG_IS_CRITICAL, SERVICE_DOWN
from gx.monitoring.local import LocalStack, render_prometheus
from gx.monitoring.model import Links
from gx.monitoring.rules import all_groups, deployed_targets
from gx.monitoring.scaling import (
    Scale,
    budget_s,
    scale_alert,
    scale_expression,
    scale_groups,
    scale_pace,
    scale_scraping,
)
from gx.monitoring.thresholds import Threshold
from gx.monitoring.yaml_text import dump
from gx.runtime.tools import Program
from tests.monitoring.conftest import RunTool

FIFTEEN: Final = Scale(15)
_WINDOW: Final = re.compile(r"\[([^\]]+)\]")
_PART_S: Final = {"h": 3_600, "m": 60, "s": 1, "ms": 0.001, "d": 86_400}


def seconds(text: str) -> float:
    """Read a duration as Prometheus does."""
    return sum(int(n) * _PART_S[unit] for n, unit in re.findall(r"(\d+)(ms|[dhms])", text))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_window_and_wait_of_every_alert_is_divided(alert: object) -> None:
    """One that was forgotten would make its drill take as long as the real thing."""
    declared = next(each for each in ALERTS if each is alert)
    scaled = scale_alert(declared, FIFTEEN, Links())

    windows = [seconds(text) for text in _WINDOW.findall(declared.expr.text)]
    after = [seconds(text) for text in _WINDOW.findall(str(scaled["expr"]))]

    assert after == [pytest.approx(window / 15, abs=0.001) for window in windows]
    assert seconds(str(scaled["for"])) == pytest.approx(declared.for_s / 15, abs=0.001)


@pytest.mark.parametrize(
    ("threshold", "before", "after"),
    [
        (Threshold(default=30, unit="commands in 5 minutes"), "increase(x[5m]) >= 30", ">= 2"),
        (Threshold(default=10, unit="letters in 5 minutes"), "increase(x[5m]) > 10", "> 1"),
        (Threshold(default=60, unit="s"), "max(age) > 60", "> 4"),
        (Threshold(default=0.1, unit="failures per second"), "rate(x[5m]) > 0.1", "> 0.1"),
        (Threshold(default=5_000, unit="ms"), "max(lag) > 5000", "> 5000"),
        (Threshold(default=100, unit="commands"), "max(pending) > 100", "> 100"),
        (Threshold(default=80, unit="%"), "used > 80", "> 80"),
    ],
    ids=["count", "not-below-one", "age", "rate", "own-time", "level", "share"],
)
def test_a_threshold_changes_only_where_a_window_is_in_it(
    threshold: Threshold, before: str, after: str
) -> None:
    """Events in a window and ages shrink; rates, levels, shares and own times stay."""
    assert scale_expression(before, FIFTEEN, [threshold]).endswith(after)


def test_of_two_equal_numbers_only_the_count_changes() -> None:
    """A share of 5 % beside at least 5 failures stays 5 %."""
    share = Threshold(default=5, unit="% of the requests")
    count = Threshold(default=5, unit="failures in 5 minutes")

    scaled = scale_expression("share > 5 and increase(x[5m]) >= 5", FIFTEEN, [share, count])

    assert scaled == "share > 5 and increase(x[20s]) >= 1"


def test_what_stands_in_quotes_is_no_duration() -> None:
    """A label's value may look like a window."""
    assert scale_expression('x{a="[5m]"}[5m]', FIFTEEN) == 'x{a="[5m]"}[20s]'


def test_what_is_predicted_comes_sooner() -> None:
    """The distance of a forecast is a duration, too."""
    text = scale_expression("predict_linear(x[6h], 86400) < 0", FIFTEEN)
    assert text == "predict_linear(x[24m], 5760) < 0"


def test_what_is_remembered_lies_less_far_back() -> None:
    """An offset is divided like a window: else no series of a scaled world is ever old enough."""
    assert scale_expression("min by (a) (x offset 1h)", FIFTEEN) == "min by (a) (x offset 4m)"


def test_a_budget_keeps_a_process_s_own_time() -> None:
    """A lag of 10 s takes 10 s to arise, however fast the rules are; a wait does not."""
    assert budget_s(SERVICE_DOWN, FIFTEEN) == pytest.approx(SERVICE_DOWN.detection_s / 15, abs=0.01)
    assert budget_s(LAG_IS_CRITICAL, FIFTEEN) == pytest.approx(10 + 100 / 15, abs=0.01)
    assert budget_s(LAG_IS_CRITICAL, Scale(1)) == LAG_IS_CRITICAL.detection_s


def test_time_cannot_run_slower() -> None:
    """A factor below 1 is a mistake."""
    with pytest.raises(ValueError, match="slower"):
        Scale(0.5)


def test_waits_of_notifications_are_divided() -> None:
    """Group wait, interval, repetition and heartbeat."""
    pace = scale_pace(Pace(), FIFTEEN)
    assert (pace.wait_s, pace.interval_s, pace.beat_s) == (2, 20, 4)


def test_at_factor_one_nothing_changes() -> None:
    """The drill at true durations plays the rules that production has."""
    groups = all_groups(deployed_targets(["mainnet"]))
    for group, scaled in zip(groups, _groups(Scale(1)), strict=True):
        for alert in group.alerts:
            rule = next(each for each in scaled["rules"] if each.get("alert") == alert.name)
            assert _same_windows(alert.expr.text, rule["expr"])


def _groups(scale: Scale) -> list[dict[str, list[dict[str, str]]]]:
    document = scale_groups(all_groups(deployed_targets(["mainnet"])), scale, Links())
    groups: list[dict[str, list[dict[str, str]]]] = yaml.safe_load(dump(document))["groups"]
    return groups


def _same_windows(before: str, after: str) -> bool:
    first, second = (_WINDOW.findall(text) for text in (before, after))
    rest = (_WINDOW.sub("", before), _WINDOW.sub("", after))
    return rest[0] == rest[1] and [seconds(a) for a in first] == [seconds(b) for b in second]


@pytest.mark.slow
def test_promtool_takes_what_was_scaled(run_tool: RunTool, tmp_path: Path) -> None:
    """Rules and scraping, judged by the real program, at a factor that leaves fractions."""
    scale = Scale(7)
    (tmp_path / "rules.yml").write_text(
        dump(scale_groups(all_groups(deployed_targets(["mainnet"])), scale, Links()))
    )
    configuration: dict[str, object] = yaml.safe_load(render_prometheus(LocalStack()))
    path = tmp_path / "prometheus.yml"
    path.write_text(dump(scale_scraping(configuration, scale)))

    answer: subprocess.CompletedProcess[str] = run_tool(
        Program.PROMTOOL, "check", "config", str(path)
    )

    assert answer.returncode == 0, answer.stdout

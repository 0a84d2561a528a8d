"""Runs the cases on a real promtool: one file for each alert, with the rules that it needs alone.

promtool does not say which test of a file failed, so a failing file is tried case by case.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from gx.monitoring.cases.model import Case
from gx.monitoring.model import Alert, Links
from gx.monitoring.rules import deployed_targets, groups_needed_by, groups_to_yaml

TARGETS: Final = deployed_targets(["devnet"])
TIMEOUT_S: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program on this machine; one that was unpacked must run in its working folder."""

    path: Path
    working_folder: Path | None = None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end; what it said is all in `stdout`."""
        return subprocess.run(  # noqa: S603 (a program that the caller found)
            [str(self.path), *arguments],
            cwd=self.working_folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )


def find_failures(
    alert: Alert, cases: Sequence[Case], promtool: Command, folder: Path
) -> tuple[str, ...]:
    """Return the name of each case that promtool contradicts, with what it said."""
    failures: list[str] = []
    for step_s in sorted({case.step_s for case in cases}):
        together = [case for case in cases if case.step_s == step_s]
        path = write_tests(alert, together, folder)
        if promtool.run("test", "rules", str(path)).returncode:
            failures += _one_by_one(alert, together, promtool, folder)
    return tuple(failures)


def _one_by_one(alert: Alert, cases: Sequence[Case], promtool: Command, folder: Path) -> list[str]:
    answers = [
        (case, promtool.run("test", "rules", str(write_tests(alert, [case], folder))))
        for case in cases
    ]
    failed = [f"{case.name}\n{answer.stdout}" for case, answer in answers if answer.returncode]
    return failed or [f"{alert.name}: its cases fail together and pass one by one"]


def write_tests(alert: Alert, cases: Sequence[Case], folder: Path) -> Path:
    """Write an alert's rules and its cases as promtool reads them; cases share their step."""
    groups = groups_needed_by(alert, TARGETS)
    rules = groups_to_yaml(groups, Links())
    (folder / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    step_s = cases[0].step_s
    document = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{step_s}s",
        # Else promtool evaluates the groups in any order, and the alert may read an old recording.
        "group_eval_order": [group.name for group in groups],
        "tests": [_test(case, step_s) for case in cases],
    }
    path = folder / f"{alert.name}.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _test(case: Case, step_s: int) -> dict[str, object]:
    query = f'count(ALERTS{{alertname="{case.alert.name}",alertstate="firing"}})'
    return {
        "name": case.name,
        "interval": f"{step_s}s",
        "input_series": [{"series": series, "values": values} for series, values in case.lines],
        "promql_expr_test": [
            {
                "expr": query,
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": count}] if count else [],
            }
            for minute, count in case.checks
        ],
    }

"""Rules that are loaded otherwise than they are declared: seen on a real Prometheus."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
import yaml

from gx.monitoring.model import Links
from gx.monitoring.rules import all_groups, deployed_targets, groups_to_yaml
from gx.monitoring.scaling import Scale, scale_groups
from gx.proof.causes import Cause
from gx.proof.doctor.differing import (
    Difference,
    examine_differences,
    find_differences,
    is_same_expression,
)
from gx.proof.doctor.examine import Sources, examine
from gx.proof.prometheus import LoadedGroup, Prometheus
from gx.proof.verify.rows import Kind, State
from gx.proof.verify.run import Subject, verify
from gx.runtime.tools import Program, Tool
from tests.proof.doctor.misbehaving import running_prometheus

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

GROUPS: Final = all_groups(deployed_targets(["devnet"]))
BUILDUP: Final = "OutboxQueueBuildup"
RECORDING: Final = "namespace:gx_availability:percent1h"
WITHIN_S: Final = 60.0
PAUSE_S: Final = 0.2


@dataclass(frozen=True)
class Lab:
    """A Prometheus without an Alertmanager, whose rules can be replaced."""

    url: str
    rules: Path

    def load(self, document: object) -> list[LoadedGroup]:
        """Load other rules, and return them as Prometheus prints them."""
        self.rules.write_text(yaml.safe_dump(document))
        httpx.post(f"{self.url}/-/reload", timeout=30, trust_env=False).raise_for_status()
        pause = threading.Event()
        for _ in range(round(WITHIN_S / PAUSE_S)):
            with Prometheus(self.url) as prometheus:
                if groups := prometheus.groups():
                    return groups
            pause.wait(PAUSE_S)
        pytest.fail("no rules are loaded")


@pytest.fixture(scope="module")
def lab(tools: dict[Program, Tool], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Run it once for all tests of this module."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "rules.yml").write_text("groups: []\n")
    (folder / "prometheus.yml").write_text("rule_files: [rules.yml]\n")
    tool = tools[Program.PROMETHEUS]
    with running_prometheus(tool, folder / "prometheus.yml", folder) as url:
        yield Lab(url, folder / "rules.yml")


def rendered() -> dict[str, object]:
    """The rules as they are rendered."""
    return groups_to_yaml(GROUPS, Links())


def changed(name: str, **parts: object) -> dict[str, object]:
    """The rendered rules with parts of one replaced."""
    document = rendered()
    for rule in rules_in(document):
        if name in {rule.get("alert"), rule.get("record")}:
            rule.update(parts)
    return document


def rules_in(document: dict[str, object]) -> Iterator[dict[str, object]]:
    """Every rule of a rule file."""
    groups = document["groups"]
    assert isinstance(groups, list)
    for group in groups:
        yield from group["rules"]


@pytest.mark.parametrize("factor", [1, 7.3, 20])
def test_rules_as_they_are_rendered_do_not_differ(lab: Lab, factor: float) -> None:
    """Whatever Prometheus makes of their spelling, and at a drill's pace as well."""
    scaled = scale_groups(GROUPS, Scale(factor), Links()) if factor > 1 else rendered()
    loaded = lab.load(scaled)

    assert sum(len(group.rules) for group in loaded) == len(list(rules_in(scaled)))
    assert find_differences(loaded) == {}


def label(severity: str) -> dict[str, str]:
    """The labels of one alert with another severity."""
    (alert,) = (each for group in GROUPS for each in group.alerts if each.name == BUILDUP)
    return {**alert.labels, "severity": severity}


@pytest.mark.parametrize(
    ("name", "part", "value"),
    [
        (BUILDUP, "expr", "outbox_pending_commands > 1e12"),
        (BUILDUP, "for", "9h"),
        (BUILDUP, "labels", label("none")),
        (RECORDING, "expr", "vector(100)"),
        (RECORDING, "labels", {"by": "hand"}),
    ],
)
def test_a_changed_rule_is_named_with_both_sides(
    lab: Lab, name: str, part: str, value: object
) -> None:
    """A name alone says nothing of what is evaluated; the others are not accused."""
    (found,) = examine_differences(lab.load(changed(name, **{part: value})))

    assert found.cause is Cause.RULE_DIFFERS
    assert found.where.endswith(f": {name}")
    assert f" {part} " in found.what
    assert [text.partition(":")[0] for text in found.evidence] == [
        f"loaded {part}",
        f"declared {part}",
    ]


def test_one_of_several_rules_of_a_name_may_be_missing(lab: Lab) -> None:
    """Four objectives record the same name, and three of them do not make four."""
    document = rendered()
    name = "namespace:gx_slo_budget_left:ratio30d"
    for group in document["groups"] if isinstance(document["groups"], list) else []:
        kept = [rule for rule in group["rules"] if rule.get("record") == name][1:]
        others = [rule for rule in group["rules"] if rule.get("record") != name]
        group["rules"] = [*others, *kept]
    ((found,),) = find_differences(lab.load(document)).values()

    assert isinstance(found, Difference)
    assert (found.part, found.loaded) == ("rule", "none with these labels")


def test_a_changed_rule_fails_the_doctor_and_the_verification(lab: Lab) -> None:
    """And so does a Prometheus that has nobody to tell."""
    lab.load(changed(BUILDUP, expr="outbox_pending_commands > 1e12"))
    subject = Subject(prometheus_url=lab.url, judge=lambda _: (True, ()))
    rows = {(row.kind, row.name): row for row in verify(subject)}
    faults = {each.cause for each in examine(Sources(prometheus_url=lab.url)).faults}

    altered = rows[Kind.ALERT, BUILDUP]
    assert (altered.state, altered.cause) == (State.BROKEN, Cause.RULE_DIFFERS)
    assert "1e+12" in altered.why
    alone = rows[Kind.ALERTMANAGER, lab.url]
    assert (alone.state, alone.cause) == (State.BROKEN, Cause.NO_ALERTMANAGER)
    assert {Cause.RULE_DIFFERS, Cause.NO_ALERTMANAGER} <= faults


def test_spelling_is_no_difference() -> None:
    """Spaces, the place of `by`, units of a duration and quotes do not count; a number does."""
    assert is_same_expression("sum(rate(a[300s]))by(b)>1e3", "sum by (b) (rate(a[5m])) > 1000")
    assert is_same_expression("a{b='c d'}", 'a { b = "c d" }')
    assert not is_same_expression('a{b="c d"}', 'a{b="cd"}')
    assert not is_same_expression("a > 100", "a > 1e+12")

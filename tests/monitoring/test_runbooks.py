"""Runbooks: each alert has one, all of it is said, and its queries and commands exist."""

import re
from pathlib import Path
from typing import Final

import promql_parser
import pytest

from gx.cli.main import ENTRIES
from gx.monitoring.alerts import ALERTS
from gx.monitoring.alerts.backend import HIGH_MEMORY, QUEUE_BUILDS_UP
from gx.monitoring.external import EXTERNAL
from gx.monitoring.model import Alert
from gx.monitoring.rules import all_groups, deployed_targets
from gx.monitoring.runbooks import FOLDER, HEADINGS, REFERENCE, find_runbook_faults, with_facts
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.metric import HISTOGRAM_SUFFIXES
from tests.monitoring.conftest import ROOT

RUNBOOKS: Final = ROOT / FOLDER
_BLOCK: Final = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_NAME: Final = re.compile(r"\b[a-z][a-z0-9]*(?:[_:][a-z0-9_:]+)+\b")
_NOT_SERIES: Final = re.compile(
    r'"[^"]*"|\b(?:by|on|group_left) ?\([^)]*\)|\w+_over_time|\{[^}]*\}'
)
_FUNCTIONS: Final = {"histogram_quantile", "predict_linear", "clamp_min"}

# What the postgres and blackbox exporters have besides what rules read.
_ALSO: Final = {"probe_http_status_code"}


def blocks(alert: Alert, language: str) -> list[str]:
    """Return a runbook's code of one language, without what is generated."""
    text = (RUNBOOKS / f"{alert.name}.md").read_text(encoding="utf-8")
    return [
        line
        for kind, code in _BLOCK.findall(text.partition("## Meaning")[2].partition(REFERENCE)[0])
        if kind == language
        for line in code.strip().splitlines()
    ]


def test_every_alert_has_a_whole_runbook_and_no_runbook_is_left_over() -> None:
    """One page for each alert, with all nine headings and something under each."""
    assert find_runbook_faults(ALERTS, RUNBOOKS) == ()


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_missing_or_empty_heading_is_named(heading: str, tmp_path: Path) -> None:
    """Negative control, heading by heading."""
    text = (RUNBOOKS / f"{QUEUE_BUILDS_UP.name}.md").read_text(encoding="utf-8")
    renamed = text.replace(f"\n{heading}\n", "\n## Other\n")
    (tmp_path / f"{QUEUE_BUILDS_UP.name}.md").write_text(renamed)
    name = heading.removeprefix("## ")

    assert find_runbook_faults([QUEUE_BUILDS_UP], tmp_path) == (
        f"OutboxQueueBuildup: its runbook has no heading {name}",
    )

    before, _, after = text.partition(f"\n{heading}\n")
    rest = after.split("\n## ", 1)[1] if "\n## " in after else ""
    (tmp_path / f"{QUEUE_BUILDS_UP.name}.md").write_text(f"{before}\n{heading}\n\n## {rest}")
    assert f"OutboxQueueBuildup: its runbook says nothing under {name}" in find_runbook_faults(
        [QUEUE_BUILDS_UP], tmp_path
    )


def test_a_missing_runbook_and_a_stray_one_are_named(tmp_path: Path) -> None:
    """Both directions: an alert without a page, a page without an alert."""
    (tmp_path / "Gone.md").write_text("# Gone\n")

    assert find_runbook_faults([QUEUE_BUILDS_UP], tmp_path) == (
        "OutboxQueueBuildup: it has no runbook docs/runbooks/OutboxQueueBuildup.md",
        "Gone: a runbook of this name has no alert",
    )


def test_what_a_command_leaves_open_is_explained_on_its_page(tmp_path: Path) -> None:
    """Whoever is woken must not guess what $DSN is; a variable that nobody explains is a fault."""
    text = (RUNBOOKS / f"{QUEUE_BUILDS_UP.name}.md").read_text(encoding="utf-8")
    page = with_facts(QUEUE_BUILDS_UP, f'{text.partition(REFERENCE)[0]}\npsql "$DSN"\n')
    (tmp_path / f"{QUEUE_BUILDS_UP.name}.md").write_text(page.replace('"$DSN"\n', '"$SECRET"\n'))

    assert "- `$DSN`: the database: `DSN=$(gx db dsn)`" in page
    assert find_runbook_faults([QUEUE_BUILDS_UP], tmp_path) == (
        "OutboxQueueBuildup: its runbook uses $SECRET, and VARIABLES does not explain it",
    )


def test_facts_are_renewed_and_what_people_wrote_stays() -> None:
    """Rendering twice changes nothing; another alert's facts replace the old ones."""
    written = "# OutboxQueueBuildup\n\n## Meaning\n\nMany wait.\n"
    once = with_facts(QUEUE_BUILDS_UP, written)

    assert with_facts(QUEUE_BUILDS_UP, once) == once
    assert "\n\n## Meaning\n\nMany wait.\n\n" in once
    assert "within 6 min." in once
    assert "| duration | 300 s |" in once
    other = with_facts(HIGH_MEMORY, once)
    assert "outbox_pending_commands" not in other
    assert "Many wait." in other


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_the_queries_of_a_runbook_are_promql_on_series_that_exist(alert: Alert) -> None:
    """Nobody should find out at night that a name was changed."""
    targets = deployed_targets(["devnet"])
    known = {
        *(name for metric in CATALOGUE for name in metric.series_names),
        *(metric.name + suffix for metric in EXTERNAL for suffix in ("", *HISTOGRAM_SUFFIXES)),
        *(rule.name for group in all_groups(targets) for rule in group.recordings),
        *_FUNCTIONS,
        *_ALSO,
    }
    for query in blocks(alert, "promql"):
        promql_parser.parse(query)
        assert set(_NAME.findall(_NOT_SERIES.sub("", query))) <= known, query


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_the_gx_commands_of_a_runbook_exist(alert: Alert) -> None:
    """Each begins with a subcommand that there is, and each runbook tells what to type."""
    lines = blocks(alert, "bash")
    ours = [line.split() for line in lines if line.startswith("gx ")]

    assert lines or blocks(alert, "promql")
    assert {words[1] for words in ours} <= {entry.name for entry in ENTRIES}

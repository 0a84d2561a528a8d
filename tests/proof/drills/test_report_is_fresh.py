"""The committed report of the drills is about the alerts and the drills that there are."""

import json
from pathlib import Path
from typing import Final

from gx.domain.codec import JsonObject
from gx.proof.drills.report import JSON_FILE, MARKDOWN_FILE, NOT_DRILLED_TITLE
from gx.proof.drills.scenarios import NOT_DRILLED, SCENARIOS

REFERENCE: Final = Path(__file__).parents[3] / "docs" / "reference"
MEND: Final = "play them all again: `make proof`"


def report() -> JsonObject:
    """The report as scripts read it."""
    document: JsonObject = json.loads((REFERENCE / JSON_FILE).read_text(encoding="utf-8"))
    return document


def alerts() -> list[JsonObject]:
    """What it says of each alert."""
    listed = report()["alerts"]
    assert isinstance(listed, list)
    return [each for each in listed if isinstance(each, dict)]


def test_the_report_is_about_every_drill_s_alerts() -> None:
    """A report from before a drill was added would go on looking like a proof of it."""
    expected = {(each.name, alert.name) for each in SCENARIOS for alert in each.expects}

    assert {(each["drill"], each["alert"]) for each in alerts()} == expected, MEND


def test_the_report_is_of_a_run_in_which_nothing_failed() -> None:
    """What is committed is what was shown, and not what was tried."""
    assert report()["ok"] is True, MEND
    assert [each["alert"] for each in alerts() if not each["ok"] or each["isLate"]] == [], MEND


def test_every_alert_of_the_report_says_how_long_it_took() -> None:
    """In time is only what has a time, and a limit to compare it with."""
    for each in alerts():
        times = [each.get(name) for name in ("detectedRealMs", "budgetRealMs", "limitRealMs")]
        assert all(isinstance(time, int) for time in times), (each["alert"], MEND)


def test_the_page_lists_what_is_not_drilled_and_nothing_else() -> None:
    """A reader must not take for drilled what is no more, nor the other way round."""
    page = (REFERENCE / MARKDOWN_FILE).read_text(encoding="utf-8")
    _, _, rest = page.partition(f"## {NOT_DRILLED_TITLE}\n")
    section = rest.partition("\n## ")[0]
    listed = [line[2:].partition(": ")[0] for line in section.splitlines() if line[:2] == "- "]

    assert sorted(listed) == sorted(NOT_DRILLED), MEND

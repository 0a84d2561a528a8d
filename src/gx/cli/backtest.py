"""`gx backtest`: what alerts would have done over a Prometheus' history."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from gx.cli.failures import CheckFailedError, NotRunningError, UsageFailedError
from gx.cli.options import JsonOption, read_duration_s
from gx.cli.output import progress, say, show, show_table
from gx.domain.clock import Clock
from gx.monitoring.model import ENVIRONMENTS
from gx.monitoring.recording import EXPECTED_TARGET
from gx.proof.backtest.history import History, HistoryUnreachableError
from gx.proof.backtest.incidents import IncidentFileError, parse_time_s, read_incidents
from gx.proof.backtest.measures import Measures, Reading, compare, measure, split_incidents
from gx.proof.backtest.replay import Replay, replay
from gx.proof.backtest.report import (
    ALERT_HEADINGS,
    CHANGE_HEADINGS,
    INCIDENT_HEADINGS,
    Report,
    alert_rows,
    detection_change_rows,
    incident_rows,
    page_change_rows,
    render_json,
    summary,
)
from gx.proof.backtest.rules import RuleSet, catalogue_rules, read_rules
from gx.proof.backtest.states import Evaluations
from gx.proof.backtest.timeline import render_timeline
from gx.runtime.clock import SystemClock

app = typer.Typer(add_completion=False)

CATALOGUE = "catalogue"

PrometheusOption = Annotated[
    str, typer.Option("--prometheus", help="Address of the Prometheus that has the history.")
]
FromOption = Annotated[
    str, typer.Option("--from", help="Start: a time like 2026-11-01T00:00Z, or 7d for 7 days ago.")
]
ToOption = Annotated[str, typer.Option("--to", help="End: a time, or 0s for now.")]
StepOption = Annotated[
    str, typer.Option("--step", help="How often rules are evaluated; slower groups keep their own.")
]
IncidentsOption = Annotated[
    Path | None,
    typer.Option(
        "--incidents", help="YAML or CSV of name, start, end, and perhaps the alerts concerned."
    ),
]
ZoneOption = Annotated[
    str, typer.Option("--time-zone", help="Where the people on call sleep: Europe/Zurich.")
]
EnvironmentOption = Annotated[
    list[str] | None,
    typer.Option("--environment", help="Whose targets the catalogue expects; repeat it."),
]
OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", help="Evaluate only this alert; repeat it.")
]


@app.command("backtest")
def backtest(
    prometheus: PrometheusOption = "http://127.0.0.1:30090",
    rules: Annotated[
        str, typer.Option("--rules", help="A rule file, or `catalogue` for our own.")
    ] = CATALOGUE,
    against: Annotated[
        str | None, typer.Option("--against", help="A second rule set, compared with the first.")
    ] = None,
    start: FromOption = "7d",
    end: ToOption = "0s",
    step: StepOption = "15s",
    incidents: IncidentsOption = None,
    time_zone: ZoneOption = "UTC",
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Write a timeline of the firings as SVG.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what alerts would have done over a Prometheus' history.

    Recording rules of the set are put into the alerts that read them, so
    the history needs the scraped metrics alone. Pages are notifications
    of critical alerts, and of those without a severity.

    Exits with 1 if a marked incident is found by no alert (of the second
    set, if there are two) or if a rule cannot be evaluated.

    Examples:
      gx backtest --from 30d --time-zone Europe/Zurich
      gx backtest --from 7d --incidents incidents.yaml --picture firings.svg
      gx backtest --rules old.yaml --against catalogue --from 7d --json
    """
    evaluations = read_range(start, end, step, SystemClock())
    reading = within(read_reading(incidents, time_zone), evaluations)
    try:
        with History(prometheus) as history:
            replays = [
                _replay(
                    _rules(source, environment, only, history, evaluations), history, evaluations
                )
                for source in (rules, against)
                if source is not None
            ]
    except HistoryUnreachableError as error:
        raise NotRunningError(str(error)) from error
    measured = [measure(each, reading) for each in replays]
    _show(measured, as_json=as_json)
    if picture is not None:
        picture.write_text(render_timeline(replays, reading.incidents, reading.zone))
        say(f"wrote {picture}")
    _judge(replays, measured[-1])


def read_range(start: str, end: str, step: str, clock: Clock) -> Evaluations:
    """Read when rules are evaluated.

    Raises:
        UsageFailedError: A time or a duration makes no sense, or the end is before the start.
    """
    now_s = clock.now_ms() // 1_000
    step_s = read_duration_s(step)
    start_s, end_s = _instant_s(start, now_s), _instant_s(end, now_s)
    if step_s < 1 or end_s <= start_s:
        raise UsageFailedError(f"from {start} to {end} every {step} is nothing: it ends first")
    return Evaluations(start_s=start_s, end_s=end_s, step_s=step_s)


def _instant_s(text: str, now_s: int) -> int:
    if text[-1:] in {"s", "m", "h", "d"}:
        return now_s - read_duration_s(text)
    try:
        return parse_time_s(text, "the range")
    except IncidentFileError as error:
        raise UsageFailedError(str(error)) from error


def read_reading(incidents: Path | None, time_zone: str) -> Reading:
    """Read what the history is judged by.

    Raises:
        UsageFailedError: There is no such time zone, or the incidents cannot be read.
    """
    zone = _zone(time_zone)
    try:
        marked = read_incidents(incidents) if incidents else ()
    except IncidentFileError as error:
        raise UsageFailedError(str(error)) from error
    return Reading(incidents=marked, zone=zone)


def within(reading: Reading, evaluations: Evaluations) -> Reading:
    """Leave out the incidents that the history has not wholly, and say on stderr which."""
    kept, outside = split_incidents(reading.incidents, evaluations)
    for each in outside:
        say(f"not judged: {each.name} is not wholly within the history that was asked for")
    return replace(reading, incidents=kept, outside=outside)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageFailedError(f"there is no time zone {name!r}: try Europe/Zurich") from error


def _rules(
    source: str,
    environments: Sequence[str] | None,
    only: Sequence[str] | None,
    history: History,
    evaluations: Evaluations,
) -> RuleSet:
    if source == CATALOGUE:
        knows_targets = bool(history.series(EXPECTED_TARGET.name, evaluations))
        found = catalogue_rules(environments or ENVIRONMENTS, knows_targets=knows_targets)
    else:
        found = read_rules(Path(source))
    return found.only(only) if only else found


def _replay(rules: RuleSet, history: History, evaluations: Evaluations) -> Replay:
    count = len(rules.alerts)
    with progress(f"{rules.name}: {count} alerts") as line:

        def tell(number: int, name: str) -> None:
            line.tell(f"{rules.name}: {number} of {count}, {name}")

        return replay(rules, history, evaluations, tell=tell)


def _show(measured: Sequence[Measures], *, as_json: bool) -> None:
    first, *others = measured
    second = others[0] if others else None
    comparison = compare(first, second) if second else None
    if as_json:
        show(render_json(Report(measures=first, candidate=second, comparison=comparison)))
        return
    for measures in measured:
        show_table(ALERT_HEADINGS, alert_rows(measures))
        if measures.detections or measures.unjudged:
            show_table(INCIDENT_HEADINGS, incident_rows(measures))
        show(summary(measures))
        if measures.weeks * 7 < 1:
            say(f"{measures.name}: less than a day is too little to say what a week has")
    if comparison is not None:
        show_table(("pages", *CHANGE_HEADINGS[1:]), page_change_rows(comparison.pages))
        show_table(
            ("incident found", *CHANGE_HEADINGS[1:]), detection_change_rows(comparison.detections)
        )


def _judge(replays: Sequence[Replay], measures: Measures) -> None:
    errors = [error for each in replays for error in each.errors]
    for error in errors:
        say(error)
    if errors:
        raise CheckFailedError(f"{len(errors)} rules could not be evaluated")
    if measures.missed:
        raise CheckFailedError(
            f"{measures.name} finds {len(measures.missed)} of {len(measures.detections)} incidents "
            f"not at all: {', '.join(measures.missed)}"
        )

"""A back-test as tables for people and as JSON for scripts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from gx.proof.backtest.measures import AlertMeasures, Change, Comparison, Detection, Measures

ALERT_HEADINGS: Final = (
    "alert",
    "severity",
    "firings>",
    "flaps>",
    "minutes>",
    "pages>",
    "at night>",
    "false>",
)
INCIDENT_HEADINGS: Final = ("incident", "found after>", "first by")
CHANGE_HEADINGS: Final = ("", "before>", "after>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `--json` prints; `candidate` and `comparison` are there when two sets are compared."""

    measures: Measures
    candidate: Measures | None
    comparison: Comparison | None


def render_json(report: Report) -> str:
    """Write a report as JSON; what has no value is null."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def alert_rows(measures: Measures) -> Iterator[tuple[str, ...]]:
    """Yield a row for each alert that fired or could not be evaluated."""
    for alert in measures.alerts:
        if alert.error:
            yield (alert.name, alert.severity or "-", "?", "?", "?", "?", "?", "?")
        elif alert.firings:
            yield _row(alert)


def _row(alert: AlertMeasures) -> tuple[str, ...]:
    numbers = (
        alert.firings,
        alert.flaps,
        alert.minutes,
        alert.pages,
        alert.night_pages,
        alert.false_pages,
    )
    return (alert.name, alert.severity or "-", *(f"{number:g}" for number in numbers))


def incident_rows(measures: Measures) -> Iterator[tuple[str, ...]]:
    """Yield a row for each incident: how long it took, and which alert was first."""
    for detection in measures.detections:
        yield (detection.incident, delay_text(detection.delay_s), _finder(detection, measures))
    for name in measures.unjudged:
        yield (name, "-", "not wholly in the history")


def _finder(first: Detection, measures: Measures) -> str:
    names = [
        alert.name
        for alert in measures.alerts
        if first.delay_s is not None and first in alert.detections
    ]
    return ", ".join(names) or "-"


def delay_text(delay_s: int | None) -> str:
    """Write a delay for people."""
    if delay_s is None:
        return "missed"
    minutes, seconds = divmod(delay_s, 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def page_change_rows(changes: Iterable[Change]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each alert with another number of pages; `-` where a set lacks it."""
    for change in changes:
        yield (change.name, _count(change.before), _count(change.after))


def detection_change_rows(changes: Iterable[Change]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each incident that is found at another time."""
    for change in changes:
        yield (change.name, delay_text(change.before), delay_text(change.after))


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count} pages"


def _count(pages: int | None) -> str:
    return "-" if pages is None else str(pages)


def summary(measures: Measures) -> str:
    """Sum up a rule set's figures in a line."""
    silent = [each.name for each in measures.alerts if not each.firings and not each.error]
    parts: Sequence[str] = (
        f"{measures.name}: {_pages(measures.pages)} in {measures.weeks * 7:.1f} days",
        f"{measures.pages_per_week:g} a week",
        f"{measures.night_pages} at night",
        *([f"{measures.false_pages} outside of incidents"] if measures.detections else []),
        f"{len(silent)} of {len(measures.alerts)} alerts never fired",
    )
    return ", ".join(parts) + "."

"""What a replay means for the people on call: pages, nights, flaps, and what was found when."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from gx.monitoring.model import Severity
from gx.proof.backtest.incidents import Incident
from gx.proof.backtest.replay import AlertHistory, Replay, SeriesFirings, spans
from gx.proof.backtest.states import Evaluations

WEEK_S: Final = 7 * 86_400
NIGHT_STARTS: Final = 22
NIGHT_ENDS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a replay is judged.

    `zone` is where the people on call sleep; `flap_s` is within how many seconds of its end a
    firing that begins again is the same trouble; `grace_s` is how long after an incident's end
    a page still belongs to it. `outside` are incidents that the history has in part or not at all:
    none of them can be found or missed, and a page during one is no false one.
    """

    incidents: tuple[Incident, ...] = ()
    outside: tuple[Incident, ...] = ()
    zone: tzinfo = UTC
    flap_s: int = 1_800
    grace_s: int = 600


@dataclass(frozen=True, slots=True)
class Detection:
    """What an alert made of an incident: seconds from its start; None where it missed it."""

    incident: str
    delay_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMeasures:
    """One alert's figures.

    `firings` counts label sets' firings, `minutes` adds them up. `pages` are notifications of an
    alert that pages: one when a namespace begins to fire of which nothing fired before.
    """

    name: str
    severity: str
    firings: int
    flaps: int
    minutes: float
    pages: int
    night_pages: int
    false_pages: int
    detections: tuple[Detection, ...]
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """A rule set's figures over a range; `detections` are its first alert's, whichever it was.

    `unjudged` are marked incidents that the range has not wholly.
    """

    name: str
    weeks: float
    alerts: tuple[AlertMeasures, ...]
    detections: tuple[Detection, ...]
    unjudged: tuple[str, ...] = ()

    @property
    def pages(self) -> int:
        """Pages of all alerts."""
        return sum(alert.pages for alert in self.alerts)

    @property
    def night_pages(self) -> int:
        """Pages between 22 and 7 o'clock."""
        return sum(alert.night_pages for alert in self.alerts)

    @property
    def false_pages(self) -> int:
        """Pages outside of every incident."""
        return sum(alert.false_pages for alert in self.alerts)

    @property
    def pages_per_week(self) -> float:
        """Pages in seven days, on average."""
        return round(self.pages / self.weeks, 2)

    @property
    def missed(self) -> tuple[str, ...]:
        """The incidents that nothing found."""
        return tuple(each.incident for each in self.detections if each.delay_s is None)


def measure(replayed: Replay, reading: Reading) -> Measures:
    """Count what a rule set would have done."""
    alerts = tuple(measure_alert(each, reading) for each in replayed.alerts)
    length_s = replayed.evaluations.last_s - replayed.evaluations.start_s
    return Measures(
        name=replayed.name,
        weeks=max(length_s, 1) / WEEK_S,
        alerts=alerts,
        detections=tuple(_first(incident, alerts) for incident in reading.incidents),
        unjudged=tuple(incident.name for incident in reading.outside),
    )


def split_incidents(
    incidents: Iterable[Incident], evaluations: Evaluations
) -> tuple[tuple[Incident, ...], tuple[Incident, ...]]:
    """Return the incidents that lie wholly within a range, and the others."""
    kept: list[Incident] = []
    outside: list[Incident] = []
    for each in incidents:
        is_within = evaluations.start_s <= each.start_s and each.end_s <= evaluations.end_s
        (kept if is_within else outside).append(each)
    return tuple(kept), tuple(outside)


def _first(incident: Incident, alerts: Iterable[AlertMeasures]) -> Detection:
    found = (
        each for alert in alerts for each in alert.detections if each.incident == incident.name
    )
    delays = [each.delay_s for each in found if each.delay_s is not None]
    return Detection(incident.name, min(delays, default=None))


def measure_alert(alert: AlertHistory, reading: Reading) -> AlertMeasures:
    """Count what one alert would have done."""
    pages = pages_of(alert) if is_paging(alert) else []
    return AlertMeasures(
        name=alert.rule.name,
        severity=alert.rule.severity,
        firings=sum(len(each.firings) for each in alert.series),
        flaps=sum(_flaps(each, reading.flap_s) for each in alert.series),
        minutes=round(sum(f.length_s for each in alert.series for f in each.firings) / 60, 2),
        pages=len(pages),
        night_pages=sum(is_night(start_s, reading.zone) for start_s, _ in pages),
        false_pages=sum(is_false(page, alert.rule.name, reading) for page in pages),
        detections=tuple(_detections(alert, reading.incidents)),
        error=alert.error,
    )


def is_paging(alert: AlertHistory) -> bool:
    """Say whether it wakes somebody: it is critical, or its rule does not say."""
    return alert.rule.severity in {Severity.CRITICAL.value, ""}


def pages_of(alert: AlertHistory) -> list[tuple[int, int]]:
    """List its notifications as spans: one for each time that a namespace begins to fire."""
    by_namespace: dict[str, list[SeriesFirings]] = defaultdict(list)
    for each in alert.series:
        by_namespace[each.label("namespace")].append(each)
    return sorted(span for group in by_namespace.values() for span in spans(group))


def is_night(at_s: int, zone: tzinfo) -> bool:
    """Say whether it is between 22 and 7 o'clock there."""
    hour = datetime.fromtimestamp(at_s, zone).hour
    return hour >= NIGHT_STARTS or hour < NIGHT_ENDS


def is_false(page: tuple[int, int], alert: str, reading: Reading) -> bool:
    """Say whether a page touches no incident that concerns its alert.

    Without any marked incident no page is known to be false.
    """
    start_s, end_s = page
    return bool(reading.incidents) and not any(
        incident.concerns(alert)
        and start_s <= incident.end_s + reading.grace_s
        and end_s > incident.start_s
        for incident in (*reading.incidents, *reading.outside)
    )


def _flaps(series: SeriesFirings, within_s: int) -> int:
    pairs = zip(series.firings, series.firings[1:], strict=False)
    return sum(later.start_s - earlier.end_s <= within_s for earlier, later in pairs)


def _detections(alert: AlertHistory, incidents: Iterable[Incident]) -> Iterator[Detection]:
    if alert.rule.severity == Severity.NONE.value:  # fires always, so it finds nothing
        return
    fired = spans(alert.series)
    for incident in incidents:
        if incident.concerns(alert.rule.name):
            yield Detection(incident.name, _delay_s(fired, incident))


def _delay_s(fired: Sequence[tuple[int, int]], incident: Incident) -> int | None:
    """Return how long after its start the first alert fired; 0 if one fired already."""
    starts = [
        start_s
        for start_s, end_s in fired
        if start_s <= incident.end_s and end_s > incident.start_s
    ]
    return max(0, min(starts) - incident.start_s) if starts else None


@dataclass(frozen=True, slots=True)
class Change:
    """One alert's pages, or one incident's delay, before and after; None where there is none."""

    name: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is different with the second rule set; what is equal is left out."""

    pages: tuple[Change, ...]
    detections: tuple[Change, ...]


def compare(before: Measures, after: Measures) -> Comparison:
    """Say which alerts would page more or less often, and which incidents be found when."""
    pages = _changes(*({each.name: each.pages for each in one.alerts} for one in (before, after)))
    delays = _changes(
        *({each.incident: each.delay_s for each in one.detections} for one in (before, after))
    )
    return Comparison(
        pages=tuple(each for each in pages if (each.before or 0) != (each.after or 0)),
        detections=tuple(each for each in delays if each.before != each.after),
    )


def _changes(before: Mapping[str, int | None], after: Mapping[str, int | None]) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        yield Change(name, before.get(name), after.get(name))

"""The judge of alerting: what should have fired did, and nothing else, as Prometheus remembers."""

from typing import Final

import httpx
import msgspec

from gx.monitoring.alerts.watching import WATCHDOG
from tests.chaos.findings import Finding, Rule
from tests.chaos.notes import AlertNotes

STEP_S: Final = 0.5
"""Finer than any scaled evaluation: no firing is missed between two samples."""

_POINTS_MAX: Final = 10_000  # Prometheus refuses more than 11,000 a query
_TIMEOUT_S: Final = 30.0
_FIRING: Final = 'ALERTS{alertstate="firing"}'


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]]


class _Result(msgspec.Struct):
    result: list[_Series]


class _Answer(msgspec.Struct):
    data: _Result


def judge_alerts(notes: AlertNotes, finding: Finding) -> None:
    """Compare what fired with what the run's notes expect."""
    fired = _fired(notes)
    silent = [
        f"{each.alert} between {each.from_s:.0f} and {each.to_s:.0f}"
        for each in notes.expected
        if not any(each.from_s <= at_s <= each.to_s for at_s in fired.get(each.alert, ()))
    ]
    finding.require_none(Rule.SILENT, silent)
    finding.alerts = len(notes.expected) - len(silent)
    known = {WATCHDOG.name, *notes.collateral, *(each.alert for each in notes.expected)}
    finding.require_none(
        Rule.NOISY,
        [f"{name} at {times[0]:.0f}" for name, times in fired.items() if name not in known],
    )


def _fired(notes: AlertNotes) -> dict[str, list[float]]:
    """Return when each alert was firing, by its name."""
    fired: dict[str, list[float]] = {}
    from_s = notes.from_s
    with httpx.Client(base_url=notes.prometheus, timeout=_TIMEOUT_S, trust_env=False) as client:
        while from_s < notes.to_s:
            to_s = min(from_s + _POINTS_MAX * STEP_S, notes.to_s)
            query: dict[str, str | float] = {
                "query": _FIRING,
                "start": from_s,
                "end": to_s,
                "step": STEP_S,
            }
            answer = client.get("/api/v1/query_range", params=query)
            answer.raise_for_status()
            for series in msgspec.json.decode(answer.content, type=_Answer).data.result:
                times = fired.setdefault(series.metric["alertname"], [])
                times += [at_s for at_s, _ in series.values]
            from_s = to_s + STEP_S
    return fired

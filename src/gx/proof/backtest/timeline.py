"""The picture of a back-test: a line for each alert that fired, incidents as bands behind them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final
from xml.sax.saxutils import escape  # it writes XML and reads none # nosec B406

from gx.monitoring.model import Severity
from gx.proof.backtest.incidents import Incident
from gx.proof.backtest.replay import AlertHistory, Replay, spans
from gx.proof.backtest.states import Evaluations

_WIDTH: Final = 1200
_NAMES_WIDTH: Final = 330
_ROW_HEIGHT: Final = 20
_TOP: Final = 50
_BAR_MIN: Final = 1.5
_TICKS: Final = 8
_COLOURS: Final = {Severity.CRITICAL.value: "#c4162a", Severity.WARNING.value: "#e0752d"}
_OTHER_COLOUR: Final = "#5794f2"


def render_timeline(
    replays: Sequence[Replay], incidents: Sequence[Incident] = (), zone: tzinfo = UTC
) -> str:
    """Draw when each alert fired as SVG; with two replays each has its own block of lines."""
    evaluations = replays[0].evaluations
    rows = [row for replay in replays for row in _block(replay, is_named=len(replays) > 1)]
    height = _TOP + _ROW_HEIGHT * len(rows) + 20
    size = f'width="{_WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect {size} fill="#ffffff"/>',
        *_bands(incidents, evaluations, height),
        *_axis(evaluations, zone, height),
    ]
    for number, row in enumerate(rows):
        parts.extend(_line(row, _TOP + number * _ROW_HEIGHT, evaluations))
    return "\n".join([*parts, "</svg>", ""])


def _block(replay: Replay, *, is_named: bool) -> Iterator[AlertHistory | str]:
    fired = [alert for alert in replay.alerts if alert.series]
    if is_named or not fired:
        yield replay.name if fired else f"{replay.name}: nothing fired"
    yield from fired


def _x(at_s: int, evaluations: Evaluations) -> float:
    share = (at_s - evaluations.start_s) / max(1, evaluations.length_s)
    return _NAMES_WIDTH + min(1.0, max(0.0, share)) * (_WIDTH - _NAMES_WIDTH - 20)


def _bands(incidents: Iterable[Incident], evaluations: Evaluations, height: int) -> Iterator[str]:
    for incident in incidents:
        left, right = (_x(at_s, evaluations) for at_s in (incident.start_s, incident.end_s))
        width = max(_BAR_MIN, right - left)
        yield (
            f'<rect x="{left:.1f}" y="{_TOP - 8}" width="{width:.1f}" height="{height - _TOP}" '
            f'fill="#d8d9da"><title>{escape(incident.name)}</title></rect>'
        )
        yield f'<text x="{left:.1f}" y="14" fill="#52545c">{escape(incident.name)}</text>'


def _axis(evaluations: Evaluations, zone: tzinfo, height: int) -> Iterator[str]:
    for tick in range(_TICKS):
        at_s = evaluations.start_s + evaluations.length_s * tick // _TICKS
        text = datetime.fromtimestamp(at_s, zone).strftime("%Y-%m-%d %H:%M")
        x = _x(at_s, evaluations)
        yield f'<path d="M{x:.1f} {_TOP - 10}V{height - 12}" stroke="#e9edf2"/>'
        yield f'<text x="{x:.1f}" y="{_TOP - 18}" fill="#52545c" font-size="10">{text}</text>'


def _line(row: AlertHistory | str, top: int, evaluations: Evaluations) -> Iterator[str]:
    if isinstance(row, str):
        yield f'<text x="8" y="{top + 12}" font-weight="bold">{escape(row)}</text>'
        return
    colour = _COLOURS.get(row.rule.severity, _OTHER_COLOUR)
    yield f'<text x="8" y="{top + 12}">{escape(row.rule.name)}</text>'
    for start_s, end_s in spans(row.series):
        left = _x(start_s, evaluations)
        width = max(_BAR_MIN, _x(end_s, evaluations) - left)
        minutes = (end_s - start_s) / 60
        yield (
            f'<rect x="{left:.1f}" y="{top + 2}" width="{width:.1f}" height="12" '
            f'fill="{colour}"><title>{minutes:g} minutes</title></rect>'
        )

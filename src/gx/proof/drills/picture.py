"""The timeline of a run of drills: a line for each alert, from the fault to the last word."""

from collections.abc import Iterator
from html import escape
from typing import Final

from gx.proof.drills.outcome import AlertRun, DrillRun

_LEFT: Final = 250
_WIDTH: Final = 700
_LINE: Final = 22
_TOP: Final = 56
_TICKS: Final = 8
_PENDING: Final = "#f2cc0c"
_FIRING: Final = "#e0226e"
_MUTED: Final = "#8e8ea0"
_FAULT: Final = "#dfe3ea"
_LEGEND: Final = (
    ("fault", _FAULT),
    ("pending", _PENDING),
    ("firing", _FIRING),
    ("firing, muted", _MUTED),
)
_STEPS_S: Final = (5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600)


def render_picture(run: DrillRun) -> str:
    """Render an SVG; dots are notifications, filled when it fires and open when it is over."""
    height = _TOP + _LINE * len(run.alerts) + 30
    span_s = max(run.ended_s - run.began_s, 1.0)
    return "\n".join(
        (
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" '
                f'viewBox="0 0 {_LEFT + _WIDTH + 20} {height}" '
                'font-family="sans-serif" font-size="12">'
            ),
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *_legend(),
            *_axis(span_s, height),
            *(
                part
                for place, each in enumerate(run.alerts)
                for part in _line(each, run, _TOP + place * _LINE, span_s)
            ),
            "</svg>\n",
        )
    )


def _legend() -> Iterator[str]:
    for place, (name, color) in enumerate(_LEGEND):
        x = 10 + place * 120
        yield f'<rect x="{x}" y="8" width="14" height="12" fill="{color}"/>'
        yield f'<text x="{x + 19}" y="18">{name}</text>'
    yield '<circle cx="505" cy="14" r="4" fill="#111"/><text x="514" y="18">told</text>'
    yield (
        '<circle cx="565" cy="14" r="4" fill="#fff" stroke="#111"/>'
        '<text x="574" y="18">told that it is over</text>'
    )


def _axis(span_s: float, height: int) -> Iterator[str]:
    step_s = next((s for s in _STEPS_S if span_s / s <= _TICKS), _STEPS_S[-1])
    for count in range(int(span_s // step_s) + 1):
        x = _x(count * step_s, span_s)
        yield f'<line x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{height - 24}" stroke="#eee"/>'
        yield f'<text x="{x}" y="{_TOP - 14}" text-anchor="middle">{count * step_s} s</text>'


def _line(run: AlertRun, whole: DrillRun, y: int, span_s: float) -> Iterator[str]:
    color = "#111" if run.is_good else "#c00"
    name = escape(run.alert.name)
    yield f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end" fill="{color}">{name}</text>'
    if run.injected_s is None:
        return
    zero_s, last_s = whole.began_s, whole.ended_s - whole.began_s
    fault_ended_s = (run.ended_s or whole.ended_s) - zero_s
    yield _bar((run.injected_s - zero_s, fault_ended_s), _FAULT, y, span_s)
    sighting = run.sighting
    if sighting is not None:
        gone_s = (sighting.gone_s or whole.ended_s) - zero_s
        firing_s = last_s if sighting.firing_s is None else sighting.firing_s - zero_s
        muted_s = gone_s if sighting.muted_s is None else sighting.muted_s - zero_s
        yield _bar((sighting.pending_s - zero_s, firing_s), _PENDING, y + 4, span_s)
        yield _bar((firing_s, muted_s), _FIRING, y + 4, span_s)
        yield _bar((muted_s, gone_s), _MUTED, y + 4, span_s)
    for notice in run.notices:
        fill = "#111" if notice.is_firing else "#fff"
        x = _x(notice.at_s - whole.began_s, span_s)
        yield f'<circle cx="{x}" cy="{y + 8}" r="3" fill="{fill}" stroke="#111"/>'


def _bar(ends_s: tuple[float, float], color: str, y: int, span_s: float) -> str:
    """Draw from one moment to another, both counted from the run's begin."""
    left = _x(ends_s[0], span_s)
    width = max(_x(ends_s[1], span_s) - left, 0)
    thickness = 16 if color == _FAULT else 8
    return f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{thickness}" fill="{color}"/>'


def _x(at_s: float, span_s: float) -> float:
    return round(_LEFT + _WIDTH * min(max(at_s, 0) / span_s, 1), 1)

"""The ratios as a chart: a bar for the median, a whisker for the spread, a line for the target."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from benchmarks.answers import Answer

WIDTH: Final = 1_000
LABELS: Final = 530
ROW: Final = 30
TOP: Final = 44
SCALE_END: Final = 1.6
"""Bars are shares of the target: 1 is the target itself. What is beyond is cut."""

HEAD: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
     font-family="sans-serif" font-size="12">
<rect width="{width}" height="{height}" fill="#ffffff"/>
<text x="12" y="22" font-size="14" font-weight="bold">Share of the target that is reached
(longer is better)</text>"""


def render_chart(found: Sequence[Answer]) -> str:
    """Return the chart of all answers that have a target, as SVG."""
    answers = [answer for answer in found if answer.target is not None]
    height = TOP + ROW * len(answers) + 30
    return "\n".join(
        (
            HEAD.format(width=WIDTH, height=height),
            *(line for row, one in enumerate(answers) for line in _row(one, TOP + ROW * row)),
            *_target_line(height),
            "</svg>\n",
        )
    )


def _row(answer: Answer, top: int) -> Iterator[str]:
    value = answer.value
    low, middle, high = (_share(answer, one) for one in (value.min, value.median, value.max))
    color = "#2e7d32" if answer.is_met else "#c62828"
    y = top + ROW / 2
    yield f'<text x="12" y="{y + 4}">{escape(answer.name)}</text>'
    yield (
        f'<rect x="{LABELS}" y="{top + 7}" width="{_x(middle) - LABELS:.1f}" height="{ROW - 14}" '
        f'fill="{color}" fill-opacity="0.75"/>'
    )
    yield (
        f'<line x1="{_x(min(low, high)):.1f}" x2="{_x(max(low, high)):.1f}" y1="{y}" y2="{y}" '
        'stroke="#212121" stroke-width="1.5"/>'
    )
    yield (
        f'<text x="{WIDTH - 8}" y="{y + 4}" text-anchor="end" fill="#424242">'
        f"{value.median:{',.0f' if value.median >= 1_000 else '.3g'}}"
        f" ({escape(answer.target_text)})</text>"
    )


def _target_line(height: int) -> Iterator[str]:
    x = _x(1.0)
    yield (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 24}" stroke="#1565c0" '
        'stroke-width="2" stroke-dasharray="5 3"/>'
    )
    yield f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" fill="#1565c0">target</text>'


def _share(answer: Answer, value: float) -> float:
    """Return how much of the target a value reaches; of an upper bound, the inverse."""
    assert answer.target is not None
    share = answer.target / value if answer.is_upper_bound else value / answer.target
    return min(share, SCALE_END)


def _x(share: float) -> float:
    return LABELS + share / SCALE_END * (WIDTH - LABELS - 120)

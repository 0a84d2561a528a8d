"""Line charts as SVG: one picture a page, some panels below each other, each with its own scale."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

import msgspec

WIDTH: Final = 860
PANEL: Final = 170
LEFT: Final = 70
RIGHT: Final = 150
GAP: Final = 46
COLORS: Final = ("#1565c0", "#c62828", "#2e7d32", "#6a1b9a", "#ef6c00", "#00838f", "#5d4037")

HEAD: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
     font-family="sans-serif" font-size="11">
<rect width="{width}" height="{height}" fill="#ffffff"/>"""


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines over the same x; a `limit` is drawn dashed."""

    title: str
    x_unit: str
    y_unit: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    limit: float | None = None


def render_panels(panels: Sequence[Panel]) -> str:
    """Return the picture."""
    height = len(panels) * (PANEL + GAP) + 10
    rows = [HEAD.format(width=WIDTH, height=height)]
    for number, panel in enumerate(panels):
        rows.extend(_panel(panel, top=number * (PANEL + GAP) + 28))
    return "\n".join((*rows, "</svg>\n"))


def _panel(panel: Panel, *, top: float) -> Iterator[str]:
    points = [point for line in panel.lines.values() for point in line]
    if not points:
        return
    x_min, x_max = min(x for x, _ in points), max(x for x, _ in points)
    y_max = max([y for _, y in points] + [panel.limit or 0.0]) * 1.05 or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        share = (x - x_min) / (x_max - x_min) if x_max > x_min else 0.5
        return LEFT + share * (WIDTH - LEFT - RIGHT), top + PANEL * (1 - y / y_max)

    yield f'<text x="{LEFT}" y="{top - 8}" font-weight="bold">{escape(panel.title)}</text>'
    for share in (0.0, 0.5, 1.0):
        y = top + PANEL * (1 - share)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#e0e0e0"/>'
        told = f"{_number(y_max * share)} {escape(panel.y_unit)}"
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{told}</text>'
    for x, anchor in ((x_min, "start"), (x_max, "end")):
        across, _ = place(x, 0)
        told = f"{_number(x)} {escape(panel.x_unit)}"
        yield f'<text x="{across:.1f}" y="{top + PANEL + 14}" text-anchor="{anchor}">{told}</text>'
    if panel.limit is not None:
        _, y = place(x_min, panel.limit)
        yield (
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#424242" '
            'stroke-dasharray="5 3"/>'
        )
    for number, (name, line) in enumerate(panel.lines.items()):
        color = COLORS[number % len(COLORS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>'
        y = top + 10 + 14 * number
        yield f'<text x="{WIDTH - RIGHT + 10}" y="{y}" fill="{color}">{escape(name)}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{round(value, 1):g}"

"""What a run of the chaos suite tells: on the screen, and as JSON, Markdown and a picture."""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.catalogue import KINDS
from tests.chaos.faults.story import write_story
from tests.chaos.rounds import Round

P50, P95 = 50, 95
PERCENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFigures:
    """How often a kind of fault happened, and how long commands took to be answered again."""

    name: str
    does: str
    count: int
    recoveries_s: Sequence[float]

    def recovery_s(self, percent: int) -> float | None:
        """Return a percentile of the times of recovery; None where nobody waited."""
        if not self.recoveries_s:
            return None
        ordered = sorted(self.recoveries_s)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // PERCENT)]


@dataclass(slots=True, kw_only=True)
class RunReport:
    """All rounds of one run."""

    seed: int
    ledger: LedgerKind
    rounds: list[Round] = field(default_factory=list)
    retries: int = 0
    fenced: int = 0
    restarts: int = 0
    elapsed_s: float = 0.0
    smallest: str | None = None

    @property
    def findings(self) -> list[str]:
        """Everything that was wrong."""
        return [finding for each in self.rounds for finding in each.findings]

    @property
    def faults(self) -> int:
        """How many faults happened."""
        return sum(played.impossible is None for each in self.rounds for played in each.played)

    @property
    def skipped(self) -> Mapping[str, int]:
        """What this machine cannot do, and how often it was asked to."""
        return Counter(
            played.impossible
            for each in self.rounds
            for played in each.played
            if played.impossible is not None
        )

    def judged(self, name: str) -> int:
        """Return one of the judge's last counts: history accumulates, so it is of all rounds."""
        for each in reversed(self.rounds):
            if name in each.judged:
                return int(str(each.judged[name]))
        return 0

    def by_kind(self) -> list[KindFigures]:
        """Sum up each kind, in the catalogue's order."""
        counts: Counter[str] = Counter()
        recoveries: defaultdict[str, list[float]] = defaultdict(list)
        for played in (each for one in self.rounds for each in one.played if not each.impossible):
            counts[played.fault.kind] += 1
            if played.recovery_s is not None:
                recoveries[played.fault.kind].append(played.recovery_s)
        return [
            KindFigures(
                name=name,
                does=kind.declaration.does,
                count=counts[name],
                recoveries_s=recoveries[name],
            )
            for name, kind in KINDS.items()
            if counts[name]
        ]


def summary(report: RunReport) -> str:
    """Sum a run up in some lines."""
    recoveries = [r for kind in report.by_kind() for r in kind.recoveries_s]
    median = f"{statistics.median(recoveries):.2f} s" if recoveries else "not measured"
    lines = [
        (
            f"{report.faults} faults of {len(report.by_kind())} kinds on {report.ledger}, seed"
            f" {report.seed}, in {report.elapsed_s:,.0f} s"
        ),
        (
            f"{report.judged('accepted'):,} commands accepted, {report.judged('committed'):,}"
            f" committed, {report.judged('rejected'):,} refused;"
            f" {report.retries:,} requests repeated"
        ),
        (f"{report.restarts} restarts, {report.fenced} leases lost; median recovery {median}"),
        *(f"skipped {count} times: {reason}" for reason, count in report.skipped.items()),
    ]
    if report.findings:
        lines += [f"{len(report.findings)} FINDINGS:", *(f"  {each}" for each in report.findings)]
    else:
        lines.append("lost 0, doubled 0: the judge found nothing wrong")
    return "\n".join(lines)


def as_json(report: RunReport) -> str:
    """Return the whole run as JSON."""
    return json.dumps(
        {
            "ledger": report.ledger.value,
            "seed": report.seed,
            "faults": report.faults,
            "accepted": report.judged("accepted"),
            "committed": report.judged("committed"),
            "rejected": report.judged("rejected"),
            "blocks": report.judged("blocks"),
            "retries": report.retries,
            "restarts": report.restarts,
            "fenced": report.fenced,
            "elapsedS": round(report.elapsed_s, 1),
            "findings": report.findings,
            "smallestStory": report.smallest,
            "skipped": dict(report.skipped),
            "kinds": [
                {
                    "kind": kind.name,
                    "count": kind.count,
                    "recoveryP50S": _rounded(kind.recovery_s(P50)),
                    "recoveryP95S": _rounded(kind.recovery_s(P95)),
                }
                for kind in report.by_kind()
            ],
            "story": [write_story([p.fault for p in each.played]) for each in report.rounds],
        },
        indent=2,
    )


def as_markdown(reports: Sequence[RunReport], picture: str) -> str:
    """Return the runs as a page."""
    parts = [
        "# Chaos",
        "",
        (
            "Written by `make chaos`. Every fault happens under load, from a seeded schedule; after"
            " every round of faults a judge of its own process recounts each command's effects from"
            " the ledger's blocks and compares every table of the read side with them."
        ),
        "",
        f"![Recovery by kind of fault]({picture})",
    ]
    for report in reports:
        parts += ["", *_section(report)]
    return "\n".join(parts) + "\n"


def _section(report: RunReport) -> list[str]:
    is_clean = not report.findings
    return [
        f"## {report.ledger.value.capitalize()} ledger",
        "",
        "| | |",
        "|---|---|",
        f"| seed | {report.seed} |",
        f"| faults | {report.faults} in {report.elapsed_s:,.0f} s |",
        f"| commands accepted | {report.judged('accepted'):,} |",
        f"| committed, refused | {report.judged('committed'):,}, {report.judged('rejected'):,} |",
        f"| requests that clients repeated | {report.retries:,} |",
        f"| processes started again | {report.restarts} |",
        f"| leases that a paused or cut-off worker lost | {report.fenced} |",
        f"| lost, doubled | {'0, 0' if is_clean else 'see the findings'} |",
        "",
        "Recovery: from the end of a fault until a command that is sent then is projected.",
        "",
        "| fault | what happens | times | p50 s | p95 s |",
        "|---|---|--:|--:|--:|",
        *(
            f"| {kind.name} | {kind.does} | {kind.count} | {_text(kind.recovery_s(P50))}"
            f" | {_text(kind.recovery_s(P95))} |"
            for kind in report.by_kind()
        ),
        *(["", *(f"- {each}" for each in report.findings)] if not is_clean else []),
    ]


def as_svg(reports: Sequence[RunReport]) -> str:
    """Draw each kind's recovery: a bar to the median, a line to the 95th percentile."""
    rows = [
        (f"{kind.name} ({report.ledger.value})", kind.recovery_s(P50), kind.recovery_s(P95))
        for report in reports
        for kind in report.by_kind()
    ]
    longest = max((high for _, _, high in rows if high is not None), default=1.0)
    drawn = [
        _bar(place, name, low=low or 0.0, high=high or 0.0, longest=longest)
        for place, (name, low, high) in enumerate(rows)
    ]
    height = 40 + ROW * len(rows)
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}"'
                f' font-family="sans-serif" font-size="12">'
            ),
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            (
                '<text x="10" y="20" font-size="13">Seconds until commands are projected again:'
                " median (bar), 95th percentile (line)</text>"
            ),
            *drawn,
            "</svg>\n",
        ]
    )


ROW, LEFT, WIDTH = 20, 230, 430


def _bar(place: int, name: str, *, low: float, high: float, longest: float) -> str:
    top = 34 + ROW * place
    scale = WIDTH / longest
    middle = top + ROW / 2
    return (
        f'<text x="{LEFT - 8}" y="{middle + 2:.0f}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LEFT}" y="{top + 3}" width="{max(low * scale, 1):.1f}" height="{ROW - 8}"'
        ' fill="#4878a8"/>'
        f'<line x1="{LEFT}" x2="{LEFT + high * scale:.1f}" y1="{middle - 1:.0f}"'
        f' y2="{middle - 1:.0f}" stroke="#222222"/>'
        f'<text x="{LEFT + high * scale + 6:.1f}" y="{middle + 2:.0f}">'
        f"{low:.2f} / {high:.2f}</text>"
    )


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def write(reports: Sequence[RunReport], path: Path) -> None:
    """Write `path` with the endings .json, .md and .svg."""
    path.with_suffix(".json").write_text(
        "[\n" + ",\n".join(as_json(report) for report in reports) + "\n]\n", encoding="utf-8"
    )
    path.with_suffix(".md").write_text(as_markdown(reports, f"{path.stem}.svg"), encoding="utf-8")
    path.with_suffix(".svg").write_text(as_svg(reports), encoding="utf-8")

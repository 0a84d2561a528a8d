"""What a run of the chaos suite tells: on the screen, and as JSON, Markdown and a picture."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.machine import Machine
from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.catalogue import KINDS
from tests.chaos.faults.story import write_story
from tests.chaos.figures import KindFigures, RunFigures, read_figures, write_figures
from tests.chaos.page import as_markdown, as_svg
from tests.chaos.rounds import Played, Round

PERCENT: Final = 100


@dataclass(slots=True, kw_only=True)
class RunReport:
    """All rounds of one run, and under which conditions they were played."""

    seed: int
    ledger: LedgerKind
    standbys: str = ""
    command: str
    rate_per_s: float
    machine: Machine | None = None
    loads: list[float] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    prior: int = 0
    retries: int = 0
    fenced: int = 0
    restarts: int = 0
    elapsed_s: float = 0.0
    smallest: str | None = None

    @property
    def played(self) -> list[Played]:
        """Every fault, also what could not be done."""
        return [played for each in self.rounds for played in each.played]

    @property
    def findings(self) -> list[str]:
        """Everything that was wrong."""
        return [finding for each in self.rounds for finding in each.findings]

    @property
    def faults(self) -> int:
        """How many faults happened."""
        return sum(played.impossible is None for played in self.played)

    @property
    def skipped(self) -> Mapping[str, int]:
        """What this machine cannot do, and how often it was asked to."""
        return Counter(each.impossible for each in self.played if each.impossible is not None)

    def judged(self, name: str) -> int:
        """Return one of the judge's last counts, 0 if there is none."""
        return self.counted(name) or 0

    def counted(self, name: str) -> int | None:
        """Return one of the judge's last counts: history accumulates, so it is of all rounds."""
        for each in reversed(self.rounds):
            if name in each.judged:
                return int(str(each.judged[name]))
        return None

    def recoveries_s(self) -> Mapping[str, list[float]]:
        """Return how long each kind took, where somebody waited; in the catalogue's order."""
        happened: defaultdict[str, list[float]] = defaultdict(list)
        for each in self.played:
            if each.recovery_s is not None and each.impossible is None:
                happened[each.fault.kind].append(each.recovery_s)
        return {kind: sorted(happened[kind]) for kind in KINDS}

    def by_kind(self) -> list[KindFigures]:
        """Sum up each kind that happened, in the catalogue's order."""
        counts = Counter(each.fault.kind for each in self.played if each.impossible is None)
        return [
            KindFigures(
                kind=kind,
                count=counts[kind],
                recovery_p50_s=_percentile(recoveries_s, 50),
                recovery_p95_s=_percentile(recoveries_s, 95),
            )
            for kind, recoveries_s in self.recoveries_s().items()
            if counts[kind]
        ]

    def figures(self) -> RunFigures:
        """Return what is kept of the run."""
        return RunFigures(
            command=self.command,
            machine=self.machine,
            loads=[round(load, 1) for load in self.loads],
            ledger=self.ledger.value,
            standbys=self.standbys,
            seed=self.seed,
            rate_per_s=self.rate_per_s,
            faults=self.faults,
            skipped=dict(self.skipped),
            prior=self.prior,
            accepted=self.judged("accepted"),
            committed=self.judged("committed"),
            rejected=self.judged("rejected"),
            unordered=self.judged("unordered"),
            discarded=self.judged("discarded"),
            dead=self.judged("dead"),
            lost=self.counted("lost"),
            doubled=self.counted("doubled"),
            blocks=self.judged("blocks"),
            retries=self.retries,
            restarts=self.restarts,
            fenced=self.fenced,
            elapsed_s=round(self.elapsed_s, 1),
            findings=self.findings,
            smallest_story=self.smallest,
            kinds=self.by_kind(),
            story=[write_story([p.fault for p in each.played]) for each in self.rounds],
        )


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Return a percentile; None where nobody waited."""
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // PERCENT)], 3)


def summary(report: RunReport) -> str:
    """Sum a run up in some lines."""
    recoveries = [each for kind in report.recoveries_s().values() for each in kind]
    median = f"{statistics.median(recoveries):.2f} s" if recoveries else "not measured"
    lost, doubled = report.counted("lost"), report.counted("doubled")
    counts = "lost and doubled not counted" if lost is None else f"lost {lost}, doubled {doubled}"
    lines = [
        (
            f"{report.faults} faults of {len(report.by_kind())} kinds on {report.ledger}, seed"
            f" {report.seed}, in {report.elapsed_s:,.0f} s"
        ),
        (
            f"{report.judged('accepted'):,} commands accepted, {report.judged('committed'):,}"
            f" committed, {report.judged('rejected'):,} refused, {report.judged('unordered')}"
            f" refused in no block, {report.judged('discarded')} discarded,"
            f" with {report.prior} from before the clients; {report.judged('dead')} dead letters;"
            f" {report.retries:,} requests repeated"
        ),
        (f"{report.restarts} restarts, {report.fenced} leases lost; median recovery {median}"),
        *(f"skipped {count} times: {reason}" for reason, count in report.skipped.items()),
    ]
    if report.findings:
        lines += [counts, f"{len(report.findings)} FINDINGS:"]
        lines += [f"  {each}" for each in report.findings]
    else:
        lines.append(f"{counts}: the judge found nothing wrong")
    return "\n".join(lines)


def write(runs: Sequence[RunFigures], path: Path) -> None:
    """Write `path` with the endings .json, .md and .svg."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_figures(runs, path.with_suffix(".json"))
    render(path, runs)


def render(path: Path, runs: Sequence[RunFigures] = ()) -> None:
    """Write the page and the picture anew, from `path` with the ending .json if need be."""
    told = runs or read_figures(path.with_suffix(".json"))
    page = as_markdown(told, f"{path.stem}.svg")
    path.with_suffix(".md").write_text(page, encoding="utf-8")
    path.with_suffix(".svg").write_text(as_svg(told), encoding="utf-8")

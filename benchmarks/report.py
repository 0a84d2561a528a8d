"""Everything that one run measured, and its answers, in the order of the page."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from benchmarks.answers import Answer
from benchmarks.beside import EVENTSOURCING, PGQUEUER, PROCRASTINATE
from benchmarks.figures import Percentiles, Spread, spread
from benchmarks.machine import Machine
from benchmarks.questions import LOADS_PERCENT, Effort, OpenLoop, Round
from benchmarks.startup import Startup
from benchmarks.systems import Measured

MEMORY_MAX_MIB: Final = 120.0

ACCEPTING: Final = "How many commands does the API accept?"
LOOPING: Final = "How many commands does the whole loop carry, driven from inside?"
THROUGH: Final = "And driven over HTTP, clients included, on the same cores?"
BESIDE: Final = "How fast are peers that do the same job?"
LATENCY: Final = "How long does a command take?"
GROWTH: Final = "What does it cost to have grown?"
READING: Final = "How fast are the read models?"
MEMORY: Final = "How much memory does each process hold at the end of the run?"
SCRAPING: Final = "How long does a scrape take?"
STARTING: Final = "How long does a start take?"

SCRAPE_MAX_MS: Final = 20.0

HALF_PERCENT: Final = 50
FULL_PERCENT: Final = 80

LATENCY_MAX_MS: Final = {
    ("accepted p99", HALF_PERCENT): 25.0,
    ("projected p99", HALF_PERCENT): 100.0,
    ("accepted p95", FULL_PERCENT): 250.0,
    ("projected p99", FULL_PERCENT): 1_500.0,
}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one run measured."""

    command: str
    seconds: int
    machine: Machine
    effort: Effort
    rounds: list[Round]
    open_loops: list[OpenLoop]
    startup: Startup | None
    memory_mib: dict[str, float]
    scrape_ms: dict[str, float] = {}
    profiles: dict[str, dict[str, float]]
    """Shares of the samples by process and subsystem, where a profile was taken."""

    def answers(self) -> list[Answer]:
        """Answer every question that was asked."""
        return [
            *self._accepting(),
            *self._looping(),
            *self._through(),
            *self._beside(),
            *self._latencies(),
            *self._growth(),
            *self._reading(),
            *self._memory(),
            *self._scraping(),
            *self._starting(),
        ]

    def over(self, of: Callable[[Round], float]) -> Spread:
        """Summarise one figure of the rounds."""
        return spread([of(one) for one in self.rounds])

    def median(self, of: Callable[[Round], float]) -> float:
        """Return one figure's median over the rounds."""
        return self.over(of).median

    def cpu_us(self, of: Callable[[Measured], dict[str, float]]) -> dict[str, float]:
        """Return the new system's CPU time for each command by process, medians of the rounds."""
        rounds = [of(one.fresh) for one in self.rounds]
        return {name: spread([one[name] for one in rounds]).median for name in rounds[0]}

    def _ratio(
        self,
        question: str,
        name: str,
        top: Callable[[Round], float],
        bottom: Callable[[Round], float],
        *,
        target: float | None = None,
        unit: str = "",
        per_s: str = "commands/s",
    ) -> Answer:
        return Answer(
            question=question,
            name=name,
            figure=f"{self.median(top):,.0f} against {self.median(bottom):,.0f} {per_s}",
            value=self.over(lambda one: top(one) / bottom(one)),
            unit=unit,
            target=target,
        )

    def _accepting(self) -> Iterator[Answer]:
        def accepted(one: Round) -> float:
            return one.fresh.accepted_per_s

        name = "durable POST / the same POST without a database"
        yield self._ratio(ACCEPTING, name, accepted, lambda one: one.bare_per_s, target=0.5)
        name = "durable POST / the same POST with 16 connections that commit one by one"
        yield self._ratio(
            ACCEPTING, name, accepted, lambda one: one.pooled_per_s, target=2, unit="x"
        )
        name = "durable POST / pgbench c1 (one row a commit)"
        yield self._ratio(ACCEPTING, name, accepted, lambda one: one.c1, unit="x")
        yield Answer(
            question=ACCEPTING,
            name="accept p99 with every connection always busy",
            figure=percentile_text([one.fresh.accept for one in self.rounds]),
            value=self.over(lambda one: one.fresh.accept.p99_ms),
            unit="ms",
        )

    def _looping(self) -> Iterator[Answer]:
        def projected(one: Round) -> float:
            return one.fresh.projected_per_s

        yield self._ratio(
            LOOPING,
            "committed / pgbench x100",
            lambda one: one.fresh.committed_per_s,
            lambda one: one.x100,
            target=0.25,
        )
        name = "projected / pgbench x100"
        yield self._ratio(LOOPING, name, projected, lambda one: one.x100, target=0.25)
        name = "projected / pgbench c1"
        yield self._ratio(LOOPING, name, projected, lambda one: one.c1, target=3, unit="x")

    def _through(self) -> Iterator[Answer]:
        yield self._ratio(
            THROUGH,
            "HTTP to projected / POST without a database",
            lambda one: one.fresh.http_projected_per_s,
            lambda one: one.bare_per_s,
            target=0.45,
        )

    def _beside(self) -> Iterator[Answer]:
        """Compare with whichever peers were measured in every round."""
        for name in (PGQUEUER, PROCRASTINATE):
            if all(name in one.peers for one in self.rounds):
                yield from self._beside_queue(name)
        if all(EVENTSOURCING in one.peers for one in self.rounds):
            yield self._ratio(
                BESIDE,
                f"our projector catching up / {EVENTSOURCING}'s projection",
                lambda one: one.read_models.caught_up_per_s,
                lambda one: one.peers[EVENTSOURCING].done_per_s,
                unit="x",
                per_s="events/s",
            )

    def _beside_queue(self, peer: str) -> Iterator[Answer]:
        yield self._ratio(
            BESIDE,
            f"our whole loop, driver inside / {peer}'s dequeue and finish alone",
            lambda one: one.fresh.projected_per_s,
            lambda one: one.peers[peer].done_per_s,
            target=3 if peer == PGQUEUER else None,
            unit="x",
        )
        yield self._ratio(
            BESIDE,
            f"our claim, hold and settle / {peer}'s dequeue and finish",
            lambda one: one.fresh.claimed_per_s,
            lambda one: one.peers[peer].done_per_s,
            unit="x",
        )
        yield self._ratio(
            BESIDE,
            f"our insert in groups of 500 / {peer}'s bulk enqueue of 500",
            lambda one: one.fresh.inserted_per_s,
            lambda one: one.peers[peer].bulk_per_s,
            unit="x",
        )
        yield self._ratio(
            BESIDE,
            f"durable POST, HTTP included / {peer}'s single enqueue",
            lambda one: one.fresh.accepted_per_s,
            lambda one: one.peers[peer].single_per_s,
            unit="x",
        )

    def levels(self, percent: int, *, over_http: bool) -> list[OpenLoop]:
        """Return one load's latencies, one of each round."""
        return [
            one for one in self.open_loops if one.percent == percent and one.over_http == over_http
        ]

    def _latencies(self) -> Iterator[Answer]:
        for over_http in (True, False):
            for percent in LOADS_PERCENT:
                levels = self.levels(percent, over_http=over_http)
                if levels:
                    yield from _latency_answers(levels)

    def _growth(self) -> Iterator[Answer]:
        yield from growth_answers(self.rounds)
        held = [one.held for one in self.rounds if one.held is not None]
        if held:
            free_ms, held_ms = (
                spread([getattr(one, name) for one in held]).median
                for name in ("free_ms", "held_ms")
            )
            yield Answer(
                question=GROWTH,
                name=f"claim of 100 after {held[0].finished:,}, an old snapshot held / none",
                figure=f"{held_ms:.1f} against {free_ms:.1f} ms in the median",
                value=spread([one.held_ms / one.free_ms for one in held]),
                unit="",
                target=1.5,
                is_upper_bound=True,
            )

    def _reading(self) -> Iterator[Answer]:
        yield self._ratio(
            READING,
            "projector catching up from block 0 / pgbench x100",
            lambda one: one.read_models.caught_up_per_s,
            lambda one: one.x100,
            target=0.5,
            per_s="per s",
        )
        yield self._ratio(
            READING,
            "rebuild beside the live tables / pgbench x100",
            lambda one: one.read_models.rebuilt_per_s,
            lambda one: one.x100,
            target=0.5,
            per_s="per s",
        )
        for percent in LOADS_PERCENT:
            reads = [
                one.read for one in self.levels(percent, over_http=True) if one.read is not None
            ]
            if reads:
                name = f"GET balance p95 under writes, {percent} % of the ceiling"
                yield milliseconds(READING, name, reads, field="p95_ms", target=10.0)

    def _memory(self) -> Iterator[Answer]:
        for name, value in self.memory_mib.items():
            title = f"resident memory of the {name}"
            figure = f"{value:.0f} MiB"
            yield at_most(MEMORY, title, value, figure, unit="MiB", target=MEMORY_MAX_MIB)

    def _scraping(self) -> Iterator[Answer]:
        for name, value in self.scrape_ms.items():
            title = f"GET /metrics of the {name}, idle after the load"
            figure = f"{value:.1f} ms"
            yield at_most(SCRAPING, title, value, figure, unit="ms", target=SCRAPE_MAX_MS)

    def _starting(self) -> Iterator[Answer]:
        if self.startup is None:
            return
        starts = {
            "`gx up` in an empty folder": self.startup.first_up_s,
            "`gx up` once more": self.startup.second_up_s,
            **{f"the {name} alone": value for name, value in self.startup.ready_s.items()},
        }
        for name, value in starts.items():
            yield Answer(
                question=STARTING,
                name=f"{name}, until ready",
                figure=f"{value:.1f} s",
                value=spread([value]),
                unit="s",
            )


def at_most(
    question: str, name: str, value: float, figure: str, *, unit: str, target: float
) -> Answer:
    """Answer with one value that may not be above its target."""
    return Answer(
        question=question,
        name=name,
        figure=figure,
        value=spread([value]),
        unit=unit,
        target=target,
        is_upper_bound=True,
    )


def growth_answers(rounds: Sequence[Round]) -> Iterator[Answer]:
    """Compare each grown system with the new one of the same rounds."""
    figures: tuple[tuple[str, Callable[[Measured], float], float | None], ...] = (
        ("insert (groups of 500)", lambda one: one.inserted_per_s, 0.95),
        ("claim, hold and settle (batches of 1,000)", lambda one: one.claimed_per_s, 0.95),
        ("durable POST", lambda one: one.accepted_per_s, None),
        ("projected, driver inside", lambda one: one.projected_per_s, None),
        ("projected, over HTTP", lambda one: one.http_projected_per_s, None),
    )
    for system in rounds[0].grown:
        for name, of, target in figures:
            old = spread([of(one.grown[system]) for one in rounds]).median
            new = spread([of(one.fresh) for one in rounds]).median
            yield Answer(
                question=GROWTH,
                name=f"{name}: {system} / 10,000",
                figure=f"{old:,.0f} against {new:,.0f} per s",
                value=spread([of(one.grown[system]) / of(one.fresh) for one in rounds]),
                unit="",
                target=target if "settled" in system else None,
            )
        yield from _log_answers(rounds, system)


def _log_answers(rounds: Sequence[Round], system: str) -> Iterator[Answer]:
    """Compare what an insert writes to the server's log; older figures say nothing of it."""
    pairs = [(one.grown[system].insert_log, one.fresh.insert_log) for one in rounds]
    known = [(old, new) for old, new in pairs if old is not None and new is not None]
    if not known:
        return
    texts = [
        f"{spread([one.all_bytes for one in side]).median:,.0f} bytes,"
        f" {spread([one.image_bytes for one in side]).median:,.0f} of them images of pages"
        for side in zip(*known, strict=True)
    ]
    yield Answer(
        question=GROWTH,
        name=f"log of an insert: {system} / 10,000",
        figure=" against ".join(texts),
        value=spread([old.all_bytes / new.all_bytes for old, new in known]),
        unit="",
    )


def _latency_answers(levels: Sequence[OpenLoop]) -> Iterator[Answer]:
    first = levels[0]
    stages = {
        "accepted": [one.accept for one in levels if one.accept is not None],
        "committed": [one.committed for one in levels],
        "projected": [one.projected for one in levels],
    }
    for stage, found in stages.items():
        for name in ("p95", "p99"):
            target = LATENCY_MAX_MS.get((f"{stage} {name}", first.percent))
            if found and (target is not None or name == "p99"):
                title = f"{stage} {name}, {first.name} ({first.rate_per_s:,.0f}/s)"
                yield milliseconds(LATENCY, title, found, field=f"{name}_ms", target=target)


def milliseconds(
    question: str, name: str, found: Sequence[Percentiles], *, field: str, target: float | None
) -> Answer:
    """Answer with one percentile of several rounds."""
    return Answer(
        question=question,
        name=name,
        figure=percentile_text(found),
        value=spread([getattr(one, field) for one in found]),
        unit="ms",
        target=target,
        is_upper_bound=True,
    )


def percentile_text(rounds: Sequence[Percentiles]) -> str:
    """Write the medians of the rounds' percentiles."""
    p50, p95, p99 = (
        spread([getattr(one, name) for one in rounds]).median
        for name in ("p50_ms", "p95_ms", "p99_ms")
    )
    return f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms"

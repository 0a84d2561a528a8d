"""From measurements to answers: each question with its ratio, the target, and whether it is met."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from benchmarks.figures import Percentiles, Spread, spread
from benchmarks.machine import BUSY_CORES, Machine
from benchmarks.questions import Effort, Measured, OpenLoop, Round


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table. `figure` is the absolute value, which is this machine's alone."""

    question: str
    name: str
    figure: str
    value: Spread
    unit: str
    target: float | None = None
    is_upper_bound: bool = False
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Tell whether the median reaches the target; None without one."""
        if self.target is None:
            return None
        median = self.value.median
        return median <= self.target if self.is_upper_bound else median >= self.target

    @property
    def target_text(self) -> str:
        """Return the target as text."""
        if self.target is None:
            return "-"
        return f"{'≤' if self.is_upper_bound else '≥'} {self.target:g}{_unit(self.unit)}"

    @property
    def verdict(self) -> str:
        """Say whether the target is met."""
        return {None: "-", True: "met", False: "**missed**"}[self.is_met]

    def line(self) -> str:
        """Return the answer as one line for a terminal."""
        found = spread_text(self.value, self.unit)
        verdict = self.verdict.strip("*")
        return f"{self.name:58} {found:26} {self.target_text:>10}  {verdict}"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one run measured."""

    command: str
    seconds: int
    machine: Machine
    effort: Effort
    rounds: list[Round]
    open_loops: list[OpenLoop]
    memory_mib: dict[str, float]

    def answers(self) -> list[Answer]:
        """Answer every question, in the order of the page."""
        return [
            *self._accepting(),
            *self._looping(),
            *self._through(),
            *self._latencies(),
            *self._aging(),
            *self._reading(),
        ]

    def _ratio(self, top: Callable[[Round], float], bottom: Callable[[Round], float]) -> Spread:
        return spread([top(one) / bottom(one) for one in self.rounds])

    def _median(self, of: Callable[[Round], float]) -> float:
        return spread([of(one) for one in self.rounds]).median

    def _accepting(self) -> Iterator[Answer]:
        yield Answer(
            question=ACCEPTING,
            name="durable POST / the same POST without a database",
            figure=f"{self._median(lambda r: r.fresh.accepted_per_s):,.0f} commands/s",
            value=self._ratio(lambda r: r.fresh.accepted_per_s, lambda r: r.bare_per_s),
            unit="",
            target=0.5,
        )
        yield Answer(
            question=ACCEPTING,
            name="durable POST / pgbench c1 (one row a commit)",
            figure=f"{self._median(lambda r: r.c1):,.0f} rows/s by c1",
            value=self._ratio(lambda r: r.fresh.accepted_per_s, lambda r: r.c1),
            unit="x",
        )
        yield Answer(
            question=ACCEPTING,
            name="accept p99 with every connection always busy",
            figure=_percentile_text([one.fresh.accept for one in self.rounds]),
            value=spread([one.fresh.accept.p99_ms for one in self.rounds]),
            unit="ms",
        )

    def _looping(self) -> Iterator[Answer]:
        for name, top in (
            ("committed / pgbench x100", lambda r: r.fresh.committed_per_s),
            ("projected / pgbench x100", lambda r: r.fresh.projected_per_s),
        ):
            yield Answer(
                question=LOOPING,
                name=name,
                figure=f"{self._median(top):,.0f} commands/s",
                value=self._ratio(top, lambda r: r.x100),
                unit="",
                target=0.25,
            )
        yield Answer(
            question=LOOPING,
            name="projected / pgbench c1",
            figure=f"{self._median(lambda r: r.x100):,.0f} rows/s by x100",
            value=self._ratio(lambda r: r.fresh.projected_per_s, lambda r: r.c1),
            unit="x",
            target=3,
        )

    def _through(self) -> Iterator[Answer]:
        yield Answer(
            question=THROUGH,
            name="HTTP to projected / POST without a database",
            figure=f"{self._median(lambda r: r.fresh.http_projected_per_s):,.0f} commands/s",
            value=self._ratio(lambda r: r.fresh.http_projected_per_s, lambda r: r.bare_per_s),
            unit="",
            target=0.45,
        )

    def _latencies(self) -> Iterator[Answer]:
        for loop in self.open_loops:
            rate = f"{loop.name} ({loop.rate_per_s:,.0f}/s)"
            if loop.accept is not None:
                yield _latency(f"accepted p99, {rate}", loop.accept, loop.accept.p99_ms, 25)
            yield _latency(f"committed p99, {rate}", loop.committed, loop.committed.p99_ms, None)
            yield _latency(f"projected p99, {rate}", loop.projected, loop.projected.p99_ms, 100)

    def _aging(self) -> Iterator[Answer]:
        pairs: tuple[tuple[str, Callable[[Measured], float], float | None], ...] = (
            ("insert (groups of 500)", lambda m: m.inserted_per_s, 0.95),
            ("claim, hold and settle (batches of 1,000)", lambda m: m.claimed_per_s, 0.95),
            ("durable POST", lambda m: m.accepted_per_s, None),
            ("whole loop, driver inside", lambda m: m.projected_per_s, None),
            ("whole loop, over HTTP", lambda m: m.http_projected_per_s, None),
        )
        for name, of, target in pairs:
            old = spread([of(one.aged) for one in self.rounds]).median
            new = spread([of(one.fresh) for one in self.rounds]).median
            yield Answer(
                question=AGING,
                name=f"{name}: with a past / without",
                figure=f"{old:,.0f} / {new:,.0f} per s",
                value=spread([of(one.aged) / of(one.fresh) for one in self.rounds]),
                unit="",
                target=target,
            )

    def _reading(self) -> Iterator[Answer]:
        replayed = [(r.replayed_per_s, r.x100) for r in self.rounds if r.replayed_per_s is not None]
        yield Answer(
            question=READING,
            name="projector catching up from block 0 / pgbench x100",
            figure=f"{spread([rate for rate, _ in replayed]).median:,.0f} events/s",
            value=spread([rate / x100 for rate, x100 in replayed]),
            unit="",
            target=0.5,
        )
        for loop in self.open_loops:
            if loop.read is not None:
                name = f"GET balance p95 under writes, {loop.name}"
                yield _latency(name, loop.read, loop.read.p95_ms, 10, question=READING)


MEMORY_MAX_MIB: Final = 120

ACCEPTING: Final = "How many commands does the API accept?"
LOOPING: Final = "How many commands does the whole loop carry, driven from inside?"
THROUGH: Final = "And driven over HTTP, clients included, on the same cores?"
LATENCY: Final = "How long does a command take?"
AGING: Final = "What does a past of settled commands cost?"
READING: Final = "How fast are the read models?"


def _latency(
    name: str,
    found: Percentiles,
    value_ms: float,
    target_ms: float | None,
    *,
    question: str = LATENCY,
) -> Answer:
    return Answer(
        question=question,
        name=name,
        figure=_percentile_text([found]),
        value=spread([value_ms]),
        unit="ms",
        target=target_ms,
        is_upper_bound=True,
    )


def _percentile_text(rounds: Sequence[Percentiles]) -> str:
    p50, p95, p99 = (
        spread([getattr(one, name) for one in rounds]).median
        for name in ("p50_ms", "p95_ms", "p99_ms")
    )
    return f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms"


def _unit(unit: str) -> str:
    return f" {unit}" if unit == "ms" else unit


def spread_text(value: Spread, unit: str) -> str:
    """Write the median, and the lowest and the highest where there are several rounds."""
    digits = {"ms": 1, "x": 2, "/s": 0}.get(unit, 3)
    middle = f"{value.median:.{digits}f}{_unit(unit)}"
    if value.rounds == 1:
        return middle
    return f"{middle} ({value.min:.{digits}f} to {value.max:.{digits}f})"


PREFACE: Final = """\
# Benchmarks

For: whoever wants to know how fast this is, what limits it, and whether a change made it slower.

Written by `{command}` in {seconds} s, from `benchmarks/results/latest.json`; do not edit.
Absolute figures belong to the machine, so every question is answered by a ratio to something \
measured in the same round on the same PostgreSQL server:

- **x100** is pgbench inserting 100 rows a statement and a commit over one connection, \
**c1** one row a commit.
- **POST without a database** is the same API over an inbox that stores nothing.

A ratio is the median of {rounds} interleaved rounds, with the lowest and the highest in brackets; \
no round is left out.
What has no brackets was measured once.
Everything ran on the same cores: load, API, submitter, ledger, projector and PostgreSQL.

![Ratios against their targets]({chart})

| Machine | |
|---|---|
| CPU | {cores} cores of {cpu} |
| Memory | {memory} GiB |
| System | {system}, Python {python}, PostgreSQL {postgresql} (fsync on, synchronous_commit on) |
| Commit | {commit} |
| Limits in these rounds | x100 {x100} rows/s, c1 {c1} rows/s, POST without a database {bare}/s |
| At work for others during a round | {others} cores at most |
"""

WARNING: Final = """\
> **This run was disturbed.** Other work used {others} of the {cores} cores (median of the rounds).
> It hurts both sides of a ratio, not equally: ratios may be off in either direction, latencies are
> upper bounds. Nothing here decides whether a target can be met; measure on a free machine.
"""

SETTING: Final = """\
Commands are random transfers between {accounts:,} accounts, with an idempotency key each; \
{transfers:,} of them a round for the closed loop.
The closed HTTP load keeps {connections} connections busy for {post_s:g} s.
The open loops last {open_s:g} s: requests come at random moments (a Poisson process), and accept \
latency counts from when each was due; commit and projection count from the acceptance, by the \
database's clock.
The past is {history:,} settled commands over five weeks, written by SQL into the same tables, \
partitions and indexes.
"""


def render_page(report: Report, *, chart: str) -> str:
    """Return the page as Markdown."""
    return "\n".join(
        (
            _preface(report, chart),
            *_warning(report),
            _setting(report),
            *answer_tables(report.answers()),
            _times(report),
            _memory(report),
        )
    )


def _preface(report: Report, chart: str) -> str:
    machine, rounds = report.machine, report.rounds

    def limits(values: list[float]) -> str:
        found = spread(values)
        return f"{found.median:,.0f} ({found.min:,.0f} to {found.max:,.0f})"

    return PREFACE.format(
        command=report.command,
        seconds=report.seconds,
        rounds=len(rounds),
        chart=chart,
        cores=machine.cores,
        cpu=machine.cpu,
        memory=machine.memory_gib,
        system=machine.system,
        python=machine.python,
        postgresql=machine.postgresql,
        commit=machine.commit,
        x100=limits([one.x100 for one in rounds]),
        c1=limits([one.c1 for one in rounds]),
        bare=limits([one.bare_per_s for one in rounds]),
        others=spread([one.others_cores for one in rounds]).max,
    )


def _warning(report: Report) -> Iterator[str]:
    """Tell readers when the machine was not the benchmark's alone."""
    others = [one.others_cores for one in report.rounds]
    if max(others) > BUSY_CORES:
        yield WARNING.format(others=spread(others).median, cores=report.machine.cores)


def _setting(report: Report) -> str:
    effort = report.effort
    return SETTING.format(
        accounts=10_000,
        transfers=effort.transfers,
        connections=effort.connections,
        post_s=effort.post_s,
        open_s=effort.open_s,
        history=effort.history_rows,
    )


def answer_tables(answers: Sequence[Answer]) -> Iterator[str]:
    """Write a table for each question."""
    for question in dict.fromkeys(answer.question for answer in answers):
        yield f"## {question}\n"
        yield "| | figure here | ratio or value | target | |\n|---|---|---|---|---|"
        for answer in answers:
            if answer.question == question:
                yield (
                    f"| {answer.name} | {answer.figure} | {spread_text(answer.value, answer.unit)}"
                    f" | {answer.target_text} | {answer.verdict} |"
                )
        yield ""


def _times(report: Report) -> str:
    rounds = [one.fresh.cpu_us for one in report.rounds]
    means = {name: spread([one[name] for one in rounds]).median for name in rounds[0]}
    lines = [f"| {name} | {value:.0f} |" for name, value in means.items() if value >= 1]
    return "\n".join(
        (
            "## Where the time goes\n",
            "CPU time for each command of the closed loop, by process. With all cores busy, their",
            "sum over the number of cores is the time between two commands.\n",
            "| process | µs a command |\n|---|---|",
            *lines,
            f"| **sum** | **{sum(means.values()):.0f}** |\n",
        )
    )


def _memory(report: Report) -> str:
    lines = [
        f"| {name} | {value:.0f} | ≤ {MEMORY_MAX_MIB} | {_memory_verdict(value)} |"
        for name, value in report.memory_mib.items()
    ]
    return "\n".join(
        (
            "## Memory\n",
            "Resident memory of each process of the new system at the end of the run.\n",
            "| process | MiB | target | |\n|---|---|---|---|",
            *lines,
            "",
        )
    )


def _memory_verdict(value_mib: float) -> str:
    return "met" if value_mib <= MEMORY_MAX_MIB else "**missed**"

"""The page of the figures, as Markdown."""

from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.answers import answer_tables
from benchmarks.beside import PROCESSES
from benchmarks.explain import IMAGES, explain
from benchmarks.figures import spread
from benchmarks.machine import BUSY_CORES
from benchmarks.report import Report, growth_answers
from benchmarks.transfers import ACCOUNTS

PREFACE: Final = """\
# Benchmarks

For: whoever wants to know how fast this is, what limits it, and whether a change made it slower.

Written by `{command}` (`make bench`) in {seconds} s, from `benchmarks/results/latest.json`; do \
not edit.
Absolute figures belong to the machine, so every question is answered by a ratio to something \
measured in the same round on the same PostgreSQL server:

- **x100** is pgbench inserting 100 rows a statement and a commit over one connection, \
**c1** one row a commit.
- **POST without a database** is the same API over an inbox that stores nothing.
- **Peers** are other projects that do a part of the same job, each in its best documented \
configuration.

A ratio is the median of {rounds} interleaved rounds, with the lowest and the highest in brackets; \
no round is left out.
What has no brackets was measured once.
Everything ran on the same cores: load, API, submitter, ledger, projector and PostgreSQL.
The same on Fabric, beside the official client, is on [a page of its own](benchmarks-fabric.md); \
[the soak](soak.md) tells what twenty minutes at half load do.

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
The open loops last {open_s:g} s each, at shares of the median rate that the closed loops reached: \
requests come at random moments (a Poisson process), and accept latency counts from when each was \
due; commit and projection count from the acceptance, by the database's clock. Over HTTP, 50 reads \
a second come in between.
A past is so many settled commands over five weeks, written by SQL into the same tables, \
partitions and indexes.
"""


def render_page(report: Report, large: Report | None, *, chart: str, latencies: str) -> str:
    """Return the page; `large` is the newest run on systems that take long to make."""
    return "\n".join(
        (
            _preface(report, chart),
            *_warning(report),
            _setting(report),
            *answer_tables(report.answers()),
            f"![Latencies at 20, 50 and 80 % of the ceiling]({latencies})\n",
            *_large(large),
            *_peers(report),
            *_times(report),
            *_profiles(report),
            *explain(report),
        )
    )


def _preface(report: Report, chart: str) -> str:
    machine, rounds = report.machine, report.rounds

    def limits(values: Sequence[float]) -> str:
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
        accounts=ACCOUNTS,
        transfers=effort.transfers,
        connections=effort.connections,
        post_s=effort.post_s,
        open_s=effort.open_s,
    )


def _large(report: Report | None) -> Iterator[str]:
    """Show the systems of a run of their own: they take longer to make than to measure."""
    if report is None:
        return
    yield "## And when it has grown by far?\n"
    yield f"Written by `{report.command}` in {report.seconds} s on commit {report.machine.commit},"
    yield f"{len(report.rounds)} interleaved rounds.\n"
    answers = list(growth_answers(report.rounds))
    yield "\n".join(list(answer_tables(answers))[1:])
    if any(answer.is_met is False for answer in answers):
        yield "\n".join((*IMAGES, ""))


def _peers(report: Report) -> Iterator[str]:
    """Say which configuration each peer had, and what its worker used."""
    first = report.rounds[0].peers
    if not first:
        names = ", ".join(PROCESSES)
        yield f"No peer was measured: {names} come with `make bench`, or `pip install .[bench]`.\n"
        return
    yield "## How the peers were set up\n"
    yield "Each has a database of its own on the same server and one worker process, which takes"
    yield "out jobs that do nothing; the projection moves two balances an event.\n"
    yield "| peer | configuration | put in one by one | in bulk | done | µs of its CPU each |"
    yield "|---|---|---|---|---|---|"
    for name in first:
        rounds = [one.peers[name] for one in report.rounds]
        single, bulk, done, cpu_us = (
            spread([getattr(one, field) for one in rounds]).median
            for field in ("single_per_s", "bulk_per_s", "done_per_s", "cpu_us")
        )
        yield (
            f"| {name} | {rounds[0].configuration} | {single:,.0f}/s | {bulk:,.0f}/s"
            f" | {done:,.0f}/s | {cpu_us:,.0f} |"
        )
    yield ""


def _times(report: Report) -> Iterator[str]:
    inside = report.cpu_us(lambda one: one.cpu_us)
    http = report.cpu_us(lambda one: one.http_cpu_us)
    yield "## Where the time goes\n"
    yield "CPU time for each command by process, in µs, medians of the rounds. With all cores busy,"
    yield "their sum over the number of cores is the time between two commands.\n"
    yield "| process | driven from inside | over HTTP |\n|---|---|---|"
    for name in dict.fromkeys((*inside, *http)):
        cells = (f"{one[name]:,.0f}" if name in one else "-" for one in (inside, http))
        yield f"| {name} | {' | '.join(cells)} |"
    sums = (sum(inside.values()), sum(http.values()))
    yield f"| **sum** | {' | '.join(f'**{one:,.0f}**' for one in sums)} |"
    bounds = (f"{report.machine.cores / one * 1e6:,.0f}" for one in sums)
    yield f"| cores / sum, commands/s | {' | '.join(bounds)} |\n"
    wal = report.over(lambda one: one.fresh.wal_bytes)
    yield f"The closed loop writes {wal.median:,.0f} ({wal.min:,.0f} to {wal.max:,.0f}) bytes of"
    yield "WAL a command, envelopes included. `tests/outbox/test_costs.py` and"
    yield "`tests/projection/test_costs.py` hold statements, commits, row versions and WAL to"
    yield "committed baselines.\n"


def _profiles(report: Report) -> Iterator[str]:
    if not report.profiles:
        return
    yield "## What each process does with it\n"
    yield "Shares of py-spy's samples under full load, by the innermost frame that a subsystem owns"
    yield "(C code counts for the Python that called it). Below 2 % is left out.\n"
    yield "| process | share by subsystem |\n|---|---|"
    for name, shares in report.profiles.items():
        told = ", ".join(f"{one} {share:.0%}" for one, share in shares.items() if share >= 0.02)
        yield f"| {name} | {told} |"
    yield ""

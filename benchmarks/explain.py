"""What bounds each figure that misses its target, in numbers of the same run.

Every sentence is computed: what a command costs, what the target leaves, which process is full.
"""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Final

from benchmarks.answers import Answer, spread_text
from benchmarks.report import (
    ACCEPTING,
    BESIDE,
    GROWTH,
    LATENCY,
    LOOPING,
    MEMORY,
    READING,
    THROUGH,
    Report,
)

LOOP_SHARE_MIN: Final = 0.05
"""Processes below this share of the CPU time are not named."""

IMAGES: Final = (
    "An insert into a grown system writes more log: the first change of each page after a",
    "checkpoint puts a whole page into it. What comes in order fills page after page; the index of",
    "the idempotency keys is one of hashes, and each of them changes another page of those that",
    "the last day's keys fill. `python -m benchmarks.keys` measures that by itself; a row *log of",
    "an insert*, where there is one, says how much it is.",
)


def explain(report: Report) -> Iterator[str]:
    """Write a section on the targets that are missed, or say that there is none."""
    missed = [answer for answer in report.answers() if answer.is_met is False]
    yield "## What bounds the figures that miss their targets\n"
    if not missed:
        yield "None is missed.\n"
        return
    for question in dict.fromkeys(answer.question for answer in missed):
        named = [answer for answer in missed if answer.question == question]
        yield f"**{question}**\n"
        yield from (_missed(answer) for answer in named)
        yield ""
        yield from _causes(report, question, named)
        yield ""


def _missed(answer: Answer) -> str:
    found = spread_text(answer.value, answer.unit)
    return f"- {answer.name}: {found}, where the target is {answer.target_text}."


def _causes(report: Report, question: str, missed: list[Answer]) -> Iterator[str]:
    if question in {LOOPING, BESIDE}:
        yield from _loop_bound(report, missed)
    elif question in {ACCEPTING, THROUGH}:
        yield from _http_bound(report)
    elif question in {LATENCY, READING}:
        yield from _waiting(report)
    elif question == GROWTH:
        yield "The spread beside the ratio says how far two rounds of the same system differ: where"
        yield "it holds the target, the difference is not told from the scatter of this machine."
        yield from IMAGES
    elif question == MEMORY:
        yield "Resident memory counts shared libraries and caches (SQLite's page cache, compiled"
        yield "statements) once a process; [the soak](soak.md) says whether it grows."


def _loop_bound(report: Report, missed: list[Answer]) -> Iterator[str]:
    cpu_us, cores = report.cpu_us(lambda one: one.cpu_us), report.machine.cores
    total_us = sum(cpu_us.values())
    bound_per_s = cores / total_us * 1e6
    reached_per_s = report.median(lambda one: one.fresh.projected_per_s)
    yield f"A command costs {total_us:,.0f} µs of CPU over all processes ({_parts(cpu_us)}), so"
    yield f"{cores} cores carry {bound_per_s:,.0f} commands/s at most;"
    yield f"{reached_per_s:,.0f}/s are {reached_per_s / bound_per_s:.0%} of that. The rest is"
    yield "waiting: for the disk, and of each stage for the one before it at both ends of the run."
    first = missed[0]
    if first.question == LOOPING and first.target is not None and first.unit == "":
        aim_per_s = first.target * report.median(lambda one: one.x100)
        yield f"The target would be {aim_per_s:,.0f} commands/s here, which leaves"
        yield f"{cores / aim_per_s * 1e6:,.0f} µs for everything."
        ours = {name: value for name, value in cpu_us.items() if name != "postgresql"}
        name, alone_us = max(ours.items(), key=lambda item: item[1])
        yield f"The {name}, the dearest of our processes, takes {alone_us:,.0f} µs and holds one"
        yield f"interpreter lock: by itself it bounds the loop at {1e6 / alone_us:,.0f} commands/s."


def _http_bound(report: Report) -> Iterator[str]:
    cpu_us, cores = report.cpu_us(lambda one: one.http_cpu_us), report.machine.cores
    total_us = sum(cpu_us.values())
    yield f"Over HTTP a command costs {total_us:,.0f} µs of CPU, the clients' included"
    yield f"({_parts(cpu_us)}): {cores} cores carry {cores / total_us * 1e6:,.0f} commands/s at"
    yield f"most. The API's {cpu_us['api']:,.0f} µs bound one API process at"
    yield f"{1e6 / cpu_us['api']:,.0f} requests/s."


def _waiting(report: Report) -> Iterator[str]:
    """Say how busy the machine is at each load: what is not at work waits in a queue."""
    cores = report.machine.cores
    for over_http in (True, False):
        full_us = sum(_cpu_us(report, over_http=over_http).values())
        for percent in sorted({one.percent for one in report.open_loops}):
            levels = report.levels(percent, over_http=over_http)
            if levels:
                busy, rate_per_s = median(one.busy for one in levels), levels[0].rate_per_s
                used_us = busy * cores / rate_per_s * 1e6
                yield f"- {levels[0].name}: at {rate_per_s:,.0f}/s {busy:.0%} of all cores were at"
                yield f"  work, {used_us:,.0f} µs a command; under full load it is {full_us:,.0f}."
    yield ""
    yield "Small groups cost far more a command than the large ones of a full load: a statement, a"
    yield "commit and a wake-up of each process serve a dozen commands instead of hundreds. So the"
    yield "cores are nearly full long before the ceiling. Load, servers and clients share them: a"
    yield "request that is due waits for whichever is running, and a percentile holds the longest"
    yield "of these waits."


def _cpu_us(report: Report, *, over_http: bool) -> Mapping[str, float]:
    if over_http:
        return report.cpu_us(lambda one: one.http_cpu_us)
    return report.cpu_us(lambda one: one.cpu_us)


def _parts(cpu_us: Mapping[str, float]) -> str:
    """Name the processes by what they cost, the dearest first."""
    total_us = sum(cpu_us.values())
    ordered = sorted(cpu_us.items(), key=lambda item: -item[1])
    return ", ".join(
        f"{name} {value:,.0f}" for name, value in ordered if value >= LOOP_SHARE_MIN * total_us
    )

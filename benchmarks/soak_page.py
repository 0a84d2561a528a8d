"""The soak as a page and a picture."""

from collections.abc import Iterator
from typing import Final

import msgspec

from benchmarks.lines import Panel, render_panels
from benchmarks.machine import BUSY_CORES, Machine
from benchmarks.soak_samples import HOT_TABLES, Sample
from benchmarks.soak_verdict import MEMORY_MAX_MIB, Finding, Soaked

POINTS_MAX: Final = 240
"""More would not be seen."""

STORED: Final = ("commands", "command_results", "account_entries", "idempotency_keys")

PREFACE: Final = """\
# Soak

For: whoever runs this for months and wants to know whether something creeps.

Written by `{command}` (`make soak`) on commit {commit}; do not edit. Figures of every sample are \
in `soak.json`.

A system of its own (PostgreSQL {postgresql}, ledger, API, submitter, projector and the client on \
{cores} cores of {cpu}) took **{commands:,} commands in {minutes:g} minutes**, {rate:,.0f} a \
second: half of what it had carried just before, in two minutes at full load. {others} cores were \
at work for others.

**{verdict}**

![Memory, latency, tables and WAL over time](soak.svg)
"""

DISTURBED: Final = """\
> **This run was disturbed**: latencies are upper bounds. Measure on a free machine.
"""


class SoakReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a soak found."""

    command: str
    machine: Machine
    minutes: float
    rate_per_s: float
    others_cores: float
    soaked: Soaked
    findings: list[Finding]

    @property
    def is_flat(self) -> bool:
        """Tell whether every rule holds."""
        return all(finding.is_flat for finding in self.findings)


def render_soak_page(report: SoakReport, *, chart: str) -> str:
    """Return the page as Markdown."""
    return "\n".join(
        (
            _preface(report).replace("soak.svg", chart),
            *([DISTURBED] if report.others_cores > BUSY_CORES else []),
            *_findings(report),
            *_stored(report.soaked),
            *_vacuums(report.soaked),
        )
    )


def _preface(report: SoakReport) -> str:
    crept = [finding.rule for finding in report.findings if not finding.is_flat]
    return PREFACE.format(
        command=report.command,
        commit=report.machine.commit,
        postgresql=report.machine.postgresql,
        cores=report.machine.cores,
        cpu=report.machine.cpu,
        commands=report.soaked.commands,
        minutes=report.minutes,
        rate=report.rate_per_s,
        others=report.others_cores,
        verdict="Everything was flat." if not crept else f"Not flat: {'; '.join(crept)}.",
    )


def _findings(report: SoakReport) -> Iterator[str]:
    yield "## What was asked\n"
    yield "The first quarter is warm-up. A rise is the median slope between all pairs of samples,"
    yield "times the length of what is left. Latencies scatter from minute to minute: beside their"
    yield "rise stands how likely it is that values in random order rise as clearly (Mann's and"
    yield "Kendall's test).\n"
    yield "| | found | limit | |\n|---|---|---|---|"
    for one in report.findings:
        verdict = "flat" if one.is_flat else "**not flat**"
        yield f"| {one.rule} | {one.found} | {one.limit} | {verdict} |"
    yield ""


def _stored(soaked: Soaked) -> Iterator[str]:
    """Say what a command leaves behind: that grows, and must."""
    first, last = soaked.samples[0], soaked.samples[-1]
    commands = max(1, soaked.commands)
    yield "## What a command leaves behind\n"
    yield "This grows with what is stored; weeks of it are retired as whole partitions, and"
    yield "idempotency keys are pruned after a day.\n"
    yield "| | bytes a command |\n|---|---|"
    for name in STORED:
        grown = last.tables[name].total_bytes - first.tables[name].total_bytes
        yield f"| {name}, with indexes | {grown / commands:,.0f} |"
    yield f"| the ledger's files | {(last.ledger_bytes - first.ledger_bytes) / commands:,.0f} |"
    yield f"| PostgreSQL's log (WAL) | {(last.wal_bytes - first.wal_bytes) / commands:,.0f} |\n"


def _vacuums(soaked: Soaked) -> Iterator[str]:
    yield "## What autovacuum did\n"
    yield "| table | runs | most dead rows | largest, with indexes |\n|---|---|---|---|"
    for name in HOT_TABLES:
        tables = [one.tables[name] for one in soaked.samples if name in one.tables]
        if tables:
            runs = tables[-1].vacuums - tables[0].vacuums
            dead, size = max(one.dead for one in tables), max(one.total_bytes for one in tables)
            yield f"| {name} | {runs} | {dead:,} | {size / 1e6:.1f} MB |"
    yield ""


def render_soak_chart(soaked: Soaked) -> str:
    """Return the picture: four panels over the same minutes."""
    samples = soaked.samples[:: max(1, len(soaked.samples) // POINTS_MAX)]
    names = list(samples[0].memory_mib)
    return render_panels(
        [
            _panel(
                "Resident memory",
                "MiB",
                {
                    name: [_point(one, one.memory_mib.get(name, 0.0)) for one in samples]
                    for name in names
                },
                limit=MEMORY_MAX_MIB,
            ),
            _panel("Latency", "ms", _latency_lines(soaked)),
            _panel(
                "Tables whose rows come and go, with indexes",
                "MB",
                {
                    name: [_point(one, one.tables[name].total_bytes / 1e6) for one in samples]
                    for name in ("outbox", "envelopes", "accounts")
                },
            ),
            _panel(
                "Dead rows",
                "",
                {
                    name: [_point(one, one.tables[name].dead) for one in samples]
                    for name in ("outbox", "envelopes", "accounts")
                },
            ),
            _panel(
                "Commands that wait",
                "",
                {"queue": [_point(one, one.queue_depth) for one in samples]},
            ),
        ]
    )


def _latency_lines(soaked: Soaked) -> dict[str, list[tuple[float, float]]]:
    return {
        "accept p50": [(one.at_s / 60, one.accept.p50_ms) for one in soaked.slices],
        "accept p99": [(one.at_s / 60, one.accept.p99_ms) for one in soaked.slices],
        "projected p50": [(one.at_s / 60, one.projected.p50_ms) for one in soaked.slices],
        "projected p99": [(one.at_s / 60, one.projected.p99_ms) for one in soaked.slices],
        "read p95": [(one.at_s / 60, one.read.p95_ms) for one in soaked.slices],
    }


def _panel(
    title: str,
    y_unit: str,
    lines: dict[str, list[tuple[float, float]]],
    *,
    limit: float | None = None,
) -> Panel:
    return Panel(title=title, x_unit="min", y_unit=y_unit, lines=lines, limit=limit)


def _point(sample: Sample, value: float) -> tuple[float, float]:
    return sample.at_s / 60, value

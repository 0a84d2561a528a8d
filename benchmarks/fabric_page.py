"""The page of the figures on Fabric: what was measured, where the time goes, what the bound is."""

from collections.abc import Iterator
from typing import Final

from benchmarks.answers import answer_tables
from benchmarks.fabric_network import CHAINCODE, PEERS
from benchmarks.fabric_questions import Way
from benchmarks.fabric_report import NAMES, RATE_TARGET_PER_S, TARGETS, FabricReport
from benchmarks.figures import Percentiles
from benchmarks.machine import BUSY_CORES

MANY_AT_ONCE: Final = {"GET_STATE_MULTIPLE", "WRITE_BATCH_STATE"}

PREFACE: Final = """\
# Benchmarks on Fabric

For: whoever wants to know what batches gain on a real Fabric network, and what limits them.

Written by `{command}` (`make bench-fabric`) in {seconds} s, from \
`benchmarks/results/fabric.json`; do not edit.

One native network (an orderer, two organisations with a peer each, TLS, both must endorse), one \
database, one API and one projector serve three ways to submit, measured in turn:

- **batches**: the shipped submitter;
- **single, our client**: the same submitter with `GX_SUBMITTER_BATCH_COMMANDS_MAX=1`: one \
command a transaction, {alone} in flight;
- **single, Node client**: `benchmarks/node_gateway`, which takes from the same outbox and submits \
each command with `@hyperledger/fabric-gateway`, {node} in flight. It persists no envelopes, so \
it does less than it must to survive a crash.

Absolute figures belong to the machine; compare ratios and CPU time. A ratio is the median of \
{rounds} interleaved rounds, with the lowest and the highest in brackets; no round is left out.
Load, API, submitter, projector, PostgreSQL and all of Fabric share the same cores.

![Ratios against their targets]({chart})

| Machine | |
|---|---|
| CPU | {cores} cores of {cpu} |
| Memory | {memory} GiB |
| System | {system}, Python {python}, PostgreSQL {postgresql} |
{network}
| Commit | {commit} |
| At work for others during a measurement | {others} cores at most |
"""

WARNING: Final = """\
> **This run was disturbed.** Other work used {others} of the {cores} cores (median of all
> measurements). Rates are lower bounds, latencies upper bounds; nothing here decides whether a
> target can be met. Measure on a free machine.
"""

SETTING: Final = """\
Commands are random transfers between {accounts:,} accounts, with an idempotency key each, sent \
over HTTP by {connections} connections as fast as the API takes them; rates count from the first \
accept to the last commit and projection. Each way has as many commands as it carries in \
{closed_s:g} s (medians: {batches:,.0f} in batches, and as many again driven from inside, \
{single:,.0f} single ones with our client, {node:,.0f} with the Node client), after a warm-up.
"""


def render_fabric_page(report: FabricReport, *, chart: str) -> str:
    """Return the page as Markdown."""
    return "\n".join(
        (
            _preface(report, chart),
            *_warning(report),
            _setting(report),
            *answer_tables(report.answers()),
            *_times(report),
            *_messages(report),
            *_latencies(report),
            *_memory(report),
        )
    )


def _preface(report: FabricReport, chart: str) -> str:
    machine, effort = report.machine, report.effort
    return PREFACE.format(
        command=report.command,
        seconds=report.seconds,
        alone=effort.single_in_flight,
        node=effort.node_in_flight,
        rounds=len(report.rounds),
        chart=chart,
        cores=machine.cores,
        cpu=machine.cpu,
        memory=machine.memory_gib,
        system=machine.system,
        python=machine.python,
        postgresql=machine.postgresql,
        network="\n".join(f"| {name} | {value} |" for name, value in report.network.items()),
        commit=machine.commit,
        others=report.others_cores().max,
    )


def _warning(report: FabricReport) -> Iterator[str]:
    others = report.others_cores()
    if others.max > BUSY_CORES:
        yield WARNING.format(others=others.median, cores=report.machine.cores)


def _setting(report: FabricReport) -> str:
    effort = report.effort
    return SETTING.format(
        accounts=effort.accounts,
        connections=effort.connections,
        closed_s=effort.closed_s,
        **{way.value: report.of(way, lambda one: one.commands).median for way in Way},
    )


def _times(report: FabricReport) -> Iterator[str]:
    yield "## Where the time goes\n"
    yield "CPU time for each command by process, in µs, with its share of the sum. The sum over"
    yield "the number of cores is the least time between two commands: it bounds the rate.\n"
    ways = {way: report.cpu_us(way) for way in Way}
    sums = {way: sum(cpu_us.values()) for way, cpu_us in ways.items()}
    yield f"| process | {' | '.join(NAMES[way] for way in Way)} |"
    yield "|---|" + "---|" * len(ways)
    for name in dict.fromkeys(name for cpu_us in ways.values() for name in cpu_us):
        cells = (_share(ways[way].get(name), sums[way]) for way in Way)
        yield f"| {name} | {' | '.join(cells)} |"
    yield f"| **sum** | {' | '.join(f'**{sums[way]:,.0f}**' for way in Way)} |"
    bounds = (f"{report.machine.cores / sums[way] * 1e6:,.0f}" for way in Way)
    yield f"| cores / sum, commands/s | {' | '.join(bounds)} |\n"


def _share(used_us: float | None, sum_us: float) -> str:
    return "-" if used_us is None else f"{used_us:,.0f} ({used_us / sum_us:.0%})"


def _messages(report: FabricReport) -> Iterator[str]:
    """Say what each key's message costs, where the peer takes keys one by one."""
    yield "## What bounds it\n"
    yield "Messages that the chaincode sends to one peer for each command, as the peer counts them,"
    yield "and the CPU time that chaincode server and peers spend for each message, everything else"
    yield "that they do included. Both organisations' peers are asked, one after the other.\n"
    yield "| | messages a command | by kind | µs a message | commands a transaction |"
    yield "|---|---|---|---|---|"
    for way in Way:
        requests = report.requests(way)
        kinds = ", ".join(f"{name} {each:.2f}" for name, each in requests.items())
        size = report.of(way, lambda one: one.commands / one.transactions).median
        number = sum(requests.values())
        each_us = _endorsing_us(report, way) / (len(PEERS) * number)
        yield f"| {NAMES[way]} | {number:.2f} | {kinds} | {each_us:,.0f} | {size:,.0f} |"
    yield ""
    yield from explain_bound(report)
    yield ""


def explain_bound(report: FabricReport) -> Iterator[str]:
    """Say in numbers what endorsing costs, and what the targets leave for all of it."""
    cores, requests = report.machine.cores, report.requests(Way.BATCHES)
    spent_us = _endorsing_us(report, Way.BATCHES)
    number = len(PEERS) * sum(requests.values())
    single_us = sum(report.cpu_us(Way.SINGLE).values())
    yield (
        f"Reading and writing the keys of a command in a batch takes {number:.1f} messages, for "
        f"which chaincode server and peers spend {spent_us:,.0f} µs: were all the rest free, "
        f"{cores} cores would carry {cores / spent_us * 1e6:,.0f} commands/s."
    )
    yield (
        f"{RATE_TARGET_PER_S:,.0f} commands/s leave {cores / RATE_TARGET_PER_S * 1e6:,.0f} µs for "
        f"everything, {TARGETS[Way.SINGLE]:g} times the single rate "
        f"{single_us / TARGETS[Way.SINGLE]:,.0f} µs."
    )
    if not MANY_AT_ONCE & requests.keys():
        yield (
            "This peer offers neither multi-get nor write batches (Fabric 3.1 does): each key is "
            "a message of its own, and a peer takes the next one of a transaction only after it "
            "has answered the last. So what a batch saves is what a transaction costs, and not "
            "what its keys cost."
        )


def _endorsing_us(report: FabricReport, way: Way) -> float:
    cpu_us = report.cpu_us(way)
    return sum(cpu_us[name] for name in (*PEERS, CHAINCODE))


def _latencies(report: FabricReport) -> Iterator[str]:
    yield "## How long does a command take at half load?\n"
    yield "Requests come at random moments (a Poisson process) at half of the median rate above,"
    yield f"for {report.effort.open_s:g} s. Accept counts from when each was due, commit and"
    yield "projection from the acceptance, by the database's clock.\n"
    yield "| | rate | accept p50 / p95 / p99 | commit p50 / p95 / p99 | project p50 / p95 / p99 |"
    yield "|---|---|---|---|---|"
    for one in report.half_loads:
        cells = " | ".join(
            _percentiles(each) for each in (one.accept, one.committed, one.projected)
        )
        yield f"| {NAMES[one.way]} | {one.rate_per_s:,.0f}/s | {cells} |"
    yield ""


def _percentiles(found: Percentiles) -> str:
    return f"{found.p50_ms:,.0f} / {found.p95_ms:,.0f} / {found.p99_ms:,.0f} ms"


def _memory(report: FabricReport) -> Iterator[str]:
    yield "## Memory\n"
    yield "Resident memory of each process at the end of the run, or of its part in it.\n"
    yield "| process | MiB |\n|---|---|"
    for name, value in report.memory_mib.items():
        yield f"| {name} | {value:.0f} |"
    yield ""

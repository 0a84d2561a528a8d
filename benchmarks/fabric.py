"""Measure the loop on a real Fabric network: batches against one command a transaction.

    python -m benchmarks.fabric [--rounds N] [--accounts N] [--smoke]

Network, database and processes are private, on loopback, and stop by themselves. Writes
benchmarks/results/fabric.json, and from it docs/reference/benchmarks-fabric.md with its chart; a
run that measures less writes all of it below .cache/benchmarks instead.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from benchmarks.chart import render_chart
from benchmarks.ending import ending_cleanly
from benchmarks.fabric_network import SETTINGS, Network, running_network
from benchmarks.fabric_node import install_node_client, node_version
from benchmarks.fabric_page import explain_bound, render_fabric_page
from benchmarks.fabric_questions import (
    FabricEffort,
    FabricLaboratory,
    FabricRound,
    Way,
    fabric_laboratory,
)
from benchmarks.fabric_report import NAMES, FabricReport
from benchmarks.machine import Machine
from benchmarks.options import whole_number
from benchmarks.stack import BenchmarkError, Server

RESULTS: Final = Path("benchmarks/results/fabric.json")
PAGE: Final = Path("docs/reference/benchmarks-fabric.md")
PARTIAL: Final = Path(".cache/benchmarks")
"""Where a run goes that measures less than the committed page tells of."""

FULL: Final = FabricEffort(
    rounds=3,
    closed_s=6.0,
    open_s=8.0,
    accounts=10_000,
    warm_up={Way.BATCHES: 1_000, Way.SINGLE: 100, Way.NODE: 100},
)
SMOKE: Final = FabricEffort(
    rounds=1,
    closed_s=0.5,
    open_s=1.0,
    accounts=100,
    warm_up={Way.BATCHES: 50, Way.SINGLE: 8, Way.NODE: 8},
    connections=8,
)

_STARTED_S: Final = time.perf_counter()


def tell(text: str) -> None:
    """Say what is happening, and when."""
    print(f"{time.perf_counter() - _STARTED_S:6.1f} s  {text}", flush=True)


async def measure(effort: FabricEffort, folder: Path, command: str) -> FabricReport:
    """Measure everything in this folder."""
    async with (
        running_network(folder / "network") as network,
        Server.running(folder) as server,
    ):
        tell(f"Fabric {network.version} runs")
        machine = Machine.describe(postgresql=await server.version())
        async with fabric_laboratory(server, network, effort) as lab:
            tell(f"opened {effort.accounts:,} accounts")
            rounds = [await _measure_round(lab, number) for number in range(effort.rounds)]
            half_loads = []
            for way in Way:
                ceiling = statistics.median(one.ways[way].projected_per_s for one in rounds)
                half_loads.append(await lab.measure_half_load(way, ceiling))
            tell("measured latencies")
    return FabricReport(
        command=command,
        seconds=round(time.perf_counter() - _STARTED_S),
        machine=machine,
        network=_describe(network),
        effort=effort,
        rounds=rounds,
        half_loads=half_loads,
        memory_mib=lab.memory_mib,
    )


async def _measure_round(lab: FabricLaboratory, number: int) -> FabricRound:
    one = await lab.measure_round(number)
    figures = ", ".join(
        f"{NAMES[way]} {found.projected_per_s:,.0f}/s at {found.cpu_sum_us / 1_000:.2f} ms CPU"
        for way, found in one.ways.items()
    )
    tell(f"round {number + 1}: {figures}; inside {one.inside_projected_per_s:,.0f}/s")
    return one


def _describe(network: Network) -> dict[str, str]:
    return {
        "Fabric": network.version,
        "Blocks are cut": f"after {SETTINGS.batch_timeout_ms} ms, or at "
        f"{SETTINGS.batch_messages_max} transactions",
        "Node client": node_version(),
    }


def write(report: FabricReport, *, results: Path, page: Path) -> None:
    """Write the results, the page and its chart."""
    chart = page.with_suffix(".svg")
    for path in (results, page):
        path.parent.mkdir(parents=True, exist_ok=True)
    results.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    page.write_text(render_fabric_page(report, chart=chart.name), encoding="utf-8")
    chart.write_text(render_chart(report.answers()), encoding="utf-8")
    tell(f"wrote {results}, {page} and {chart}")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    effort: FabricEffort
    only_render: bool
    results: Path
    page: Path


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; what is not measured whole goes where nothing is committed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fabric", description=__doc__)
    parser.add_argument("--rounds", type=whole_number(at_least=1), help="how often")
    parser.add_argument("--accounts", type=whole_number(at_least=100), help="that pay each other")
    parser.add_argument("--smoke", action="store_true", help="seconds; its figures mean nothing")
    parser.add_argument("--render", action="store_true", help="write the page anew from JSON")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args(arguments)
    effort = SMOKE if given.smoke else FULL
    if given.rounds is not None:
        effort = msgspec.structs.replace(effort, rounds=given.rounds)
    if given.accounts is not None:
        effort = msgspec.structs.replace(effort, accounts=given.accounts)
    is_whole = effort.rounds >= FULL.rounds and effort.accounts >= FULL.accounts
    is_committed = given.render or (is_whole and not given.smoke)
    return Options(
        effort=effort,
        only_render=given.render,
        results=given.results or (RESULTS if is_committed else PARTIAL / RESULTS.name),
        page=given.page or (PAGE if is_committed else PARTIAL / PAGE.name),
    )


def main() -> None:
    """Measure, write, and print the verdicts."""
    options = read_options()
    if options.only_render:
        report = msgspec.json.decode(options.results.read_bytes(), type=FabricReport)
    else:
        report = run(options.effort)
    write(report, results=options.results, page=options.page)
    for answer in report.answers():
        print(answer.line())
    print("\n".join(explain_bound(report)))


def run(effort: FabricEffort) -> FabricReport:
    """Measure in a folder of its own, which is gone afterwards."""
    command = " ".join(("python -m benchmarks.fabric", *sys.argv[1:]))
    with tempfile.TemporaryDirectory(prefix="gxb") as folder:
        try:
            install_node_client()
            (Path(folder) / "network").mkdir()
            return uvloop.run(measure(effort, Path(folder), command))
        except BenchmarkError as error:
            raise SystemExit(f"the benchmark failed: {error}") from error


if __name__ == "__main__":
    with ending_cleanly():
        main()

"""Measure the system on this machine, as ratios to the machine's own limits.

    python -m benchmarks.run [--quick] [--rounds N]

Everything runs in a private folder and on loopback, and stops by itself. Writes
benchmarks/results/latest.json, and from it docs/reference/benchmarks.md with its chart.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from benchmarks.chart import render_chart
from benchmarks.machine import Machine
from benchmarks.questions import Effort, Laboratory, Round, laboratory
from benchmarks.report import Report, render_page
from benchmarks.stack import BenchmarkError, Server

RESULTS: Final = Path("benchmarks/results/latest.json")
PAGE: Final = Path("docs/reference/benchmarks.md")
CHART: Final = Path("docs/reference/benchmarks.svg")

FULL: Final = Effort(rounds=5, post_s=3.0, transfers=20_000, open_s=15.0, history_rows=1_000_000)
QUICK: Final = Effort(rounds=2, post_s=2.0, transfers=8_000, open_s=6.0, history_rows=200_000)

_STARTED_S: Final = time.perf_counter()


def tell(text: str) -> None:
    """Say what is happening, and when."""
    print(f"{time.perf_counter() - _STARTED_S:6.1f} s  {text}", flush=True)


async def measure(effort: Effort, folder: Path, command: str) -> Report:
    """Measure everything in this folder."""
    async with Server.running(folder) as server:
        machine = Machine.describe(postgresql=await server.version())
        async with laboratory(server, effort, tell) as lab:
            rounds = [await _measure_round(lab, number) for number in range(effort.rounds)]
            tell("measuring latencies")
            open_loops = await lab.measure_open_loops(
                statistics.median(one.fresh.http_projected_per_s for one in rounds),
                statistics.median(one.fresh.projected_per_s for one in rounds),
            )
            memory_mib = lab.fresh.memory_mib()
    return Report(
        command=command,
        seconds=round(time.perf_counter() - _STARTED_S),
        machine=machine,
        effort=effort,
        rounds=rounds,
        open_loops=open_loops,
        memory_mib=memory_mib,
    )


async def _measure_round(lab: Laboratory, number: int) -> Round:
    one = await lab.measure_round(number)
    tell(
        f"round {number + 1}: x100 {one.x100:,.0f} rows/s, c1 {one.c1:,.0f}; POST without database "
        f"{one.bare_per_s:,.0f}/s, durable {one.fresh.accepted_per_s:,.0f}/s; loop "
        f"{one.fresh.projected_per_s:,.0f}/s, with a past {one.aged.projected_per_s:,.0f}/s; "
        f"others used {one.others_cores} cores"
    )
    return one


def write(report: Report) -> None:
    """Write the results, the page and the chart."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    render()


def render() -> None:
    """Write page and chart anew from the newest results."""
    report = msgspec.json.decode(RESULTS.read_bytes(), type=Report)
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(render_page(report, chart=CHART.name), encoding="utf-8")
    CHART.write_text(render_chart(report.answers()), encoding="utf-8")


def read_effort() -> Effort | None:
    """Read the command line; None to render only."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few minutes, more scatter")
    parser.add_argument("--rounds", type=int, help="how often everything is measured")
    parser.add_argument(
        "--render", action="store_true", help="write the page anew, measure nothing"
    )
    options = parser.parse_args()
    if options.render:
        return None
    effort = QUICK if options.quick else FULL
    if options.rounds is None:
        return effort
    return msgspec.structs.replace(effort, rounds=max(1, options.rounds))


def main() -> None:
    """Measure, write, and print the verdicts."""
    effort = read_effort()
    if effort is None:
        render()
        return
    command = " ".join(("python -m benchmarks.run", *sys.argv[1:]))
    with tempfile.TemporaryDirectory(prefix="gxb") as folder:
        try:
            report = uvloop.run(measure(effort, Path(folder), command))
        except BenchmarkError as error:
            raise SystemExit(f"the benchmark failed: {error}") from error
    write(report)
    for answer in report.answers():
        print(answer.line())
    tell(f"wrote {RESULTS}, {PAGE} and {CHART}")


if __name__ == "__main__":
    main()

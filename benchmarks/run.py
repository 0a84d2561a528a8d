"""Measure the system on this machine, as ratios to the machine's own limits and to peers.

    python -m benchmarks.run [--quick] [--rounds N] [--profile]
    python -m benchmarks.run --large

Everything runs in a private folder and on loopback, and stops by itself. Writes
benchmarks/results/latest.json (`--large`: growth.json, systems of ten million settled commands and
a million accounts, which take long to make), and from both docs/reference/benchmarks.md with its
charts. A quick run, or one of fewer rounds, writes all of it below .cache/benchmarks instead.
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
from benchmarks.laboratory import laboratory
from benchmarks.latency_chart import render_latencies
from benchmarks.machine import Machine
from benchmarks.options import whole_number
from benchmarks.page import render_page
from benchmarks.profile import has_profiler, profile
from benchmarks.questions import Effort, Laboratory, OpenLoop, Round
from benchmarks.report import Report
from benchmarks.stack import BenchmarkError, Server
from benchmarks.startup import measure_startup

RESULTS: Final = Path("benchmarks/results")
PAGES: Final = Path("docs/reference")
PARTIAL: Final = Path(".cache/benchmarks")
"""Where a run goes that measures less than the committed page tells of."""
LATEST: Final = "latest.json"
GROWTH: Final = "growth.json"

FULL: Final = Effort(
    rounds=3,
    post_s=3.0,
    transfers=20_000,
    open_s=8.0,
    histories=(1_000_000,),
    accounts=(100_000,),
)
QUICK: Final = Effort(
    rounds=1,
    post_s=1.5,
    transfers=5_000,
    open_s=3.0,
    histories=(100_000,),
    accounts=(20_000,),
    finished=6_000,
    peer_share=0.1,
)
LARGE: Final = Effort(
    rounds=3,
    post_s=3.0,
    transfers=20_000,
    open_s=0.0,
    histories=(10_000_000,),
    accounts=(1_000_000,),
    has_extras=False,
)

_STARTED_S: Final = time.perf_counter()


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    effort: Effort
    is_large: bool
    has_profile: bool
    only_render: bool
    output: Path | None
    """Where everything is written, instead of where it is committed."""

    @property
    def results(self) -> Path:
        """Return the folder of the figures."""
        return self.output or RESULTS

    @property
    def pages(self) -> Path:
        """Return the folder of the page and its charts."""
        return self.output or PAGES


def tell(text: str) -> None:
    """Say what is happening, and when."""
    print(f"{time.perf_counter() - _STARTED_S:6.1f} s  {text}", flush=True)


async def measure(options: Options, folder: Path, command: str) -> Report:
    """Measure everything in this folder."""
    effort = options.effort
    async with Server.running(folder) as server:
        machine = Machine.describe(postgresql=await server.version())
        async with laboratory(server, effort, tell) as lab:
            rounds = [await _measure_round(lab, number) for number in range(effort.rounds)]
            open_loops = await _measure_latencies(lab, rounds) if effort.has_extras else []
            profiles = {}
            if options.has_profile:
                tell("sampling every process under full load")
                profiles = await profile(lab.fresh, effort.amount, lab.token)
            startup = None
            if effort.has_extras:
                tell("starting each process, and `gx up` twice")
                startup = await measure_startup(lab.fresh.loop, folder / "up")
    return Report(
        command=command,
        seconds=round(time.perf_counter() - _STARTED_S),
        machine=machine,
        effort=effort,
        rounds=rounds,
        open_loops=open_loops,
        startup=startup,
        memory_mib=lab.memory_mib,
        scrape_ms=lab.scrape_ms,
        profiles=profiles,
    )


async def _measure_round(lab: Laboratory, number: int) -> Round:
    one = await lab.measure_round(number)
    fresh = one.fresh
    beside = "".join(f", {name} {peer.done_per_s:,.0f}/s" for name, peer in one.peers.items())
    tell(
        f"round {number + 1} of {lab.effort.rounds}: x100 {one.x100:,.0f} rows/s, c1 {one.c1:,.0f};"
        f" POST without database {one.bare_per_s:,.0f}/s, durable {fresh.accepted_per_s:,.0f}/s"
        f"; loop {fresh.projected_per_s:,.0f}/s, over HTTP {fresh.http_projected_per_s:,.0f}/s"
        f"{beside}; others used {one.others_cores} cores"
    )
    return one


async def _measure_latencies(lab: Laboratory, rounds: list[Round]) -> list[OpenLoop]:
    """Measure at shares of the rates that the closed loops reached, as often as those."""
    http_per_s = statistics.median(one.fresh.http_projected_per_s for one in rounds)
    inside_per_s = statistics.median(one.fresh.projected_per_s for one in rounds)
    found = []
    for number in range(len(rounds)):
        found += await lab.measure_open_loops(http_per_s, inside_per_s)
        half = next(one for one in reversed(found) if one.percent == 50 and one.over_http)
        tell(
            f"latencies {number + 1} of {len(rounds)}: at {half.rate_per_s:,.0f}/s over HTTP, "
            f"projected p99 {half.projected.p99_ms:.1f} ms"
        )
    return found


def write(report: Report, options: Options) -> Path:
    """Write the results, the page and the charts; return the figures' file."""
    path = options.results / (GROWTH if options.is_large else LATEST)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    render(options)
    return path


def render(options: Options) -> None:
    """Write page and charts anew from the newest results, if there are any of a whole run."""
    report, large = _read(options.results / LATEST), _read(options.results / GROWTH)
    if report is None:
        return
    pages = options.pages
    pages.mkdir(parents=True, exist_ok=True)
    page = render_page(report, large, chart="benchmarks.svg", latencies="benchmarks-latency.svg")
    (pages / "benchmarks.md").write_text(page, encoding="utf-8")
    chart, latencies = render_chart(report.answers()), render_latencies(report.open_loops)
    (pages / "benchmarks.svg").write_text(chart, encoding="utf-8")
    (pages / "benchmarks-latency.svg").write_text(latencies, encoding="utf-8")


def _read(path: Path) -> Report | None:
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except msgspec.ValidationError as error:
        tell(f"{path} is of another version of the benchmark ({error}): measure again")
        return None


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; what is not measured whole goes where nothing is committed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few minutes; figures scatter")
    parser.add_argument("--large", action="store_true", help="systems that have grown by far")
    parser.add_argument("--rounds", type=whole_number(at_least=1), help="how often")
    parser.add_argument("--profile", action="store_true", help="sample every process (py-spy)")
    parser.add_argument("--render", action="store_true", help="write the page anew, no measuring")
    parser.add_argument("--output", type=Path, help="folder for everything, instead of the docs")
    given = parser.parse_args(arguments)
    if given.profile and not has_profiler():
        parser.error("--profile needs py-spy: it comes with `make bench`, or pip install .[bench]")
    whole = LARGE if given.large else FULL
    is_quick = given.quick and not given.large
    effort = QUICK if is_quick else whole
    if given.rounds is not None:
        effort = msgspec.structs.replace(effort, rounds=given.rounds)
    is_partial = is_quick or effort.rounds < whole.rounds
    return Options(
        effort=effort,
        is_large=given.large,
        has_profile=given.profile,
        only_render=given.render,
        output=given.output or (PARTIAL if is_partial and not given.render else None),
    )


def main() -> None:
    """Measure, write, and print the verdicts."""
    options = read_options()
    if options.only_render:
        render(options)
        return
    command = " ".join(("python -m benchmarks.run", *sys.argv[1:]))
    with tempfile.TemporaryDirectory(prefix="gxb") as folder:
        try:
            report = uvloop.run(measure(options, Path(folder), command))
        except BenchmarkError as error:
            raise SystemExit(f"the benchmark failed: {error}") from error
    path = write(report, options)
    for answer in report.answers():
        print(answer.line())
    tell(f"wrote {path}, and the page with its charts into {options.pages}")


if __name__ == "__main__":
    with ending_cleanly():
        main()

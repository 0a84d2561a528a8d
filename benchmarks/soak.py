"""Twenty minutes at half load: memory, open files, latency and tables must stay flat.

    python -m benchmarks.soak [--minutes 20] [--rate 1000] [--output FOLDER]

A system of its own (PostgreSQL, ledger, API, submitter, projector) in a private folder, loaded over
HTTP at half of what it was just measured to carry, with reads in between. Two minutes at full load
come first: what processes keep for their busiest moment is kept before the first look. Stops by
itself, at the latest a minute after its time. Writes soak.json, soak.md and soak.svg into
docs/reference, or below .cache/soak if it was shorter or at another rate than the committed page
tells of; exits with 1, and with every reason, if something was not flat.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from benchmarks.driver import driving, prepare
from benchmarks.ending import ending_cleanly
from benchmarks.figures import Percentiles
from benchmarks.http_load import LoadPlan, LoadResult, run_load
from benchmarks.machine import Machine, OthersMeter
from benchmarks.options import number
from benchmarks.soak_page import SoakReport, render_soak_chart, render_soak_page
from benchmarks.soak_samples import Sample, Sampler, Slice
from benchmarks.soak_verdict import Soaked, judge
from benchmarks.stack import API, LOOP, BenchmarkError, Loop, Server
from benchmarks.systems import Amount, System, seeds
from benchmarks.timeline import WAITING, install, journey, now_ms, until_done
from gx.domain.roles import TokenRole

OUTPUT: Final = Path("docs/reference")
PARTIAL: Final = Path(".cache/soak")
MINUTES: Final = 20.0
SLICES_MIN: Final = 12
SLICE_S: Final = 60.0
SAMPLE_S: Final = 5.0
WARM_UP_S: Final = 120.0
WARM_UPS_MIN: Final = 10
POST_S: Final = 5.0
CONNECTIONS: Final = 32
READS_PER_S: Final = 20.0
PENDING_MAX_S: Final = 30.0
"""How long what was accepted last may take to be projected."""

_STARTED_S: Final = time.perf_counter()


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for. Without a rate it is half of what the loop carries."""

    minutes: float
    rate_per_s: float | None
    output: Path

    @property
    def slice_s(self) -> float:
        """How long each load lasts: a minute, or less in a short soak."""
        return min(SLICE_S, self.minutes * 60 / SLICES_MIN)

    @property
    def warm_up_s(self) -> float:
        """How long it is under full load before: two minutes, or less in a short soak."""
        return min(WARM_UP_S, self.minutes * 60 / WARM_UPS_MIN)


def tell(text: str) -> None:
    """Say what is happening, and when."""
    print(f"{time.perf_counter() - _STARTED_S:7.1f} s  {text}", flush=True)


async def soak(options: Options, folder: Path, command: str) -> SoakReport:
    """Load a new system for so long, and note what becomes of it."""
    async with Server.running(folder) as server:
        machine = Machine.describe(postgresql=await server.version())
        loop = await server.open_loop("soak")
        await loop.start(*LOOP, API)
        await install(loop)
        async with driving(loop) as driver:
            await prepare(driver)
        token = loop.token(TokenRole.PARTNER)
        system = System(server=server, loop=loop)
        carried_per_s = await _full_load(system, token, options.warm_up_s)
        rate_per_s = options.rate_per_s or round(carried_per_s / 2)
        tell(f"soaking for {options.minutes:g} min at {rate_per_s:,.0f} commands/s")
        others = OthersMeter()
        soaked = await _soak(system, options, rate_per_s, token)
        others_cores = others.cores()
    return SoakReport(
        command=command,
        machine=machine,
        minutes=options.minutes,
        rate_per_s=rate_per_s,
        others_cores=others_cores,
        soaked=soaked,
        findings=judge(soaked),
    )


async def _full_load(system: System, token: str, warm_up_s: float) -> float:
    """Measure what the loop carries over HTTP, once it has carried as much for a while."""
    tell(f"warming up for {warm_up_s:.0f} s at full load")
    carried = 0.0
    for post_s in (warm_up_s, POST_S):
        since_ms = await now_ms(system.loop)
        await system.post(Amount(post_s=post_s, transfers=0, connections=CONNECTIONS), token)
        await until_done(system.loop, since_ms)
        carried = (await journey(system.loop, since_ms)).projected_per_s
    tell(f"the loop carries {carried:,.0f} commands/s over HTTP")
    return carried


async def _soak(system: System, options: Options, rate_per_s: float, token: str) -> Soaked:
    loop = system.loop
    sampler, slices = Sampler(system.server, loop), []
    async with _sampling(sampler) as samples:
        while sampler.at_s() < options.minutes * 60 - 1:
            plan = LoadPlan(
                port=loop.api_port,
                token=token,
                seed=next(seeds),
                connections=CONNECTIONS,
                duration_s=min(options.slice_s, options.minutes * 60 - sampler.at_s()),
                rate_per_s=rate_per_s,
                reads_per_s=READS_PER_S,
            )
            slices.append(await _slice(sampler, loop, plan))
            _tell_slice(slices[-1], samples)
        left = await _left(loop)
        samples.append(await sampler.look())
    ended = [name for name, part in loop.parts.items() if part.process.returncode is not None]
    return Soaked(samples=samples, slices=slices, ended=ended, left=left)


async def _slice(sampler: Sampler, loop: Loop, plan: LoadPlan) -> Slice:
    """Send for a while; then ask what became of it, except for the end that is under way."""
    at_s, from_ms = sampler.at_s(), await now_ms(loop)
    sent = await run_load(plan)
    committed, projected = await sampler.latencies(from_ms, await now_ms(loop) - 1_000)
    return Slice(
        at_s=at_s,
        accepted=sent.accepted,
        refused=_refused(sent),
        accept=sent.accept,
        read=sent.read or _nothing(),
        committed=committed,
        projected=projected,
    )


def _refused(sent: LoadResult) -> int:
    return sum(count for status, count in sent.statuses.items() if status not in {"200", "202"})


def _nothing() -> Percentiles:
    return Percentiles(count=0, p50_ms=0.0, p95_ms=0.0, p99_ms=0.0, max_ms=0.0)


def _tell_slice(one: Slice, samples: list[Sample]) -> None:
    memory = ", ".join(f"{name} {mib:.0f}" for name, mib in samples[-1].memory_mib.items())
    tell(
        f"{one.at_s / 60:4.1f} min: {one.accepted:,} accepted, p99 {one.accept.p99_ms:.0f} ms, "
        f"projected p99 {one.projected.p99_ms:.0f} ms; queue "
        f"{samples[-1].tables['outbox'].total_bytes / 1e6:.1f} MB; MiB: {memory}"
    )


@asynccontextmanager
async def _sampling(sampler: Sampler) -> AsyncIterator[list[Sample]]:
    """Take a sample every few seconds in the background; a sampler that fails is an error."""
    samples = [await sampler.look()]

    async def sample() -> None:
        while True:
            await asyncio.sleep(SAMPLE_S)
            samples.append(await sampler.look())

    task = asyncio.create_task(sample())
    try:
        yield samples
        if task.done():
            await task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _left(loop: Loop) -> int:
    """Return how many commands wait when everything should be done."""
    deadline_s = time.monotonic() + PENDING_MAX_S
    while (left := await loop.pool.fetch_value(WAITING)) and time.monotonic() < deadline_s:  # noqa: ASYNC110 (what the table says is what counts)
        await asyncio.sleep(0.1)
    assert isinstance(left, int)
    return left


def write(report: SoakReport, output: Path) -> None:
    """Write the figures, the page and the picture."""
    output.mkdir(parents=True, exist_ok=True)
    (output / "soak.json").write_bytes(msgspec.json.encode(report) + b"\n")
    page = render_soak_page(report, chart="soak.svg")
    (output / "soak.md").write_text(page, encoding="utf-8")
    (output / "soak.svg").write_text(render_soak_chart(report.soaked), encoding="utf-8")


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; only a whole soak goes where its page is committed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument(
        "--minutes", type=number(at_least=1), default=MINUTES, help="how long (default: 20)"
    )
    parser.add_argument("--rate", type=number(at_least=1), help="commands a second, not half load")
    parser.add_argument("--output", type=Path, help="folder of the results")
    given = parser.parse_args(arguments)
    is_whole = given.minutes >= MINUTES and given.rate is None
    return Options(
        minutes=given.minutes,
        rate_per_s=given.rate,
        output=given.output or (OUTPUT if is_whole else PARTIAL),
    )


def main() -> None:
    """Soak, write, and say what was not flat."""
    options = read_options()
    command = " ".join(("python -m benchmarks.soak", *sys.argv[1:]))
    with tempfile.TemporaryDirectory(prefix="gxs") as folder:
        try:
            report = uvloop.run(soak(options, Path(folder), command))
        except BenchmarkError as error:
            raise SystemExit(f"the soak failed: {error}") from error
    write(report, options.output)
    for finding in report.findings:
        verdict = "flat" if finding.is_flat else "NOT FLAT"
        print(f"{finding.rule:66} {finding.found:28} {finding.limit:16} {verdict}")
    tell(f"wrote soak.json, soak.md and soak.svg into {options.output}")
    if not report.is_flat:
        raise SystemExit(1)


if __name__ == "__main__":
    with ending_cleanly():
        main()

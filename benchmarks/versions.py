"""What a change saves or costs: versions of the sources beside each other, measured in turns.

    git worktree add --detach ../before 2179ee4
    python -m benchmarks.versions before=../before/src after=src [--rounds 5] [--transfers 10000]

Each version runs its own ledger, submitter, projector and API on one PostgreSQL server, which this
version's migrations made; the driver is this version's, too. In every round each is driven once, in
alternating order. CPU time for a command is the figure: on a machine that others use, rates tell
mostly of them. Of each process the least and the median of the rounds are printed.
"""

import argparse
import asyncio
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
import uvloop

from benchmarks.driver import drive_closed, driving, prepare
from benchmarks.ending import ending_cleanly
from benchmarks.options import whole_number
from benchmarks.stack import API, LOOP, PROJECTOR, SUBMITTER, Loop, Server
from benchmarks.systems import seeds
from benchmarks.timeline import install

SETTLE_S: Final = 0.5


@dataclass(slots=True)
class Version:
    """One version of the sources, and what was measured of it, by process."""

    loop: Loop
    server: Server
    cpu_us: dict[str, list[float]] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)

    async def measure(self, transfers: int) -> None:
        """Drive a closed loop once."""
        await self.loop.start(SUBMITTER, PROJECTOR)
        async with driving(self.loop) as driver:
            await asyncio.sleep(SETTLE_S)
            before = self._cpu_s()
            driven = await drive_closed(driver, seed=next(seeds), count=transfers)
            after = self._cpu_s()
        await self.loop.stop(PROJECTOR, SUBMITTER)
        spent = {name: (after[name] - before[name]) / transfers * 1e6 for name in after}
        spent["sum"] = sum(spent.values())
        for name, cpu_us in spent.items():
            self.cpu_us.setdefault(name, []).append(cpu_us)
        self.rates.append(driven.projected_per_s)
        print(
            f"{self.loop.name}: {spent['sum']:.0f} us, {driven.projected_per_s:,.0f}/s", flush=True
        )

    def _cpu_s(self) -> dict[str, float]:
        own = psutil.Process().cpu_times()
        return {
            **{name: used for name, used in self.loop.cpu_s().items() if name != API},
            "postgresql": self.server.cpu_s(),
            "driver": own.user + own.system,
        }


async def open_version(server: Server, name: str, sources: Path) -> Version:
    """Start a loop of this version and open its accounts."""
    loop = await server.open_loop(name)
    loop.environment["PYTHONPATH"] = str(sources)
    await loop.start(*LOOP, API)
    await install(loop)
    async with driving(loop) as driver:
        await prepare(driver)
    await loop.stop(PROJECTOR, SUBMITTER)
    return Version(loop, server)


async def compare(sources: dict[str, Path], *, rounds: int, transfers: int) -> list[Version]:
    """Measure every version once a round."""
    with tempfile.TemporaryDirectory(prefix="gxb") as folder:
        async with Server.running(Path(folder)) as server:
            versions = [await open_version(server, *each) for each in sources.items()]
            for number in range(rounds):
                for version in versions if number % 2 else reversed(versions):
                    await version.measure(transfers)
    return versions


def show(versions: list[Version]) -> None:
    """Print a table: us a command by process, least and median, and the rates."""
    print("us of CPU a command, least / median", *(version.loop.name for version in versions))
    for name in versions[0].cpu_us:
        cells = (version.cpu_us[name] for version in versions)
        print(
            f"{name:12}", *(f"{min(cell):6.0f} / {statistics.median(cell):4.0f}" for cell in cells)
        )
    best = (f"{max(version.rates):13,.0f}" for version in versions)
    print(f"{'commands/s':12}", *best, "(the best round's)")


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=__doc__)
    parser.add_argument("versions", nargs="+", metavar="NAME=SOURCES")
    parser.add_argument("--rounds", type=whole_number(at_least=1), default=5)
    parser.add_argument("--transfers", type=whole_number(at_least=1), default=10_000)
    options = parser.parse_args()
    pairs = (text.partition("=") for text in options.versions)
    sources = {name: Path(path).resolve(strict=True) for name, _, path in pairs}
    show(uvloop.run(compare(sources, rounds=options.rounds, transfers=options.transfers)))


if __name__ == "__main__":
    with ending_cleanly():
        main()

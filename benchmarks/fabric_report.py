"""From measurements on Fabric to answers: each ratio with its target, and whether it is met."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from benchmarks.answers import Answer
from benchmarks.fabric_questions import FabricEffort, FabricRound, HalfLoad, Measured, Way
from benchmarks.figures import Spread, spread
from benchmarks.machine import Machine

RATIOS: Final = "How many times as many commands do batches carry?"
RATES: Final = "How many commands a second does the whole loop carry?"
COSTS: Final = "How many times as much CPU time does a command cost without batches?"

TARGETS: Final = {Way.SINGLE: 15.0, Way.NODE: 40.0}
RATE_TARGET_PER_S: Final = 5_000.0

NAMES: Final = {
    Way.BATCHES: "batches",
    Way.SINGLE: "single, our client",
    Way.NODE: "single, Node client",
}

RATE_FIGURES: Final[dict[str, Callable[[Measured], float]]] = {
    "committed": lambda one: one.committed_per_s,
    "projected": lambda one: one.projected_per_s,
}

Figure = Callable[[Measured], float]


class FabricReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one run measured. `network` says which Fabric it was, and its settings."""

    command: str
    seconds: int
    machine: Machine
    network: dict[str, str]
    effort: FabricEffort
    rounds: list[FabricRound]
    half_loads: list[HalfLoad]
    memory_mib: dict[str, float]

    def answers(self) -> list[Answer]:
        """Answer every question that has an answer in one line, in the order of the page."""
        return [*self._ratios(), *self._rates(), *self._costs()]

    def over(self, figure: Callable[[FabricRound], float]) -> Spread:
        """Summarise one figure of the rounds."""
        return spread([figure(one) for one in self.rounds])

    def of(self, way: Way, figure: Figure) -> Spread:
        """Summarise one figure of one way."""
        return self.over(lambda one: figure(one.ways[way]))

    def cpu_us(self, way: Way) -> dict[str, float]:
        """Return the CPU time for a command by process, medians of the rounds, largest first."""
        ways = [one.ways[way].cpu_us for one in self.rounds]
        found = {name: spread([one[name] for one in ways]).median for name in ways[0]}
        return dict(sorted(found.items(), key=lambda each: -each[1]))

    def requests(self, way: Way) -> dict[str, float]:
        """Return what the chaincode asks each endorsing peer for, for a command, by message."""
        ways = [one.ways[way].shim_requests for one in self.rounds]
        return {name: spread([one.get(name, 0.0) for one in ways]).median for name in ways[0]}

    def others_cores(self) -> Spread:
        """Summarise the cores that were at work for others."""
        return spread([way.others_cores for one in self.rounds for way in one.ways.values()])

    def _ratios(self) -> Iterator[Answer]:
        for other, target in TARGETS.items():
            for name, figure in RATE_FIGURES.items():
                yield Answer(
                    question=RATIOS,
                    name=f"{name}: batches / {NAMES[other]}",
                    figure=f"{self.of(Way.BATCHES, figure).median:,.0f} / "
                    f"{self.of(other, figure).median:,.0f} per s",
                    value=self._ratio(Way.BATCHES, other, figure),
                    unit="x",
                    target=target,
                )

    def _rates(self) -> Iterator[Answer]:
        inside: dict[str, Callable[[FabricRound], float]] = {
            "committed": lambda one: one.inside_committed_per_s,
            "projected": lambda one: one.inside_projected_per_s,
        }
        for name, figure in inside.items():
            yield _rate(f"{name}, batches, driver inside", self.over(figure), RATE_TARGET_PER_S)
        for way in Way:
            for name, each in RATE_FIGURES.items():
                yield _rate(f"{name}, {NAMES[way]}, over HTTP", self.of(way, each), None)

    def _costs(self) -> Iterator[Answer]:
        for other in TARGETS:
            both = [self.of(way, _cpu_sum_us).median / 1_000 for way in (other, Way.BATCHES)]
            yield Answer(
                question=COSTS,
                name=f"CPU time: {NAMES[other]} / batches",
                figure=f"{both[0]:.2f} / {both[1]:.2f} ms a command",
                value=self._ratio(other, Way.BATCHES, _cpu_sum_us),
                unit="x",
            )

    def _ratio(self, top: Way, bottom: Way, figure: Figure) -> Spread:
        return self.over(lambda one: figure(one.ways[top]) / figure(one.ways[bottom]))


def _cpu_sum_us(one: Measured) -> float:
    return one.cpu_sum_us


def _rate(name: str, value: Spread, target: float | None) -> Answer:
    return Answer(
        question=RATES,
        name=name,
        figure=f"{value.median:,.0f} commands/s",
        value=value,
        unit="/s",
        target=target,
    )

"""`make chaos`: faults from a seed under load, judged after every round; the smallest story.

    python -m tests.chaos.run --faults 300 --seed 7
    python -m tests.chaos.run --ledger fabric --faults 60
    python -m tests.chaos.run --previous --faults 60
    python -m tests.chaos.run --story "kill:ledger@0.40,freeze:projector@1.20+0.80"
    python -m tests.chaos.run --faults 3 --seed 7 --plant-sql bug.sql

A whole run, 300 faults on the embedded ledger, 40 with standbys of the release before this one and
40 on Fabric as the repository has them, writes docs/reference/chaos with its endings; any other
writes below .cache/chaos, or where it is told to.
It exits with 1 if anything was lost, doubled or found wrong, and then prints the shortest list of
faults that it saw fail again on a stage of its own, with the command that plays it.
"""

import argparse
import asyncio
import os
import random
import shlex
import sys
import textwrap
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import uvloop

from benchmarks.ending import ending_cleanly
from benchmarks.machine import Machine
from benchmarks.options import number, whole_number
from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.story import Fault, StoryError, read_story, write_story
from tests.chaos.report import RunReport, render, summary, write
from tests.chaos.rounds import FENCED, Played, Round, play_round
from tests.chaos.schedule import draw, require_possible
from tests.chaos.shrink import Shrunk, shrink
from tests.chaos.stage import Stage, a_stage
from tests.upgrade.previous import load_previous

PAGE: Final = Path("docs/reference/chaos")
PARTIAL: Final = Path(".cache/chaos/chaos")
WHOLE: Final = {
    (LedgerKind.LOCAL, False): 300,
    (LedgerKind.LOCAL, True): 40,
    (LedgerKind.FABRIC, False): 40,
}
"""How many faults the committed page tells of: on which ledger, and beside an older release?"""

BY_MAKE: Final = "--by-make"
DEFAULTS: Final = ["--faults", "300", "--previous-faults", "40", "--fabric-faults", "40"]
"""What `make chaos` asks for by itself."""

LEDGERS: Final = [kind.value for kind in LedgerKind]

A_ROUND: Final = 25
EXAMPLES: Final = ", such as "
EXAMPLE_CHARACTERS: Final = 160
"""Enough to see what it is about; all of it is in the JSON."""
REPLAYS_MAX: Final = 14
SHRINK_MAX_S: Final = 900.0
SEARCH: Final = f"shorter stories to play in search of the smallest (default: {REPLAYS_MAX})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a run shall be. `planted` is SQL that breaks the system, to see whether it is found."""

    ledger: LedgerKind
    seed: int
    faults: Sequence[Fault]
    rate_per_s: float
    command: str = "python -m tests.chaos.run"
    planted: str = ""
    planted_file: Path | None = None
    with_previous: bool = False
    replays_max: int = REPLAYS_MAX

    @property
    def standbys(self) -> str:
        """Return the release of the standbys, where it is not this one."""
        return load_previous().version if self.with_previous else ""

    @property
    def is_whole(self) -> bool:
        """Whether it draws as many faults as the committed page tells of, and nothing planted."""
        wanted = WHOLE.get((self.ledger, self.with_previous))
        return wanted is not None and len(self.faults) >= wanted and not self.planted

    def stage(self) -> AbstractAsyncContextManager[Stage]:
        """Start what the faults are played on; stop it at the end."""
        return a_stage(
            self.ledger, self.seed, rate_per_s=self.rate_per_s, with_previous=self.with_previous
        )

    def replay(self, story: str) -> str:
        """Return the command that plays a story as this run would."""
        options = ["--ledger", self.ledger.value, "--seed", str(self.seed)]
        options += ["--rate", f"{self.rate_per_s:g}", "--story", story]
        if self.planted_file is not None:
            options += ["--plant-sql", str(self.planted_file)]
        if self.with_previous:
            options.append("--previous")
        return shlex.join(["python", "-m", "tests.chaos.run", *options])


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for: runs, or only the page anew."""

    orders: Sequence[Order]
    output: Path
    only_render: bool = False


async def run(order: Order) -> RunReport:
    """Play the faults in rounds on one stage, so that history accumulates; stop at a finding."""
    report = RunReport(
        seed=order.seed,
        ledger=order.ledger,
        standbys=order.standbys,
        command=order.command,
        rate_per_s=order.rate_per_s,
        loads=[os.getloadavg()[0]],
    )
    began_s = time.monotonic()
    async with order.stage() as stage:
        report.machine = await _machine(stage)
        await _plant(stage, order.planted)
        for begin in range(0, max(len(order.faults), 1), A_ROUND):
            line = _Progress(begin, len(order.faults), stage)
            played = await play_round(stage, order.faults[begin : begin + A_ROUND], line.tell)
            report.rounds.append(played)
            report.loads.append(os.getloadavg()[0])
            _say(_round_text(played))
            if played.findings:
                break
        report.prior = len(stage.driver.prior or ())
        report.retries = stage.driver.retries
        report.fenced = stage.logged(*FENCED)
        report.restarts = sum(stage.loop.restarts().values())
    report.elapsed_s = time.monotonic() - began_s
    return report


async def _machine(stage: Stage) -> Machine:
    async with stage.database() as connection:
        version = str(await connection.fetchval("SHOW server_version"))
    return await asyncio.to_thread(Machine.describe, postgresql=version)


async def smallest_story(order: Order, faults: Sequence[Fault]) -> Shrunk:
    """Replay fewer and fewer of these faults, each time on a new stage."""
    give_up_s = time.monotonic() + SHRINK_MAX_S

    async def fails(story: Sequence[Fault]) -> bool:
        _say(f"replaying {len(story)} of {len(faults)}: {write_story(story) or 'no faults'}")
        async with order.stage() as stage:
            await _plant(stage, order.planted)
            told = await play_round(stage, story)
        broken = ", ".join(each.partition(EXAMPLES)[0] for each in told.findings)
        _say(f"  {'fails: ' + broken if broken else 'nothing found'}")
        return bool(told.findings)

    return await shrink(
        faults,
        fails,
        replays_max=order.replays_max,
        is_in_time=lambda: time.monotonic() < give_up_s,
    )


class PlantError(Exception):
    """What was to break the system cannot be executed."""


async def _plant(stage: Stage, statements: str) -> None:
    if not statements:
        return
    async with stage.database() as connection:
        try:
            await connection.execute(statements)
        except asyncpg.PostgresError as error:
            raise PlantError(f"PostgreSQL refuses the planted SQL: {error}") from error


@dataclass(frozen=True, slots=True)
class _Progress:
    """One line for each fault."""

    begin: int
    total: int
    stage: Stage

    def tell(self, played: Played) -> None:
        if played.impossible is not None:
            how = f"skipped: {played.impossible}"
        elif played.recovery_s is None:
            how = "not waited for"
        else:
            how = f"recovered in {played.recovery_s:.2f} s"
        _say(f"{played.fault!s:<58} {how:<22} {len(self.stage.driver.accepted):>8,} accepted")


def _round_text(played: Round) -> str:
    if played.findings:
        return "\n".join(["FOUND:", *(f"  {in_short(each)}" for each in played.findings)])
    counts = played.judged
    return (
        f"---- {len(played.played)} faults in {played.elapsed_s:.0f} s: {counts['accepted']}"
        f" accepted, {counts['committed']} committed, {counts['rejected']} refused; nothing wrong"
    )


def in_short(finding: str) -> str:
    """Return what was found, how often, and the beginning of one example."""
    said, _, examples = finding.partition(EXAMPLES)
    if not examples:
        return said
    return f"{said}{EXAMPLES}{textwrap.shorten(examples, EXAMPLE_CHARACTERS, placeholder=' …')}"


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def parse(arguments: Sequence[str]) -> Request:
    """Read the command line; only whole runs go where their page is committed."""
    options = _options(arguments)
    orders = [] if options.render else _orders(options, _called(arguments))
    whole = {(order.ledger, order.with_previous) for order in orders if order.is_whole}
    is_whole = whole == set(WHOLE)
    default = PAGE if options.render or is_whole else PARTIAL
    return Request(
        orders=orders, output=options.output or default, only_render=bool(options.render)
    )


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add, count = parser.add_argument, whole_number(at_least=0)
    add("--faults", type=count, default=300, help="how many faults (default: 300)")
    add("--ledger", choices=LEDGERS, default=LEDGERS[0], help="where (default: local)")
    add("--previous", action="store_true", help="the standbys are of the release before this one")
    add("--previous-faults", type=count, default=0, help="then so many with such standbys, locally")
    add("--fabric-faults", type=count, default=0, help="then so many on Fabric")
    add("--seed", type=int, help="play the same schedule as a run before; else a random one")
    add("--story", type=_story, help="play these faults instead of drawn ones; '' is none at all")
    add("--rate", type=number(at_least=1), default=100.0, help="commands a second (default: 100)")
    add("--replays", type=count, default=REPLAYS_MAX, help=f"after a finding: {SEARCH}")
    add("--plant-sql", type=_planted, metavar="FILE", help="break the system by this file first")
    add("--output", type=Path, help="write .json, .md and .svg of this name")
    add("--render", action="store_true", help="write the page anew from its JSON, and play nothing")
    add(BY_MAKE, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.ledger = LedgerKind(options.ledger)
    try:
        require_possible(options.story or (), options.ledger)
    except StoryError as error:
        parser.error(f"argument --story: {error}")
    if not options.render and options.story is None and not any(_counts(options)):
        parser.error("there is nothing to play: ask for a fault, or for --story '' to play none")
    return options


def _counts(options: argparse.Namespace) -> Sequence[int]:
    return (options.faults, options.previous_faults, options.fabric_faults)


def _story(text: str) -> tuple[Fault, ...]:
    try:
        return read_story(text)
    except StoryError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _planted(text: str) -> tuple[Path, str]:
    try:
        return Path(text), Path(text).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {error}") from error


def _called(arguments: Sequence[str]) -> str:
    """Return what somebody types to have this run again."""
    given = [each for each in arguments if each != BY_MAKE]
    if BY_MAKE not in arguments:
        return shlex.join(["python", "-m", "tests.chaos.run", *given])
    return "make chaos" if given == DEFAULTS else f'make chaos ARGS="{shlex.join(given)}"'


def _orders(options: argparse.Namespace, command: str) -> list[Order]:
    seed: int = random.randrange(10**6) if options.seed is None else options.seed  # noqa: S311 (a schedule)
    story: Sequence[Fault] | None = options.story
    file, planted = options.plant_sql or (None, "")
    of_each = _counts(options)
    kinds = (
        (options.ledger, options.previous),
        (LedgerKind.LOCAL, True),
        (LedgerKind.FABRIC, False),
    )
    wanted: list[tuple[LedgerKind, bool, Sequence[Fault]]] = [
        (ledger, with_previous, draw(seed, count, ledger))
        for (ledger, with_previous), count in zip(kinds, of_each, strict=True)
        if count
    ]
    if story is not None:
        wanted = [(options.ledger, options.previous, story)]
    return [
        Order(
            ledger=ledger,
            seed=seed,
            faults=faults,
            rate_per_s=options.rate,
            command=command,
            planted=planted,
            planted_file=file,
            with_previous=with_previous,
            replays_max=options.replays,
        )
        for ledger, with_previous, faults in wanted
    ]


async def main(request: Request) -> int:
    """Run what was ordered; the exit code says whether anything was found."""
    if request.only_render:
        await asyncio.to_thread(render, request.output)
        return 0
    reports = []
    for order in request.orders:
        older = f", standbys {order.standbys}" if order.with_previous else ""
        _say(f"{len(order.faults)} faults on {order.ledger}{older}, seed {order.seed}")
        report = await run(order)
        reports.append(report)
        _say(f"{summary(report)}")
        if report.findings:
            await _explain(order, report)
    await asyncio.to_thread(write, [each.figures() for each in reports], request.output)
    _say(f"wrote {request.output} as .json, .md and .svg")
    return 1 if any(report.findings for report in reports) else 0


async def _explain(order: Order, report: RunReport) -> None:
    """Print the smallest story that fails again, and how to play it."""
    last = [played.fault for played in report.rounds[-1].played]
    if not order.faults:
        _say("It fails without any fault.")
    if not last or not order.replays_max:
        return
    shrunk = await smallest_story(order, last)
    report.smallest = write_story(shrunk.story)
    if not shrunk.is_reproduced:
        _say("The round's faults alone did not fail again; the whole run is repeated by its seed.")
    if not shrunk.story:
        _say(f"It fails without any fault. See it again with\n  {order.replay('')}")
        return
    sure = "the smallest" if shrunk.is_minimal else "the smallest so far"
    _say(
        f"{len(shrunk.story)} faults, {sure} story after {shrunk.replays} replays. Play it with\n"
        f"  {order.replay(report.smallest)}"
    )


if __name__ == "__main__":
    with ending_cleanly(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            sys.exit(runner.run(main(parse(sys.argv[1:]))))
        except PlantError as refused:
            _say(str(refused))
            sys.exit(2)

"""What the index of the idempotency keys costs an insert, by itself.

    python -m benchmarks.keys
    python -m benchmarks.keys --keys 1000000 --rounds 3

Two databases that differ in nothing but so many keys of the last day: as many as a system has that
takes ten million commands in five weeks, and none. In every round both take as many commands, in
alternating order: first just after a checkpoint, when each page that changes goes into the log as
a whole, and once more, when most of them have. Ratios are with keys against without, medians of
the rounds with the least and the most.
"""

import argparse
import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.driver import driving, make_transfers
from benchmarks.ending import ending_cleanly
from benchmarks.figures import Spread, spread
from benchmarks.options import whole_number
from benchmarks.stack import Loop, Server
from benchmarks.systems import seeds
from benchmarks.wal import LogMark, Written

KEYS: Final = 10_000_000 // 35
FIRST, AGAIN = "after a checkpoint", "once more"
FILL: Final = """
    INSERT INTO idempotency_keys (key_hash, fingerprint, command_id, created_at_ms)
    SELECT decode(md5(i::text) || md5((-i)::text), 'hex'), md5(i::text) || md5((-i)::text),
           gen_random_uuid(), now_ms() - i % 86400000
      FROM generate_series(1, $1::int) i
"""
CLEAN: Final = ("VACUUM (ANALYZE) idempotency_keys", "CHECKPOINT")


@dataclass(slots=True)
class Side:
    """One database, and what was measured of it, by moment."""

    loop: Loop
    keys: int
    rates_per_s: dict[str, list[float]] = field(default_factory=dict)
    logs: dict[str, list[Written]] = field(default_factory=dict)

    async def measure(self, count: int) -> None:
        """Take so many commands twice, the first time just after a checkpoint."""
        async with driving(self.loop) as driver:
            for moment in (FIRST, AGAIN):
                commands = make_transfers(next(seeds), count)
                mark = await LogMark.here(self.loop.pool)
                seconds = await driver.accept(commands)
                self.rates_per_s.setdefault(moment, []).append(count / seconds)
                self.logs.setdefault(moment, []).append(await mark.written(count))
        await self.loop.pool.fetch("TRUNCATE outbox")

    async def fill(self) -> None:
        """Have as many keys as before the first insert."""
        await self.loop.pool.fetch("TRUNCATE idempotency_keys")
        await self.loop.pool.fetch(FILL, self.keys)
        for statement in CLEAN:
            await self.loop.pool.fetch(statement)


async def compare(*, keys: int, rounds: int, commands: int) -> None:
    """Measure both sides in turns, and print each ratio beside what was written to the log."""
    with tempfile.TemporaryDirectory(prefix="gx-keys-") as folder:
        async with Server.running(Path(folder)) as server:
            filled = Side(await server.open_loop("filled"), keys)
            empty = Side(await server.open_loop("empty"), 0)
            for number in range(rounds):
                for side in (filled, empty) if number % 2 else (empty, filled):
                    await side.fill()
                    await side.measure(commands)
    print(f"inserts in groups of 500 with {keys:,} keys of the last day, against none:")
    for moment in (FIRST, AGAIN):
        _print(moment, filled, empty)


def _print(moment: str, filled: Side, empty: Side) -> None:
    pairs = zip(filled.rates_per_s[moment], empty.rates_per_s[moment], strict=True)
    logs = " against ".join(_log_text(side.logs[moment]) for side in (filled, empty))
    print(f"  {moment:<19} {_text(spread([more / less for more, less in pairs]))}  log: {logs}")


def _text(found: Spread) -> str:
    return f"{found.median:.2f} ({found.min:.2f} to {found.max:.2f})"


def _log_text(logs: list[Written]) -> str:
    all_bytes = spread([one.all_bytes for one in logs]).median
    image_bytes = spread([one.image_bytes for one in logs]).median
    return f"{all_bytes:,.0f} bytes a command, {image_bytes:,.0f} of them images of pages"


def main() -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--keys", type=whole_number(at_least=0), default=KEYS, help="how many there are already")
    add("--rounds", type=whole_number(at_least=1), default=5)
    add("--commands", type=whole_number(at_least=500), default=20_000, help="in each insert")
    options = parser.parse_args()
    with ending_cleanly(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(compare(keys=options.keys, rounds=options.rounds, commands=options.commands))


if __name__ == "__main__":
    main()

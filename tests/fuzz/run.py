"""`make fuzz-api`: attack a real stack for as long as wanted, and print what was found.

Run as `python -m tests.fuzz.run [--examples N] [--seed N]`.
"""

import argparse
import asyncio
import sys

from tests.end_to_end.loop import running_loop
from tests.fuzz.fuzzing import ATTACKERS, Assault, attack


async def main(assault: Assault) -> int:
    """Attack as each caller in turn; the exit code says whether anything was found."""
    found = 0
    async with running_loop("--no-monitoring", "--no-redis") as loop:
        for attacker in ATTACKERS:
            sys.stdout.write(f"\n######## {attacker.name}\n\n")
            report = await attack(loop, attacker, assault)
            sys.stdout.write(report.text)
            sys.stdout.flush()
            found += not report.is_clean
    sys.stdout.write(f"\n{len(ATTACKERS)} callers, {found} with findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Attack the API with schemathesis.")
    parser.add_argument("--examples", type=int, default=100, help="test cases an operation")
    parser.add_argument("--seed", type=int, help="repeat a run of this seed")
    options = parser.parse_args()
    sys.exit(asyncio.run(main(Assault(examples=options.examples, seed=options.seed))))

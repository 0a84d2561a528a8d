"""Programs that a measurement runs to their end, and that never outlive it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gx.database.tether import tethered


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program said until it ended."""

    status: int | None
    output: bytes
    errors: bytes


async def run_program(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Ended:
    """Run a program and wait for its end; it is killed if the wait is cancelled or we are killed.

    Without an `environment` it has ours.
    """
    process = await asyncio.create_subprocess_exec(
        *tethered(command),
        env=None if environment is None else dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode, output, errors)

"""However a measurement is ended, nothing of what it started goes on."""

import signal
import subprocess
import sys
from typing import Final

import pytest

from benchmarks.ending import ENDED_BY
from tests.families import running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("ended-measurement"),
]

STUBBORN: Final = """
import asyncio, os, signal, sys
from benchmarks.ending import ending_cleanly
async def main():
    number = signal.Signals[sys.argv[1]]
    try:
        os.kill(os.getpid(), number)
        await asyncio.sleep(60)
    finally:
        os.kill(os.getpid(), number)
        await asyncio.sleep(0.1)
        print("cleaned up")
# Under `nohup` it would be ignored from the start.
signal.signal(signal.Signals[sys.argv[1]], signal.SIG_DFL)
with ending_cleanly():
    asyncio.run(main())
"""
"""It is told to end, and told again while it cleans up."""

SYSTEM: Final = ("postgres", "run_ledger", "run_submitter", "run_projector", "run_api")


def test_a_soak_that_is_told_to_end_stops_what_it_started() -> None:
    """`timeout` and a supervisor are as good as Ctrl-C."""
    with running("-m", "benchmarks.soak", "--minutes", "1") as family:
        family.until_running(*SYSTEM)

        status = family.end(signal.SIGTERM)

        assert status == ENDED_BY + signal.SIGTERM, family.said()
        assert "Traceback" not in family.said()
        assert family.left() == []
        assert not list(family.folder.glob("gxs*"))


def test_a_soak_that_is_killed_takes_its_system_with_it() -> None:
    """Nobody is left to stop it: the kernel does."""
    with running("-m", "benchmarks.soak", "--minutes", "1") as family:
        family.until_running(*SYSTEM)

        family.end(signal.SIGKILL)

        assert family.left() == []


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_who_is_told_twice_cleans_up_once_and_whole(name: str) -> None:
    """`timeout` tells a process and then its group: the second must not cut the first short."""
    command = (sys.executable, "-c", STUBBORN, name)

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.stdout, ended.stderr) == ("cleaned up\n", "")
    assert ended.returncode == ENDED_BY + signal.Signals[name]


def test_in_the_background_of_a_script_it_can_be_told_to_end_too() -> None:
    """A shell has such programs ignore Ctrl-C; the others must be obeyed all the same."""
    script = "trap '' INT; exec \"$@\""
    command = ("sh", "-c", script, "sh", sys.executable, "-c", STUBBORN, "SIGTERM")

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.stdout, ended.stderr) == ("cleaned up\n", "")
    assert ended.returncode == ENDED_BY + signal.SIGTERM

"""However a chaos run is ended, no process, disk or folder of it is left."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from benchmarks.ending import ENDED_BY
from tests.chaos.guard import mounted_below
from tests.families import Family, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("ended-chaos")]

STACK: Final = "tests.chaos.stack"
POSTGRES: Final = "bin/postgres -D"
WORKERS: Final = ("ledger serve", "outbox submit", "projection run")


@contextmanager
def a_run(*marks: str) -> Iterator[Family]:
    """A chaos run with its disks, its database, and processes that have these marks."""
    with running("-m", "tests.chaos.run", "--faults", "1") as family:
        family.until_running(STACK, "tests.chaos.guard", POSTGRES, *marks)
        yield family


def test_a_run_that_is_told_to_end_stops_its_stack_and_unmounts_its_disks() -> None:
    """`timeout` and a supervisor are as good as Ctrl-C."""
    with a_run(*WORKERS) as family:
        status = family.end(signal.SIGTERM)

        assert status == ENDED_BY + signal.SIGTERM, family.said()
        assert family.left() == []
        assert mounted_below(family.folder) == []
        assert not list(family.folder.glob("gx-loop-*"))


def test_a_run_that_is_killed_leaves_nothing_even_of_processes_that_were_frozen() -> None:
    """A fault may hold the supervisor or the database just then: neither hears a gentle signal."""
    with a_run() as family:
        for mark in (STACK, POSTGRES):
            family.find(mark).send_signal(signal.SIGSTOP)

        family.end(signal.SIGKILL)

        assert family.left() == []
        assert mounted_below(family.folder) == []
        assert not list(family.folder.glob("gx-loop-*"))

"""The judge names what a bug does, and finds nothing where there is none.

A suite that cannot fail proves nothing. The five bugs that the loop's promise hangs on are
planted in every run, the others where `GX_CHAOS_PLANTED` is `all`: in `make planted-bugs`, which a
whole `make chaos` plays after its schedule.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.bugs.catalogue import BUGS
from tests.chaos.faults.catalogue import KINDS
from tests.chaos.lab import Lab
from tests.chaos.planted.catalogue import ELSEWHERE, NO_FAULT, PLANTED, RESTORE, Planted

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("planted-bugs")]

ALWAYS: Final = frozenset(
    {"no-fence", "no-idempotency-record", "checkpoint-apart", "stale-amount", "swallowing-trigger"}
)
IS_LONG: Final = os.environ.get("GX_CHAOS_PLANTED") == "all"  # noqa: TID251 (tests have no settings)
CHOSEN: Final = [each for each in PLANTED if IS_LONG or ALWAYS & set(each.bugs)]


@pytest.fixture
async def lab(reachable_folder: Path, database_dsn: str) -> AsyncIterator[Lab]:
    """An empty lab."""
    lab = Lab(reachable_folder, database_dsn)
    yield lab
    lab.close()


@pytest.mark.parametrize("planted", CHOSEN, ids=lambda each: each.name)
async def test_the_judge_names_what_a_bug_does(lab: Lab, planted: Planted) -> None:
    """What the bug breaks is found, by the name of the rule that is broken."""
    await planted.scene(lab, planted.bugs)

    faults = await lab.judge() if lab.verdict is None else lab.verdict

    assert any(fault.startswith(planted.names) for fault in faults), faults


@pytest.mark.parametrize("planted", CHOSEN, ids=lambda each: each.name)
async def test_the_same_scene_without_the_bug_harms_nobody(lab: Lab, planted: Planted) -> None:
    """It is the bug that the judge found, not the fault that brought it out."""
    await planted.scene(lab, ())

    faults = await lab.judge() if lab.verdict is None else lab.verdict

    assert faults == []


def test_each_kind_of_fault_is_proven_able_to_fail_the_judge() -> None:
    """No kind of fault is in the schedule for show: some bug comes out by it."""
    assert {each.kind for each in PLANTED} - {RESTORE, NO_FAULT} == set(KINDS)


def test_each_bug_is_brought_out() -> None:
    """A bug that no fault brings out proves nothing."""
    assert {bug for each in PLANTED for bug in each.bugs} - ELSEWHERE == set(BUGS)

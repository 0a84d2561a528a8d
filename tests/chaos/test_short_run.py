"""Twenty faults, one of each kind, on the embedded ledger: the short form of `make chaos`.

`GX_CHAOS_SEED` draws another twenty.
"""

import os
from typing import Final

import pytest

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.catalogue import KINDS
from tests.chaos.faults.kind import WORKERS
from tests.chaos.faults.story import write_story
from tests.chaos.rounds import FENCED, play_round
from tests.chaos.schedule import draw
from tests.chaos.stage import a_stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("chaos")]

SEED: Final = int(os.environ.get("GX_CHAOS_SEED", "1"))  # noqa: TID251 (tests have no settings)
FAULTS: Final = 20
RATE_PER_S: Final = 60.0


async def test_every_kind_of_fault_loses_nothing_and_doubles_nothing() -> None:
    """Whatever goes wrong, the loop recovers by itself, and the judge finds every sum right."""
    faults = draw(SEED, FAULTS, LedgerKind.LOCAL)
    async with a_stage(LedgerKind.LOCAL, SEED, rate_per_s=RATE_PER_S) as stage:
        told = await play_round(stage, faults)
        fenced = stage.logged(*FENCED)

    assert not told.findings, f"seed {SEED}, {write_story(faults)}: {told.findings}"
    happened = {played.fault.kind for played in told.played if played.impossible is None}
    assert happened >= set(KINDS) - {"clock-forward"}
    assert int(str(told.judged["committed"])) > FAULTS
    assert int(str(told.judged["rejected"])) > 0
    assert int(str(told.judged["compared"])) == int(str(told.judged["accepted"]))
    pauses = [each for each in faults if each.kind == "freeze-past-lease"]
    assert fenced > 0 or not {each.target for each in pauses} & set(WORKERS), "no lease was lost"

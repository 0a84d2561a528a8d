"""Executing batches and reading them leaves nothing behind, not even for CPython to keep."""

import gc
import sys

import pytest

from gx.domain.batches import Outcome
from tests.chaincode.dict_stub import DictLedger
from tests.chaincode.test_batch import an_item, outcomes_of, simulate

BATCHES = 1_500
BLOCKS_MAX = 600
"""Allocated blocks that may be left: a free list that each batch feeds has one for each of them."""


@pytest.mark.parametrize("commands", [11, 18])
def test_free_lists_do_not_grow_by_batches(commands: int) -> None:
    """A list of free tuples keeps 2,000 of each length up to 20, until a full collection."""
    ledger = DictLedger()
    items = [an_item(f"{number}") for number in range(commands)]

    def execute_and_read() -> tuple[Outcome, ...]:
        return outcomes_of(simulate(ledger, *items))

    assert len(execute_and_read()) == commands
    gc.collect()
    gc.disable()
    try:
        before = sys.getallocatedblocks()
        for _ in range(BATCHES):
            execute_and_read()
            gc.collect(0)  # circles of the test's own: young ones go, and free lists stay
        left = sys.getallocatedblocks() - before
    finally:
        gc.enable()

    assert left < BLOCKS_MAX

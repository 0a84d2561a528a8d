"""Blocks that will be applied together, already folded."""

import time
from collections import Counter
from collections.abc import Collection

from gx.ledger.ports import Block
from gx.projection.reading import EventFoldError, EventPosition, fold_block
from gx.projection.reconciliation import LedgerRecords
from gx.projection.reduction import Effects


class Chunk:
    """Grows block by block. `counts` are its events by type, `fold_s` is what folding took."""

    def __init__(self, parked: Collection[EventPosition] = frozenset()) -> None:
        self._parked = parked
        self.blocks: list[Block] = []
        self.effects = Effects()
        self.counts: Counter[str] = Counter()
        self.records = LedgerRecords()
        self.fold_s = 0.0

    def add(self, block: Block) -> None:
        """Fold one more block.

        Raises:
            EventFoldError: one of its events cannot be projected. The chunk holds what it held
                before, so that everything before the block can be applied.
        """
        started_s = time.perf_counter()
        try:
            fold_block(block, self.effects, self.counts, self._parked)
        except EventFoldError:
            self._fold_again()
            raise
        self.records.read(block)
        self.blocks.append(block)
        self.fold_s += time.perf_counter() - started_s

    def _fold_again(self) -> None:
        self.effects, self.counts = Effects(), Counter()
        for block in self.blocks:
            fold_block(block, self.effects, self.counts, self._parked)

"""Read models folded from a ledger's events: on the way, and once more from the first block."""

from collections import Counter
from collections.abc import Mapping, Sequence

from gx.domain.batches import BATCH_EVENT, Outcome, parse_outcomes
from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.ledger.ports import Block, ChaincodeEvent, LedgerTransaction, ValidationCode
from gx.projection.memory import Tables, apply_changes, digest_of, empty_tables
from gx.projection.reading import fold_block
from gx.projection.reduction import Effects


class Replay:
    """Folds each batch as it comes, one block a batch."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.tables: Tables = empty_tables()

    def read(self, events: Sequence[tuple[str, str]]) -> tuple[Outcome, ...]:
        """Fold the events that are new; return the outcomes of the newest."""
        newest: tuple[Outcome, ...] = ()
        for name, payload in events[len(self.blocks) :]:
            assert name == BATCH_EVENT
            block = _block(len(self.blocks), payload)
            self.blocks.append(block)
            fold([block], self.tables)
            newest = parse_outcomes(payload)
        return newest

    def outcomes(self) -> list[Outcome]:
        """Return every outcome so far, in order."""
        events = (entry.event for block in self.blocks for entry in block.transactions)
        return [item for event in events if event for item in parse_outcomes(event.payload)]

    def check(self) -> None:
        """Fold everything again, in one chunk: the read models are the same to the byte."""
        again = empty_tables()
        fold(self.blocks, again)
        assert digest_of(again) == digest_of(self.tables)

    def check_balances(self, held: Mapping[str, int]) -> None:
        """The read models hold what the events tell."""
        shown = Counter(
            {str(key[0]): row["balance"] for key, row in self.tables["accounts"].items()}
        )
        assert {name: shown[name] for name in held} == dict(held)


def fold(blocks: Sequence[Block], tables: Tables) -> None:
    """Fold these blocks as one chunk."""
    effects, counts = Effects(), Counter[str]()
    for block in blocks:
        fold_block(block, effects, counts)
    apply_changes(tables, effects.changes())


def _block(number: int, payload: str) -> Block:
    transaction = LedgerTransaction(
        transaction_id=TransactionId(f"{number:064x}"),
        validation_code=ValidationCode.VALID,
        timestamp_ms=EpochMs(0),
        event=ChaincodeEvent(name=BATCH_EVENT, payload=payload),
        writes=(),
    )
    return Block(
        number=BlockNumber(number),
        hash=f"{number:064x}",
        previous_hash=f"{number - 1:064x}" if number else "0" * 64,
        timestamp_ms=EpochMs(0),
        transactions=(transaction,),
    )

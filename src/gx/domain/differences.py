"""What a comparison of the ledger with something made from it finds: differences, with both sides.

The ledger is right by definition: a difference says what it tells, and what is stored instead.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class DifferenceKind(StrEnum):
    """What differs, in the order in which a whole comparison looks for it."""

    LEDGER = "ledger"
    """The ledger contradicts itself: a hash, a record, or the sum of all balances."""
    ROW_CHANGED = "row_changed"
    ROW_MISSING = "row_missing"
    ROW_EXTRA = "row_extra"
    SUPPLY = "supply"
    """The read models' balances do not add up to what was minted."""
    RESULT_WRONG = "result_wrong"
    """A command was settled otherwise than the ledger answered it."""
    RESULT_MISSING = "result_missing"
    """The ledger answered a command of ours, which is neither settled nor waiting for it."""
    RESULT_UNFOUNDED = "result_unfounded"
    """A command is settled by a transaction in which the ledger has no answer to it."""
    COMMAND_UNKNOWN = "command_unknown"
    """The ledger answered a command that the outbox never had, or lost."""
    COMMAND_LOST = "command_lost"
    """A command was accepted and is neither settled, waiting, nor given up."""
    ENVELOPE_ENDLESS = "envelope_endless"
    """A signed transaction has had no verdict for long, or holds nothing."""

    @property
    def is_of_read_models(self) -> bool:
        """Tell whether making the read models again mends it."""
        return self in {self.ROW_CHANGED, self.ROW_MISSING, self.ROW_EXTRA, self.SUPPLY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs.

    `place` is the table (or what of the ledger), `key` its row, `column` empty where the whole row
    is meant. `ledger` is what the ledger says, `stored` what is stored; `block_number` is where
    the ledger says it, None where no block does.
    """

    kind: DifferenceKind
    place: str
    key: str
    ledger: str
    stored: str
    column: str = ""
    block_number: int | None = None

    def sentence(self) -> str:
        """Tell it in one sentence with both sides."""
        if self.kind is DifferenceKind.LEDGER:
            if not self.column:
                return (
                    f"the ledger contradicts itself: {self.key} is {self.stored}, but {self.ledger}"
                )
            return (
                f"the ledger contradicts itself at {self.key}: its {self.column} is {self.stored}, "
                f"and should be {self.ledger}"
            )
        block = "" if self.block_number is None else f" (block {self.block_number})"
        if self.kind is DifferenceKind.SUPPLY:
            return f"{self.key} in {self.place} is {self.stored}, but {self.ledger}{block}"
        column = f".{self.column}" if self.column else ""
        return (
            f"{self.place}{column} of {self.key}: the ledger says {self.ledger}{block}, "
            f"{self.place} says {self.stored}"
        )


@dataclass(slots=True)
class Tally:
    """Differences counted; of each kind only the first is kept, so memory does not grow."""

    counts: Counter[DifferenceKind] = field(default_factory=Counter)
    firsts: dict[DifferenceKind, Difference] = field(default_factory=dict)

    def add(self, difference: Difference, count: int = 1) -> None:
        """Count a difference, standing for `count` of its kind."""
        self.counts[difference.kind] += count
        self.firsts.setdefault(difference.kind, difference)

    @property
    def total(self) -> int:
        """Return how many differences there are."""
        return self.counts.total()

    @property
    def first(self) -> Difference | None:
        """Return the first one in the order of the kinds, None if there is none."""
        found = (self.firsts[kind] for kind in DifferenceKind if kind in self.firsts)
        return next(found, None)

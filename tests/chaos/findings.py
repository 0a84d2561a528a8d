"""What the judge can find: each rule with its words, and what was counted beside."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SHOWN_MAX: Final = 5


class Rule(StrEnum):
    """What must hold after every run, in the words of its breach."""

    LOST = "accepted but not stored"
    UNASKED = "stored although nobody was told that it is accepted"
    KEY_TWICE = "one idempotency key stands for two commands"
    UNSETTLED = "stored but never settled"
    UNSTORED = "settled but never stored"
    TWO_ENDS = "both settled and given up"
    LEFT_OVER = "left over after everything was settled"
    GIVEN_UP = "given up, but no poison"
    POISON_PASSED = "poison, but not given up"
    DOUBLED = "took effect, or was refused, more than once"
    SENT_AGAIN = "in a second transaction although the first one stands"
    RAISED_AGAIN = "a repeated command raised events again"
    NO_BLOCK = "settled without a block"
    ALTERED = "stored otherwise than its client asked"
    WRONG_KEY = "an id that belongs to another key"
    EFFECT = "did something else than was asked"
    REFUSED = "refused although nothing stands against it"
    DISCARDED = "discarded without a letter and its audit"
    SUM = "the ends do not add up to what was asked"
    UNTOLD = "in a block but not settled"
    DIRECT = "an effect of no command"
    OTHERWISE = "settled otherwise than the ledger said"
    ORDER = "took effect in another order than accepted"
    LEDGER_STATE = "the ledger's own records differ from its events"
    BALANCES = "balances differ"
    NEGATIVE = "negative balance"
    SUPPLY = "supply differs"
    ENTRIES = "entries of an account differ from the blocks"
    REBUILT = "read models differ from a rebuild"
    STOPPED = "the projection has stopped, set aside or found different"
    CHECKPOINT = "the checkpoint is not the chain's end"
    CHAIN = "the chain does not verify"
    SILENT = "should have fired and did not"
    NOISY = "fired although nothing should have made it"


@dataclass(slots=True)
class Finding:
    """What was counted, and what is wrong."""

    accepted: int = 0
    committed: int = 0
    rejected: int = 0
    unordered: int = 0
    """Refused before anything was ordered, with a code that says so."""
    discarded: int = 0
    dead: int = 0
    lost: int = 0
    """Asked for, and neither carried out nor ended in a way that is known."""
    doubled: int = 0
    """Effects too many."""
    compared: int = 0
    """Requests, as clients noted them, that were held against what is stored."""
    blocks: int = 0
    invalid_transactions: int = 0
    supply: int = 0
    rows: int = 0
    """Of all read models, each compared with its rebuild."""
    alerts: int = 0
    """That should have fired, and did."""
    faults: list[str] = field(default_factory=list)

    def require_none(self, rule: Rule, wrong: Iterable[str]) -> None:
        """Note a breach of the rule, with the first examples."""
        found = list(wrong)
        if found:
            self.faults.append(f"{rule}: {len(found)}, such as {found[:SHOWN_MAX]}")


def named(faults: Sequence[str]) -> set[Rule]:
    """Return the rules that these faults break."""
    return {rule for rule in Rule for fault in faults if fault.startswith(f"{rule}: ")}

"""Which faults, in which order, with which numbers: a pure function of seed, count and ledger."""

import random
from collections.abc import Sequence
from typing import Final

from gx.ledger.kinds import LedgerKind
from tests.chaos.faults.catalogue import KINDS
from tests.chaos.faults.kind import Declaration
from tests.chaos.faults.story import Fault, StoryError

PAUSE_S: Final = (0.05, 0.8)
HASTY_SHARE: Final = 0.25
"""So often the next fault does not wait until the loop has recovered from this one."""


def draw(seed: int, count: int, ledger: LedgerKind) -> tuple[Fault, ...]:
    """Return the first `count` faults of this seed.

    Each kind comes up once before any comes up twice. After that every kind and target comes up,
    as often as its weight says, before the cards are shuffled again.
    """
    chance = random.Random(f"{seed}/{ledger}/cards")  # noqa: S311 (a schedule, not a secret)
    numbers = random.Random(f"{seed}/{ledger}/numbers")  # noqa: S311 (so a longer run begins alike)
    declared = [kind.declaration for kind in KINDS.values() if ledger in kind.declaration.targets]
    first = [(each, chance.choice(each.targets[ledger])) for each in declared]
    everything = [
        (each, target)
        for each in declared
        for target in each.targets[ledger]
        for _ in range(each.weight)
    ]
    chance.shuffle(first)
    cards = first
    while len(cards) < count:
        deck = list(everything)
        chance.shuffle(deck)
        cards += deck
    return tuple(_fault(declaration, target, numbers) for declaration, target in cards[:count])


def require_possible(faults: Sequence[Fault], ledger: LedgerKind) -> None:
    """Refuse a story that nobody can play on this ledger.

    Raises:
        StoryError: no such kind, or it happens to others; the text lists what there is.
    """
    for fault in faults:
        kind = KINDS.get(fault.kind)
        if kind is None:
            raise StoryError(f"{fault}: there is no such kind; there are {', '.join(KINDS)}")
        targets = kind.declaration.targets.get(ledger, ())
        if fault.target not in targets:
            there = ", ".join(targets) or f"nobody on {ledger}"
            raise StoryError(f"{fault}: it happens to {there}")


def _fault(declaration: Declaration, target: str, chance: random.Random) -> Fault:
    return Fault(
        kind=declaration.name,
        target=target,
        pause_s=round(chance.uniform(*PAUSE_S), 2),
        duration_s=round(chance.uniform(*declaration.duration_s), 2),
        amount=chance.choice(declaration.amounts) if declaration.amounts else 0.0,
        is_hasty=chance.random() < HASTY_SHARE,
    )

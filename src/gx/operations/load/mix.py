"""Which kinds of command a load consists of, in which proportion and order."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import gcd
from typing import Final

from gx.domain.errors import GxError
from gx.domain.refusals import RefusalCode

DEFAULT_MIX: Final = "transfer=80,mint=10,create_user=5,genesis=5"
WEIGHTS_MAX: Final = 10_000


class MixError(GxError):
    """A mix is not `kind=weight,…` with known kinds and whole weights."""


class Kind(StrEnum):
    """What one request of the load asks for."""

    TRANSFER = "transfer"
    MINT = "mint"
    CREATE_USER = "create_user"
    GENESIS = "genesis"
    OVERDRAW = "overdraw"
    """A transfer of more than there is: the ledger must refuse it."""

    @property
    def expected_refusal(self) -> RefusalCode | None:
        """Return the code with which every such command must be refused; None: it must work."""
        return RefusalCode.INSUFFICIENT_FUNDS if self is Kind.OVERDRAW else None


@dataclass(frozen=True, slots=True)
class Mix:
    """An endless, even sequence of kinds; `cycle` is one turn of it."""

    cycle: tuple[Kind, ...]

    def kind_at(self, index: int) -> Kind:
        """Return the kind of request number `index`, counted from 0."""
        return self.cycle[index % len(self.cycle)]

    def count_of(self, kind: Kind, total: int) -> int:
        """Count the requests of one kind among the first `total`."""
        turns, rest = divmod(total, len(self.cycle))
        return turns * self.cycle.count(kind) + self.cycle[:rest].count(kind)


def parse_mix(text: str) -> Mix:
    """Read `transfer=80,mint=20`: kinds with whole weights that sum to at most 10,000.

    Raises:
        MixError: naming the faulty part and what is possible.
    """
    weights: dict[Kind, int] = {}
    for part in text.split(","):
        name, _, weight = part.strip().partition("=")
        if name not in set(Kind):
            raise MixError(f"the mix names {name[:40]!r}; there are {', '.join(Kind)}")
        if not weight.isascii() or not weight.isdigit():
            raise MixError(f"the mix needs whole weights, such as {name}=10, got {part.strip()!r}")
        if Kind(name) in weights:
            raise MixError(f"the mix names {name} twice")
        weights[Kind(name)] = int(weight)
    if not 1 <= sum(weights.values()) <= WEIGHTS_MAX:
        raise MixError(f"the weights of the mix must sum to 1 to {WEIGHTS_MAX}")
    return Mix(_spread({kind: weight for kind, weight in weights.items() if weight}))


def _spread(weights: Mapping[Kind, int]) -> tuple[Kind, ...]:
    """Interleave the kinds evenly: smooth weighted round robin, as nginx spreads its upstreams."""
    divisor = gcd(*weights.values())
    shares = {kind: weight // divisor for kind, weight in weights.items()}
    total = sum(shares.values())
    credit = dict.fromkeys(shares, 0)
    cycle: list[Kind] = []
    for _ in range(total):
        for kind, share in shares.items():
            credit[kind] += share
        chosen = max(credit, key=lambda kind: credit[kind])
        credit[chosen] -= total
        cycle.append(chosen)
    return tuple(cycle)

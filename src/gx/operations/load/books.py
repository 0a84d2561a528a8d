"""Checks the money after a run: nothing lost, nothing made, nothing moved twice.

The sum of all balances cannot see a transfer that took effect twice; the balance of each wallet
that took part can.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gx.operations.load.following import EXAMPLES_MAX
from gx.operations.load.population import FEE_PARAMETERS, Population


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyCheck:
    """The money in the read models: what was ever minted, and what all accounts hold together."""

    minted: int
    balances: int

    @property
    def is_conserved(self) -> bool:
        """Tell whether no coin was lost or made on the way to the accounts."""
        return self.minted == self.balances


class Books(Protocol):
    """Reads money and parameters, in base units."""

    async def supply(self) -> SupplyCheck:
        """Read both sums as of one block."""
        ...

    async def parameter(self, name: str) -> int:
        """Read a system parameter."""
        ...

    async def balance(self, account_id: str) -> int:
        """Read an account's balance."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksCheck:
    """The result; `differences` shows the first of the `wrong` wallets."""

    supply: SupplyCheck
    checked: int = 0
    wrong: int = 0
    differences: tuple[str, ...] = ()


async def check_books(books: Books, population: Population, *, is_complete: bool) -> BooksCheck:
    """Compare the sums, and each wallet's balance with what it must be.

    The wallets' balances can be told only when every call was accepted (`is_complete`).
    """
    supply = await books.supply()
    if not is_complete:
        return BooksCheck(supply=supply)
    parameters = {name: await books.parameter(name) for name in FEE_PARAMETERS}
    expected = population.expected_balances(parameters)
    found = await _balances(books, list(expected))
    differences = [
        f"{wallet} holds {found[wallet]} base units, it must hold {amount}"
        for wallet, amount in expected.items()
        if found[wallet] != amount
    ]
    return BooksCheck(
        supply=supply,
        checked=len(expected),
        wrong=len(differences),
        differences=tuple(differences[:EXAMPLES_MAX]),
    )


async def _balances(books: Books, wallets: Sequence[str]) -> Mapping[str, int]:
    amounts = await asyncio.gather(*(books.balance(wallet) for wallet in wallets))
    return dict(zip(wallets, amounts, strict=True))

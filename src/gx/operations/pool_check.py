"""Did bootstrap mint each pool once, with exactly its allocation?"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from gx.client.client import GxClient
from gx.client.views import AccountEntry
from gx.domain.codec import JsonValue
from gx.domain.economics import POOL_ALLOCATIONS
from gx.domain.errors import GxError
from gx.domain.events import CoinsMinted
from gx.domain.identifiers import AccountId, BlockNumber
from gx.operations.events import EventSource

_PAGE: Final = 200
_PAGES_MAX: Final = 25
_MINT: Final = "mint"


class PoolsWrongError(GxError):
    """A pool is missing, or was not minted exactly once with exactly its allocation."""


async def check_pools(client: GxClient, events: EventSource | None, *, is_new: bool) -> str:
    """Check the four pools and say what was seen.

    A pool of a new system holds exactly its allocation. Later it has paid and been paid, so its
    first entry is looked at instead. Where the ledger can be read, bootstrap's block must hold
    one CoinsMinted for each pool.

    Raises:
        PoolsWrongError: naming the pool and what it should be.
    """
    firsts = {pool: await _first_entry(client, pool) for pool in POOL_ALLOCATIONS}
    for pool, entry in firsts.items():
        if entry is not None:
            _require_initial_mint(pool, entry)
    if is_new:
        await _require_untouched(client)
    seen = [f"{sum(entry is not None for entry in firsts.values())} initial mints are exact"]
    block = next((entry.block_number for entry in firsts.values() if entry is not None), None)
    if events is not None and block is not None:
        await _require_events(events, block)
        seen.append(f"block {block} holds {len(POOL_ALLOCATIONS)} CoinsMinted")
    return ", ".join(seen)


async def _first_entry(client: GxClient, pool: AccountId) -> AccountEntry | None:
    """Return the pool's oldest entry; None if the pool has more entries than are worth reading."""
    page = await client.account_entries(account_id=pool, limit=_PAGE)
    for _ in range(_PAGES_MAX):
        if page.next_cursor is None:
            return page.items[-1] if page.items else None
        page = await client.account_entries(account_id=pool, limit=_PAGE, cursor=page.next_cursor)
    return None


def _require_initial_mint(pool: AccountId, entry: AccountEntry) -> None:
    allocation = POOL_ALLOCATIONS[pool]
    if entry.kind != _MINT or int(entry.delta) != int(allocation):
        raise PoolsWrongError(
            f"{pool} began with {entry.kind} of {entry.delta} base units, "
            f"not with a mint of {allocation}"
        )


async def _require_untouched(client: GxClient) -> None:
    held = {pool.account_id: pool.balance for pool in (await client.pools()).pools}
    for pool, allocation in POOL_ALLOCATIONS.items():
        if held.get(pool) != allocation:
            raise PoolsWrongError(
                f"{pool} holds {held.get(pool)} base units after bootstrap, not {allocation}"
            )


async def _require_events(events: EventSource, block: BlockNumber) -> None:
    minted: Counter[tuple[JsonValue, JsonValue]] = Counter(
        (str(event.get("accountId")), str(event.get("amount")))
        for event in await events.events_of(block)
        if event.get("eventType") == CoinsMinted.WIRE_NAME
        and event.get("accountId") in POOL_ALLOCATIONS
    )
    expected: Mapping[tuple[JsonValue, JsonValue], int] = {
        (pool, str(amount)): 1 for pool, amount in POOL_ALLOCATIONS.items()
    }
    if minted != expected:
        raise PoolsWrongError(
            f"block {block} holds CoinsMinted {sorted(map(str, minted.elements()))}, "
            f"not one for each of {', '.join(POOL_ALLOCATIONS)}"
        )

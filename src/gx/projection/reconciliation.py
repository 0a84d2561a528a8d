"""Does the read side agree with the ledger? Compared where blocks wrote, and once in a while whole.

    kind        what is compared                                           when
    accounts    each account's balance with the ledger's own record        after each chunk
    minted      what CoinsMinted events add up to with the supply record   after each chunk
    balances    the sum over all accounts with what was minted             every half minute

The records come from the blocks' write sets, the other side of the comparison from their events:
a contract that says one thing and does another shows, and so does a fold. The operations fund is
left out of `accounts`: part of its balance stands under other keys. A difference stays until a
later write agrees, over restarts too.

What no block writes is not looked at here: a balance that somebody changed by hand shows in the
sum, unless another one makes up for it, and by itself with the account's next write. `gx reconcile`
compares every row.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
import structlog

from gx.database.ports import Lease
from gx.domain.clock import Clock
from gx.domain.identifiers import OPERATIONS_FUND
from gx.domain.world_state import ACCOUNT_PREFIX, SUPPLY_KEY
from gx.ledger.ports import Block
from gx.projection.ports import Held, ReadModelStore
from gx.telemetry.cells import Gauge
from gx.telemetry.vectors import GaugeVector

_log: Final = structlog.get_logger(__name__)

ACCOUNTS_KIND: Final = "accounts"
MINTED_KIND: Final = "minted"
BALANCES_KIND: Final = "balances"

_FUND_KEY: Final = ACCOUNT_PREFIX + OPERATIONS_FUND
_PREFIX_LENGTH: Final = len(ACCOUNT_PREFIX)


class _Balance(msgspec.Struct):
    balance: str


class _Minted(msgspec.Struct):
    minted: str


_BALANCE: Final = msgspec.json.Decoder(_Balance)
_MINTED: Final = msgspec.json.Decoder(_Minted)
_EMPTY: Final = '{"balance":"0"}'
_NOTHING_MINTED: Final = '{"minted":"0"}'
"""What a deleted record stands for."""


class LedgerRecords:
    """What the write sets of some blocks left in the records that are compared."""

    def __init__(self) -> None:
        self.block_number = -1
        self.balances: dict[str, int] = {}
        self.minted: int | None = None

    def read(self, block: Block) -> None:
        """Take the block's writes, which replace earlier ones of the same keys."""
        self.block_number = block.number
        for entry in block.transactions:
            for write in entry.writes:
                key = write.key
                try:
                    if key == SUPPLY_KEY:
                        self.minted = int(_MINTED.decode(write.value or _NOTHING_MINTED).minted)
                    elif key.startswith(ACCOUNT_PREFIX) and key != _FUND_KEY:
                        held = _BALANCE.decode(write.value or _EMPTY).balance
                        self.balances[key[_PREFIX_LENGTH:]] = int(held)
                except ValueError as error:
                    # Comparing is no reason to stop projecting; that it fails is worth a line.
                    _log.warning("ledger_record_unreadable", key=key, error=error)

    def merge(self, newer: "LedgerRecords") -> None:
        """Take newer records too."""
        self.block_number = newer.block_number
        self.balances.update(newer.balances)
        self.minted = self.minted if newer.minted is None else newer.minted


class Comparison:
    """Compares records with a store, and knows by how much which of them differ.

    `differences` are by the record's key: how far the ledger exceeds the read models.
    """

    def __init__(self, store: ReadModelStore, differences: Mapping[str, int]) -> None:
        self._store = store
        self.differences = dict(differences)

    async def update(self, records: LedgerRecords) -> Mapping[str, int]:
        """Compare; return the differences that changed, 0 where there is none any more.

        Nothing is compared, and nothing changes, unless the store stands at the records' block: a
        rebuild may have put other tables in its place.
        """
        if not records.balances and records.minted is None:
            return {}
        held = await self._store.held(list(records.balances))
        if held.block_number != records.block_number:
            return {}
        changed = {
            key: difference
            for key, difference in self._differ(records, held)
            if difference != self.differences.get(key, 0)
        }
        merged = {**self.differences, **changed}
        self.differences = {key: difference for key, difference in merged.items() if difference}
        return changed

    def _differ(self, records: LedgerRecords, held: Held) -> Iterator[tuple[str, int]]:
        if records.minted is not None:
            yield SUPPLY_KEY, records.minted - held.minted
        if held.balances == records.balances and not self.differences:
            return
        for account_id, balance in records.balances.items():
            yield ACCOUNT_PREFIX + account_id, balance - held.balances.get(account_id, 0)


class Reconciler:
    """Compares, remembers what differs, and exports it as absolute sums.

    Its age is the time since the sums were last compared, or since this process began to.
    """

    def __init__(
        self,
        store: ReadModelStore,
        difference: GaugeVector,
        *,
        clock: Clock,
        age_s: Gauge,
        duration_s: Gauge,
    ) -> None:
        self._store = store
        self._clock = clock
        self._duration_s = duration_s
        self._completed_ms: int | None = None
        age_s.read_with(self._age_s)
        self._gauges = {
            kind: difference(kind) for kind in (ACCOUNTS_KIND, MINTED_KIND, BALANCES_KIND)
        }
        self._comparison = Comparison(store, {})
        self._uncompared = LedgerRecords()
        self._epoch = 0
        self._turn = asyncio.Lock()

    async def load(self, lease: Lease) -> None:
        """Remember what was found before; what another holder wrote is not in our records."""
        if self._completed_ms is None:
            self._completed_ms = self._clock.now_ms()
        async with self._turn:
            if lease.epoch != self._epoch:
                self._uncompared, self._epoch = LedgerRecords(), lease.epoch
            self._comparison = Comparison(self._store, await self._store.differences())
            self._export()

    async def compare(self, lease: Lease, records: LedgerRecords) -> None:
        """Compare records with the read models, which must stand at the same block.

        Records that could not be compared, because the database was away, come along next time.
        """
        async with self._turn:
            self._uncompared.merge(records)
            changed = await self._comparison.update(self._uncompared)
            if changed:
                await self._store.note_differences(lease, changed)
                for key, difference in changed.items():
                    _log.error("reconciliation_difference_changed", key=key, difference=difference)
                self._export()
            self._uncompared = LedgerRecords()

    async def compare_totals(self) -> None:
        """Compare the sum over all accounts with what was minted, in one snapshot."""
        began_ms = self._clock.now_ms()
        totals = await self._store.totals()
        difference = totals.minted - totals.balances
        self._gauges[BALANCES_KIND].set(abs(difference))
        if difference:
            _log.error(
                "supply_differs_from_balances",
                block_number=totals.block_number,
                minted=totals.minted,
                balances=totals.balances,
            )
        self._completed_ms = self._clock.now_ms()
        self._duration_s.set((self._completed_ms - began_ms) / 1_000)

    def forget(self) -> None:
        """Export nothing: another process compares now."""
        for gauge in self._gauges.values():
            gauge.clear()
        self._completed_ms = None
        self._duration_s.clear()

    def _age_s(self) -> float | None:
        if self._completed_ms is None:
            return None
        return max(0, self._clock.now_ms() - self._completed_ms) / 1_000

    def _export(self) -> None:
        differences = self._comparison.differences
        minted = abs(differences.get(SUPPLY_KEY, 0))
        self._gauges[MINTED_KIND].set(minted)
        self._gauges[ACCOUNTS_KIND].set(sum(map(abs, differences.values())) - minted)

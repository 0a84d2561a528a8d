"""Read models in memory: the plainest store that keeps the port's promises, for tests."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from typing_extensions import override

from gx.database.leases import MemoryLeases
from gx.database.ports import Lease, LeaseLostError
from gx.domain.errors import GxError
from gx.domain.identifiers import BlockNumber
from gx.projection.changes import Add, Append, Change, Key, Put, Value
from gx.projection.digests import Digest
from gx.projection.ports import (
    START,
    Checkpoint,
    Held,
    ParkedEvent,
    ReadModelStore,
    Stop,
    Totals,
)
from gx.projection.read_models import ACCOUNTS, READ_MODELS, SINGLETON_KEY, SUPPLY
from gx.projection.reduction import Effects

MemoryRow: TypeAlias = dict[str, Value]
Tables: TypeAlias = dict[str, dict[Key, MemoryRow]]


class DuplicateRowError(GxError):
    """An append-only model already has a row with this key."""


def empty_tables() -> Tables:
    """Return every read model without rows."""
    return {name: {} for name in READ_MODELS}


def apply_changes(tables: Tables, changes: Iterable[Change]) -> None:
    """Apply changes one by one: what their meaning is defined by.

    Raises:
        DuplicateRowError: an Append repeats a key.
    """
    for change in changes:
        table = tables[change.model]
        match change:
            case Put():
                _row(table, change).update(change.values)
            case Add():
                row = _row(table, change)
                for name, delta in change.deltas.items():
                    row[name] = int(row[name] or 0) + delta
            case Append():
                if change.key in table:
                    raise DuplicateRowError(f"{change.model} has a row {change.key} already")
                table[change.key] = dict(change.values)


def _row(table: dict[Key, MemoryRow], change: Put | Add) -> MemoryRow:
    return table.setdefault(change.key, dict(READ_MODELS[change.model].defaults))


def digest_of(tables: Tables) -> str:
    """Hash all rows as `ReadModelStore.digest` says."""
    digest = Digest()
    for name, model in READ_MODELS.items():
        rows = sorted(tables[name].items(), key=lambda item: tuple(map(_sortable, item[0])))
        names = [column.name for column in model.columns]
        digest.add(name, ((*key, *(row[column] for column in names)) for key, row in rows))
    return digest.text()


def _sortable(value: Value) -> str | int:
    return 0 if value is None else value


class MemoryReadModelStore(ReadModelStore):
    """One projection in one process, fenced by the leases of the same process."""

    def __init__(self, leases: MemoryLeases) -> None:
        self.tables = empty_tables()
        self.audit: list[tuple[str, str]] = []
        self._differences: dict[str, int] = {}
        self._parked: list[ParkedEvent] = []
        self._stop: Stop | None = None
        self._checkpoint = START
        self._leases = leases

    @override
    async def checkpoint(self) -> Checkpoint:
        return self._checkpoint

    @override
    async def apply(
        self, *, lease: Lease, expected: Checkpoint, reached: Checkpoint, effects: Effects
    ) -> None:
        self._leases.require(lease)
        if self._checkpoint != expected:
            raise LeaseLostError(f"the checkpoint is {self._checkpoint}, not {expected}")
        tables = {
            name: {key: dict(row) for key, row in table.items()}
            for name, table in self.tables.items()
        }
        apply_changes(tables, effects.changes())
        self.tables, self._checkpoint = tables, reached

    @override
    async def held(self, account_ids: Sequence[str]) -> Held:
        accounts = self.tables[ACCOUNTS.name]
        totals = await self.totals()
        balances = {
            name: int(accounts[(name,)]["balance"] or 0)
            for name in account_ids
            if (name,) in accounts
        }
        return Held(block_number=totals.block_number, balances=balances, minted=totals.minted)

    @override
    async def totals(self) -> Totals:
        supply = self.tables[SUPPLY.name].get(SINGLETON_KEY, SUPPLY.defaults)
        accounts = self.tables[ACCOUNTS.name].values()
        return Totals(
            block_number=self._checkpoint.block_number,
            minted=int(supply["minted"] or 0),
            balances=sum(int(row["balance"] or 0) for row in accounts),
        )

    @override
    async def differences(self) -> Mapping[str, int]:
        return dict(self._differences)

    @override
    async def note_differences(self, lease: Lease, changed: Mapping[str, int]) -> None:
        self._leases.require(lease)
        merged = {**self._differences, **changed}
        self._differences = {key: value for key, value in merged.items() if value}

    @override
    async def stopped_at(self, lease: Lease, stop: Stop | None) -> None:
        self._leases.require(lease)
        self._stop = stop

    @override
    async def stop(self) -> Stop | None:
        return self._stop

    @override
    async def park(
        self, block_number: BlockNumber, position: int, *, actor: str, reason: str
    ) -> bool:
        stop = self._stop
        if stop is None or (stop.block_number, stop.position) != (block_number, position):
            return False
        if stop.is_newer:
            return False
        self._parked.append(
            ParkedEvent(
                block_number=block_number,
                position=position,
                event=stop.event,
                reason=reason,
                actor=actor,
            )
        )
        self.audit.append((actor, reason))
        self._stop = None
        return True

    @override
    async def parked(self) -> Sequence[ParkedEvent]:
        return tuple(self._parked)

    @override
    async def digest(self) -> str:
        return digest_of(self.tables)

"""What every `ReadModelStore` promises. An adapter's tests subclass it and say how to open one."""

import abc
import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import pytest

from gx.database.ports import Lease, LeaseLostError, Leases
from gx.domain.identifiers import BlockNumber, EpochMs
from gx.projection.changes import Add, Append, Change, Put
from gx.projection.memory import apply_changes, digest_of, empty_tables
from gx.projection.ports import START, Checkpoint, ReadModelStore, Stop
from gx.projection.read_model import ColumnType
from gx.projection.read_models import READ_MODELS
from gx.projection.reduction import Effects

TTL_S = 60.0
LEASE_NAME = "projector:test"


def a_checkpoint(number: int) -> Checkpoint:
    """Return the checkpoint after block `number`."""
    return Checkpoint(
        block_number=BlockNumber(number),
        block_timestamp_ms=EpochMs(1_700_000_000_000 + number),
        genesis_hash="g" * 64,
    )


def effects_of(*changes: Change) -> Effects:
    """Reduce changes."""
    effects = Effects()
    effects.extend(changes)
    return effects


def an_entry(block_number: int, *, account_id: str = "alice", remark: str = "Lunch") -> Append:
    """Return one line of an account's history."""
    return Append(
        model="account_entries",
        key=(account_id, block_number, 0, 0),
        values={
            "kind": "transfer",
            "delta": -5,
            "counterparty": None,
            "remark": remark,
            "recorded_at": 1_700_000_000,
            "transaction_id": "t1",
            "command_id": None,
        },
    )


def a_credit(delta: int, *, account_id: str = "alice") -> Add:
    """Return a change of one balance."""
    return Add(model="accounts", key=(account_id,), deltas={"balance": delta})


def one_row_each() -> Iterable[Change]:
    """Yield a first row of every read model."""
    for model in READ_MODELS.values():
        key = tuple(_value(column.type) for column in model.key)
        values = {column.name: _value(column.type) for column in model.columns}
        if model.is_append_only:
            yield Append(model=model.name, key=key, values=values)
        else:
            yield Put(model=model.name, key=key, values=values)


def _value(kind: ColumnType) -> str | int | bool:
    if kind is ColumnType.TEXT:
        return "Zoë \U0001f600"
    return True if kind is ColumnType.BOOLEAN else 7


A_STOP = Stop(
    block_number=BlockNumber(3),
    position=2,
    event_type="other",
    event={"eventType": "FromTheFuture", "odd": "\0\ud800"},
    error="unknown \0 \ud800",
)


class ReadModelStoreConformance(abc.ABC):
    """Subclass it and say how to open a store that knows nothing, and its leases."""

    @abc.abstractmethod
    def open_store(self) -> AsyncIterator[tuple[ReadModelStore, Leases]]:
        """Yield them once and clean up."""

    @pytest.fixture
    async def opened(self) -> AsyncIterator[tuple[ReadModelStore, Leases]]:
        """A new store with its leases."""
        async for opened in self.open_store():
            yield opened

    @pytest.fixture
    def store(self, opened: tuple[ReadModelStore, Leases]) -> ReadModelStore:
        """A new store."""
        return opened[0]

    @pytest.fixture
    async def lease(self, opened: tuple[ReadModelStore, Leases]) -> Lease:
        """The right to write to it."""
        lease = await opened[1].acquire(LEASE_NAME, "first", ttl_s=TTL_S)
        assert lease is not None
        return lease

    async def test_a_new_store_stands_before_the_first_block(self, store: ReadModelStore) -> None:
        """Nothing is projected, parked, stopped at or added up yet."""
        assert await store.checkpoint() == START
        assert await store.parked() == ()
        assert await store.stop() is None
        assert (await store.totals()).balances == 0
        assert await store.digest() == digest_of(empty_tables())

    async def test_effects_and_checkpoint_are_there_together(
        self, store: ReadModelStore, lease: Lease
    ) -> None:
        """After `apply` both can be read."""
        effects = effects_of(a_credit(5), an_entry(0), *one_row_each())

        await store.apply(lease=lease, expected=START, reached=a_checkpoint(0), effects=effects)

        assert await store.checkpoint() == a_checkpoint(0)
        tables = empty_tables()
        apply_changes(tables, [a_credit(5), an_entry(0), *one_row_each()])
        assert await store.digest() == digest_of(tables)

    async def test_checkpoint_outside_the_effects_transaction(
        self, store: ReadModelStore, lease: Lease
    ) -> None:
        """What fails between effect and commit leaves neither effect nor checkpoint: no gap."""
        await store.apply(
            lease=lease, expected=START, reached=a_checkpoint(0), effects=effects_of(an_entry(0))
        )
        before = await store.digest()
        twice_the_same_row = effects_of(a_credit(5), an_entry(1), an_entry(0))

        with pytest.raises(Exception, match="account_entries"):
            await store.apply(
                lease=lease,
                expected=a_checkpoint(0),
                reached=a_checkpoint(1),
                effects=twice_the_same_row,
            )

        assert await store.checkpoint() == a_checkpoint(0)
        assert await store.digest() == before

    async def test_events_replayed_into_non_idempotent_handlers(
        self, store: ReadModelStore, lease: Lease
    ) -> None:
        """A chunk that was applied before is refused by its checkpoint: nothing is added twice."""
        effects = effects_of(a_credit(5))
        await store.apply(lease=lease, expected=START, reached=a_checkpoint(0), effects=effects)

        with pytest.raises(LeaseLostError):
            await store.apply(lease=lease, expected=START, reached=a_checkpoint(0), effects=effects)

        assert (await store.held(["alice"])).balances == {"alice": 5}

    async def test_a_checkpoint_of_another_chain_is_not_moved(
        self, store: ReadModelStore, lease: Lease
    ) -> None:
        """The compare-and-set compares the chain's identity too."""
        await store.apply(
            lease=lease, expected=START, reached=a_checkpoint(0), effects=effects_of()
        )
        other = Checkpoint(
            block_number=BlockNumber(0), block_timestamp_ms=EpochMs(0), genesis_hash="other"
        )

        with pytest.raises(LeaseLostError):
            await store.apply(
                lease=lease, expected=other, reached=a_checkpoint(1), effects=effects_of()
            )

    async def test_two_writers_of_one_balance(
        self, opened: tuple[ReadModelStore, Leases], store: ReadModelStore, lease: Lease
    ) -> None:
        """A holder that was replaced changes nothing, even where the checkpoint would fit."""
        leases = opened[1]
        await leases.release(lease)
        successor = await leases.acquire(LEASE_NAME, "second", ttl_s=TTL_S)
        assert successor is not None

        with pytest.raises(LeaseLostError):
            await store.apply(
                lease=lease,
                expected=START,
                reached=a_checkpoint(0),
                effects=effects_of(a_credit(5)),
            )
        with pytest.raises(LeaseLostError):
            await store.stopped_at(lease, A_STOP)
        await store.apply(
            lease=successor,
            expected=START,
            reached=a_checkpoint(0),
            effects=effects_of(a_credit(7)),
        )

        assert (await store.held(["alice", "bob"])).balances == {"alice": 7}
        assert await store.stop() is None

    async def test_of_two_chunks_from_one_checkpoint_one_takes_effect(
        self, store: ReadModelStore, lease: Lease
    ) -> None:
        """Even the same holder cannot apply twice from one checkpoint, at the same moment too."""
        chunks = (
            store.apply(
                lease=lease,
                expected=START,
                reached=a_checkpoint(0),
                effects=effects_of(a_credit(5), an_entry(0, account_id=name)),
            )
            for name in ("alice", "bob")
        )

        answers = await asyncio.gather(*chunks, return_exceptions=True)

        assert sorted(type(answer).__name__ for answer in answers) == ["LeaseLostError", "NoneType"]
        assert (await store.held(["alice"])).balances == {"alice": 5}

    async def test_rows_start_with_defaults_and_keep_what_is_not_touched(
        self, store: ReadModelStore, lease: Lease
    ) -> None:
        """Put and Add both create a row; each changes its own columns only."""
        steps: list[list[Change]] = [
            [a_credit(5), Put(model="accounts", key=("bob",), values={"is_frozen": True})],
            [Put(model="accounts", key=("alice",), values={"country": "US"}), a_credit(-2)],
            [a_credit(3, account_id="bob"), Put(model="admins", key=("eve",), values={})],
            [Put(model="accounts", key=("alice",), values={"country": None, "balance": 40})],
        ]
        tables = empty_tables()

        for number, changes in enumerate(steps):
            expected = a_checkpoint(number - 1) if number else START
            await store.apply(
                lease=lease,
                expected=expected,
                reached=a_checkpoint(number),
                effects=effects_of(*changes),
            )
            apply_changes(tables, changes)

        assert await store.digest() == digest_of(tables)
        assert (await store.held(["alice", "bob"])).balances == {"alice": 40, "bob": 3}

    async def test_totals_are_of_one_snapshot_and_exact(
        self, store: ReadModelStore, lease: Lease
    ) -> None:
        """The sums are exact up to the largest balance there can be."""
        largest = 92 * 10**17
        minted = Add(model="supply", key=(True,), deltas={"minted": largest})
        effects = effects_of(minted, a_credit(largest), a_credit(3, account_id="bob"))

        await store.apply(lease=lease, expected=START, reached=a_checkpoint(4), effects=effects)

        totals = await store.totals()
        assert (totals.block_number, totals.minted, totals.balances) == (4, largest, largest + 3)
        held = await store.held(["bob", "nobody"])
        assert (held.block_number, held.minted, held.balances) == (4, largest, {"bob": 3})

    async def test_a_failed_event_skipped_for_good(
        self, store: ReadModelStore, lease: Lease
    ) -> None:
        """Only the event at which the projection stands can be parked, with actor and reason."""
        await store.stopped_at(lease, A_STOP)

        elsewhere = await store.park(BlockNumber(3), 1, actor="grace", reason="wrong place")
        parked = await store.park(BlockNumber(3), 2, actor="grace", reason="unknown for ever")
        again = await store.park(BlockNumber(3), 2, actor="grace", reason="twice")

        assert (elsewhere, parked, again) == (False, True, False)
        (event,) = await store.parked()
        assert (event.block_number, event.position) == (3, 2)
        assert (event.actor, event.reason) == ("grace", "unknown for ever")
        assert event.event == A_STOP.event
        assert await store.stop() is None

    async def test_an_event_of_a_newer_release_cannot_be_parked(
        self, store: ReadModelStore, lease: Lease
    ) -> None:
        """It waits for the release that reads it; a later stop at it may be for another reason."""
        await store.stopped_at(lease, replace(A_STOP, is_newer=True))
        refused = await store.park(BlockNumber(3), 2, actor="grace", reason="in the way")
        noted = await store.stop()
        await store.stopped_at(lease, A_STOP)
        parked = await store.park(BlockNumber(3), 2, actor="grace", reason="unknown for ever")

        assert (refused, parked) == (False, True)
        assert noted is not None
        assert noted.is_newer

    async def test_a_stop_is_noted_until_the_projection_goes_on(
        self, store: ReadModelStore, lease: Lease
    ) -> None:
        """Operators see the event and the error, whatever odd text they hold."""
        await store.stopped_at(lease, A_STOP)
        await store.stopped_at(lease, A_STOP)
        noted = await store.stop()
        await store.stopped_at(lease, None)

        assert noted is not None
        assert (noted.block_number, noted.position, noted.event) == (3, 2, A_STOP.event)
        assert noted.error.startswith("unknown ")
        assert await store.stop() is None

    async def test_differences_are_kept_until_they_are_gone(
        self, opened: tuple[ReadModelStore, Leases], store: ReadModelStore, lease: Lease
    ) -> None:
        """A later difference of the same record replaces the earlier one; 0 forgets it."""
        await store.note_differences(lease, {"account_a": 5, "account_b": -(2**64)})
        await store.note_differences(lease, {"account_a": 6, "account_c": 0})
        assert await store.differences() == {"account_a": 6, "account_b": -(2**64)}

        await store.note_differences(lease, {"account_b": 0})
        await opened[1].release(lease)
        assert await opened[1].acquire(LEASE_NAME, "second", ttl_s=TTL_S) is not None
        with pytest.raises(LeaseLostError):
            await store.note_differences(lease, {"account_a": 0})

        assert await store.differences() == {"account_a": 6}

    @pytest.mark.parametrize("model", READ_MODELS.values(), ids=lambda model: model.name)
    async def test_the_digest_sees_every_model(
        self, store: ReadModelStore, lease: Lease, model: object
    ) -> None:
        """One more row anywhere is another digest."""
        (change,) = (item for item in one_row_each() if READ_MODELS[item.model] is model)
        before = await store.digest()

        await store.apply(
            lease=lease, expected=START, reached=a_checkpoint(0), effects=effects_of(change)
        )

        assert await store.digest() != before

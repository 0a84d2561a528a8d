"""A ledger and read models that disagree are seen, and stay seen."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
import structlog
from typing_extensions import override

from gx.database.leases import MemoryLeases
from gx.database.ports import DatabaseUnavailableError
from gx.domain.codec import encode
from gx.ledger.ports import Write
from gx.projection import projector as projector_module
from gx.projection.memory import MemoryReadModelStore
from gx.projection.ports import Held
from gx.projection.reconciliation import Comparison, LedgerRecords, Reconciler
from tests.projection.chain import Chain
from tests.projection.clocks import StoppedClock
from tests.projection.projected import a_lease
from tests.projection.running import Bench, eventually, some_metrics


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector_module, "UNAVAILABLE_RETRY_S", 0.02)


@pytest.fixture
def chain() -> Chain:
    """A ledger with two users who have coins."""
    chain = Chain()
    chain.bootstrap("US")
    chain.users("alice", "bob")
    return chain


@pytest.fixture
def bench(chain: Chain) -> Bench:
    """A projector of that ledger into memory."""
    leases = MemoryLeases(StoppedClock())
    return Bench(source=chain, store=MemoryReadModelStore(leases), leases=leases)


def tamper(chain: Chain, number: int, key: str, value: str) -> None:
    """Let a block have written another value than its events say."""
    block = chain.committed[number]
    (entry,) = block.transactions
    writes = tuple(
        Write(key=key, value=value) if write.key == key else write for write in entry.writes
    )
    chain.committed[number] = replace(block, transactions=(replace(entry, writes=writes),))


def readings(bench: Bench) -> tuple[float | None, ...]:
    """Return the differences of accounts, minted coins and the sum of balances."""
    gauge = bench.metrics.reconciliation_difference
    return tuple(gauge(kind).read() for kind in ("accounts", "minted", "balances"))


async def stands_at(bench: Bench, *expected: float) -> None:
    """Wait until the gauges say this."""

    async def is_so() -> bool:
        return readings(bench) == expected

    await eventually(is_so)


async def test_ledger_and_read_models_agree(chain: Chain, bench: Bench) -> None:
    """After every kind of block there is no difference; the fund's fee keys are none either."""
    chain.transfers([("alice", "bob", 10**10), ("bob", "alice", 4 * 10**8)])
    chain.run(chain.command("TokenomicsContract:DistributeGenesis", "alice"))
    async with bench.running():
        await bench.reaches(5)
        await stands_at(bench, 0, 0, 0)


async def test_a_contract_that_writes_what_it_does_not_say_is_seen(
    chain: Chain, bench: Bench
) -> None:
    """The account's record differs from its events until a later write of it agrees again."""
    chain.transfers([("alice", "bob", 10**8)])
    tamper(chain, 4, "account_bob", encode({"balance": "7", "kind": "user"}))
    difference = 10**11 + 10**8 - 7
    async with bench.running():
        await stands_at(bench, difference, 0, 0)
        chain.run(chain.command("TokenomicsContract:Mint", "alice", "5", "Unrelated"))
        await bench.reaches(5)
        await stands_at(bench, difference, 0, 0)
        chain.transfers([("alice", "bob", 10**8)])
        await stands_at(bench, 0, 0, 0)


async def test_a_difference_that_a_rebuild_repaired_is_forgotten(
    chain: Chain, bench: Bench
) -> None:
    """The exchange empties what was noted; on an idle ledger the alarm must end all the same."""
    chain.transfers([("alice", "bob", 10**8)])
    tamper(chain, 4, "account_bob", encode({"balance": "7", "kind": "user"}))
    difference = 10**11 + 10**8 - 7
    async with bench.running():
        await stands_at(bench, difference, 0, 0)
        assert isinstance(bench.store, MemoryReadModelStore)
        bench.store._differences.clear()
        await stands_at(bench, 0, 0, 0)


async def test_a_supply_that_was_not_minted_is_seen(chain: Chain, bench: Bench) -> None:
    """The ledger's supply record is compared with what the events add up to."""
    chain.run(chain.command("TokenomicsContract:Mint", "alice", "5", "Welcome"))
    supply = 950_002_000 * 10**8 + 5
    tamper(chain, 4, "supply", encode({"minted": str(supply + 3)}))
    async with bench.running():
        await stands_at(bench, 0, 3, 0)


async def test_a_balance_that_nobody_minted_is_seen(bench: Bench) -> None:
    """A row that was changed past the projection breaks the sum over all accounts."""
    async with bench.running():
        await bench.reaches(3)
        await stands_at(bench, 0, 0, 0)
        store = bench.store
        assert isinstance(store, MemoryReadModelStore)
        store.tables["accounts"][("alice",)]["balance"] = 0
        await stands_at(bench, 0, 0, 10**11)


async def test_a_difference_survives_a_restart(chain: Chain, bench: Bench) -> None:
    """What was found stays until the ledger and the read models agree, whoever projects."""
    tamper(chain, 3, "account_bob", encode({"balance": "7", "kind": "user"}))
    async with bench.running():
        await stands_at(bench, 10**11 - 7, 0, 0)
    assert readings(bench) == (None, None, None)

    successor = Bench(source=chain, store=bench.store, leases=bench.leases, holder="second")
    async with successor.running():
        await stands_at(successor, 10**11 - 7, 0, 0)


class AwayOnce(MemoryReadModelStore):
    """A store that cannot be read once."""

    is_away = True

    @override
    async def held(self, account_ids: Sequence[str]) -> Held:
        if self.is_away:
            self.is_away = False
            raise DatabaseUnavailableError("the test cut it")
        return await super().held(account_ids)


async def test_a_comparison_that_could_not_be_made_is_made_later(chain: Chain) -> None:
    """A database that is away after the commit does not hide a difference."""
    tamper(chain, 3, "account_bob", encode({"balance": "7", "kind": "user"}))
    leases = MemoryLeases(StoppedClock())
    bench = Bench(source=chain, store=AwayOnce(leases), leases=leases)
    async with bench.running():
        await bench.reaches(3)
        await asyncio.sleep(0.1)
        chain.run(chain.command("TokenomicsContract:Mint", "alice", "5", "Unrelated"))
        await stands_at(bench, 10**11 - 7, 0, 0)


async def test_what_another_holder_wrote_is_not_compared_with_old_records(chain: Chain) -> None:
    """Records that waited are dropped when the lease was somebody else's in between."""
    leases = MemoryLeases(StoppedClock())
    store = AwayOnce(leases)
    metrics = some_metrics()
    reconciler = Reconciler(
        store,
        metrics.reconciliation_difference,
        clock=StoppedClock(),
        age_s=metrics.reconciliation_age_s,
        duration_s=metrics.reconciliation_duration_s,
    )
    first = await a_lease(leases)
    await reconciler.load(first)
    records = LedgerRecords()
    records.read(chain.committed[3])
    with pytest.raises(DatabaseUnavailableError):
        await reconciler.compare(first, records)
    await leases.release(first)

    second = await a_lease(leases)
    await reconciler.load(second)
    await reconciler.compare(second, LedgerRecords())

    assert await store.differences() == {}


async def test_tables_of_another_block_are_not_compared(chain: Chain, bench: Bench) -> None:
    """A rebuild that put newer tables in place must not look like a ledger that differs."""
    async with bench.running():
        await bench.reaches(3)
    comparison = Comparison(bench.store, {})
    records = LedgerRecords()
    for block in chain.committed[:3]:
        records.read(block)
    records.balances["alice"] = 5

    assert await comparison.update(records) == {}

    records.read(chain.committed[3])
    records.balances["alice"] -= 5
    assert await comparison.update(records) == {"account_alice": -5}


def test_a_record_that_cannot_be_read_is_no_reason_to_stop(chain: Chain) -> None:
    """Comparing is a help; a record of an unknown shape is passed over, with a warning."""
    tamper(chain, 3, "account_bob", "no JSON")
    tamper(chain, 3, "supply", encode({"coined": "5"}))
    records = LedgerRecords()

    with structlog.testing.capture_logs() as logged:
        records.read(chain.committed[3])

    assert set(records.balances) == {"alice"}
    assert records.minted is None
    assert {entry["event"] for entry in logged} == {"ledger_record_unreadable"}

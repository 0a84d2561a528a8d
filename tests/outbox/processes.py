"""Submitters as processes that a test can kill, freeze and wake at a chosen point.

Everything a process reaches (database, lease, ledger) goes through proxies that stop it where
the test says. A killed process does nothing more, not even its clean-up; a frozen one goes on
later with whatever it was about to do, as after SIGSTOP and SIGCONT.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from typing_extensions import override

from gx.database.ports import DatabaseUnavailableError, Lease, Leases
from gx.domain.clock import Clock
from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.ledger.breaker import BreakerSettings
from gx.ledger.ports import Block, ChainInfo, Envelope, Ledger, Proposal, Verdict
from gx.outbox.options import SubmitterOptions
from gx.outbox.ports import (
    Entry,
    KnownChain,
    LiveEnvelope,
    OutboxCounts,
    OutboxStore,
    Settlement,
)
from gx.outbox.retry import RetryPolicy
from gx.outbox.scheduling import BatchLimits
from gx.outbox.submitter import Submitter, Upkeep
from gx.runtime.clock import SystemClock
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import SubmitterMetrics, build_submitter_metrics
from tests.conformance.outbox.worlds import OutboxWorld

POINTS = (
    "before prepare",
    "after prepare",
    "before persist",
    "after persist",
    "before submit",
    "after submit",
    "before settle",
    "after settle",
)


class Life:
    """Whether a process runs. It stops at `stops_at`, the first time it comes there."""

    def __init__(self, stops_at: str | None = None) -> None:
        self.stops_at = stops_at
        self.loses_database: Callable[[], bool] = lambda: False
        self.running = asyncio.Event()
        self.running.set()
        self.stopped = asyncio.Event()

    def stop(self) -> None:
        """Stop the process where it is."""
        self.running.clear()
        self.stopped.set()

    def go_on(self) -> None:
        """Let a frozen process continue."""
        self.stops_at = None
        self.running.set()

    async def pass_by(self, point: str) -> None:
        """Come to a point: go on, or stand still while the process does not run."""
        if point == self.stops_at:
            self.stop()
        await self.running.wait()

    async def reach_database(self, point: str) -> None:
        """Come to a point of a database call, which may fail there: before it, or after it."""
        await self.pass_by(point)
        if self.loses_database():
            raise DatabaseUnavailableError(f"the connection broke {point}")


class LeasesOf(Leases):
    """The leases as a process reaches them."""

    def __init__(self, leases: Leases, life: Life) -> None:
        self._leases = leases
        self._life = life

    @override
    async def acquire(self, name: str, holder: str, *, ttl_s: float) -> Lease | None:
        await self._life.reach_database("acquire")
        return await self._leases.acquire(name, holder, ttl_s=ttl_s)

    @override
    async def renew(self, lease: Lease, *, ttl_s: float) -> bool:
        await self._life.reach_database("renew")
        return await self._leases.renew(lease, ttl_s=ttl_s)

    @override
    async def release(self, lease: Lease) -> None:
        await self._life.reach_database("release")
        await self._leases.release(lease)


class StoreOf(OutboxStore):
    """The outbox as a process reaches it."""

    def __init__(self, store: OutboxStore, life: Life) -> None:
        self._store = store
        self._life = life

    @override
    async def pending(self, *, after_seq: int, limit: int) -> Sequence[Entry]:
        await self._life.reach_database("pending")
        return await self._store.pending(after_seq=after_seq, limit=limit)

    @override
    async def live_envelopes(self) -> Sequence[LiveEnvelope]:
        await self._life.reach_database("live_envelopes")
        return await self._store.live_envelopes()

    @override
    async def persist(self, lease: Lease, envelope: Envelope, entries: Sequence[Entry]) -> None:
        await self._life.reach_database("before persist")
        await self._store.persist(lease, envelope, entries)
        await self._life.reach_database("after persist")

    @override
    async def settle(
        self,
        lease: Lease,
        transaction_id: TransactionId | None,
        settlements: Sequence[Settlement],
    ) -> None:
        await self._life.reach_database("before settle")
        await self._store.settle(lease, transaction_id, settlements)
        await self._life.reach_database("after settle")

    @override
    async def abandon(self, lease: Lease, transaction_id: TransactionId) -> None:
        await self._life.reach_database("abandon")
        await self._store.abandon(lease, transaction_id)

    @override
    async def postpone(
        self,
        lease: Lease,
        entries: Sequence[Entry],
        *,
        until_ms: EpochMs,
        reason: str,
        is_attempt: bool,
    ) -> None:
        await self._life.reach_database("postpone")
        await self._store.postpone(
            lease, entries, until_ms=until_ms, reason=reason, is_attempt=is_attempt
        )

    @override
    async def bury(self, lease: Lease, entry: Entry, *, reason: str) -> None:
        await self._life.reach_database("bury")
        await self._store.bury(lease, entry, reason=reason)

    @override
    async def known_chain(self, channel: str) -> KnownChain | None:
        await self._life.reach_database("known_chain")
        return await self._store.known_chain(channel)

    @override
    async def counts(self) -> OutboxCounts:
        await self._life.reach_database("counts")
        return await self._store.counts()

    @override
    async def wake_ups(self) -> AsyncIterator[None]:
        await self._life.pass_by("wake_ups")
        yield None
        await asyncio.Event().wait()  # a process under test finds its work by polling


class LedgerOf(Ledger):
    """The ledger as a process reaches it."""

    def __init__(self, ledger: Ledger, life: Life) -> None:
        self._ledger = ledger
        self._life = life

    @override
    async def prepare(self, proposal: Proposal) -> Envelope:
        await self._life.pass_by("before prepare")
        envelope = await self._ledger.prepare(proposal)
        await self._life.pass_by("after prepare")
        return envelope

    @override
    async def submit(self, envelope: Envelope) -> None:
        await self._life.pass_by("before submit")
        await self._ledger.submit(envelope)
        await self._life.pass_by("after submit")

    @override
    async def verdict(self, transaction_id: TransactionId) -> Verdict | None:
        await self._life.pass_by("verdict")
        return await self._ledger.verdict(transaction_id)

    @override
    async def evaluate(self, proposal: Proposal) -> str:
        await self._life.pass_by("evaluate")
        return await self._ledger.evaluate(proposal)

    @override
    async def blocks(self, first: BlockNumber) -> AsyncIterator[Block]:
        async for block in self._ledger.blocks(first):
            await self._life.pass_by("block")
            yield block

    @override
    async def chain_info(self) -> ChainInfo:
        await self._life.pass_by("chain_info")
        return await self._ledger.chain_info()

    @override
    async def close(self) -> None:
        await self._ledger.close()


FAST = SubmitterOptions(
    channel="gxchannel",
    holder="submitter-1",
    lease_s=0.6,
    batch=BatchLimits(commands_max=8, bytes_max=1_000_000),
    poll_s=0.02,
    rescan_s=0.1,
    verdict_timeout_s=0.3,
    refused_for_good_s=0.2,
    drain_s=2.0,
    sample_s=0.05,
    retry=RetryPolicy(attempts_max=3, tries_max=2, delay_base_s=0.005, delay_max_s=0.05),
    breaker=BreakerSettings(failures_max=3, probe_every_s=0.05, probe_timeout_s=1.0),
)


def some_metrics() -> SubmitterMetrics:
    """Make a submitter's instruments in a registry of their own."""
    return build_submitter_metrics(
        MetricsRegistry(),
        command_types=("MINT_COINS", "TRANSFER_TOKENS"),
        refusal_codes=("INSUFFICIENT_FUNDS", "ROLE_REQUIRED"),
    )


class SubmitterProcess:
    """One submitter that runs until it is stopped, killed, or frozen and resumed."""

    def __init__(
        self,
        world: OutboxWorld,
        ledger: Ledger,
        *,
        holder: str = "submitter-1",
        stops_at: str | None = None,
        options: SubmitterOptions = FAST,
        clock: Clock | None = None,
        upkeep: Upkeep | None = None,
    ) -> None:
        self.life = Life(stops_at)
        self.metrics = some_metrics()
        self.stop = asyncio.Event()
        submitter = Submitter(
            store=StoreOf(world.store, self.life),
            leases=LeasesOf(world.leases, self.life),
            ledger=LedgerOf(ledger, self.life),
            clock=clock or SystemClock(),
            metrics=self.metrics,
            options=replace(options, holder=holder),
            upkeep=upkeep,
        )
        self.task = asyncio.create_task(submitter.run(self.stop))

    async def finish(self) -> None:
        """Stop it as SIGTERM does, and wait until it has ended."""
        self.stop.set()
        await asyncio.wait_for(self.task, 30)

    async def kill(self) -> None:
        """End it as SIGKILL does: nothing it was about to do happens."""
        self.life.stop()
        while not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task], timeout=0.05)

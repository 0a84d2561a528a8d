"""Any order of acceptances, claims, crashes, take-overs and settlements: none lost, none twice."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gx.database.ports import Lease, LeaseLostError
from gx.domain.identifiers import CommandId, EpochMs
from gx.ledger.ports import Envelope
from gx.outbox.ports import AcceptanceKind, CommandStatus, Entry, EntryHeldError
from gx.runtime.clock import SystemClock
from tests.conformance.outbox.worlds import OutboxWorld, memory_world, postgres_world
from tests.outbox.builders import a_command, a_key, a_settlement, an_envelope


@dataclass
class Worker:
    """A submitter's memory: its lease, and what it believes to wait and to fly."""

    name: str
    lease: Lease | None = None
    waiting: list[Entry] = field(default_factory=list)
    flying: list[tuple[Envelope, list[Entry]]] = field(default_factory=list)


class OutboxMachine(RuleBasedStateMachine):
    """Two workers, of which the database trusts one, against a model of sets."""

    def __init__(self, world: OutboxWorld, runner: asyncio.Runner) -> None:
        super().__init__()
        self.world = world
        self.run = runner.run
        self.workers = [Worker("one"), Worker("two")]
        self.holder: Worker | None = None
        self.accepted: list[CommandId] = []
        self.keys: dict[str, CommandId] = {}
        self.settled: set[CommandId] = set()
        self.dead: set[CommandId] = set()
        self.held: dict[CommandId, str] = {}

    @rule(count=st.integers(1, 3), is_repeated=st.booleans())
    def accept(self, *, count: int, is_repeated: bool) -> None:
        """Store new commands; sometimes a client repeats a request."""
        if is_repeated and self.keys:
            key, known = next(iter(self.keys.items()))
            (again,) = self.run(self.world.accept(a_command(key_hash=key)))
            assert (again.kind, again.command_id) == (AcceptanceKind.REPEATED, known)
        for _ in range(count):
            key = a_key()
            (answer,) = self.run(self.world.accept(a_command(key_hash=key)))
            self.accepted.append(answer.command_id)
            self.keys[key] = answer.command_id

    @rule(index=st.integers(0, 1))
    def take_over(self, index: int) -> None:
        """Let the holder's lease run out, or end; another begins by reading what is stored."""
        worker = self.workers[index]
        if self.holder is not None and self.holder.lease is not None:
            self.run(self.world.leases.release(self.holder.lease))
        worker.lease = self.run(self.world.hold_lease(worker.name))
        worker.waiting, worker.flying = [], []
        for live in self.run(self.world.store.live_envelopes()):
            worker.flying.append((live.envelope, list(live.entries)))
        self.holder = worker

    @rule(index=st.integers(0, 1))
    def read(self, index: int) -> None:
        """Read the pending set, also as a zombie."""
        worker = self.workers[index]
        worker.waiting = list(self.run(self.world.store.pending(after_seq=0, limit=100)))

    @rule(index=st.integers(0, 1), count=st.integers(1, 4))
    def claim(self, index: int, count: int) -> None:
        """Persist an envelope with what the worker believes to wait."""
        worker = self.workers[index]
        entries, envelope = worker.waiting[:count], an_envelope()
        if worker.lease is None or not entries:
            return
        is_free = all(entry.command_id in self.free() for entry in entries)
        try:
            self.run(self.world.store.persist(worker.lease, envelope, entries))
        except LeaseLostError:
            assert worker is not self.holder
            return
        except EntryHeldError:
            assert not is_free
            return
        assert worker is self.holder
        assert is_free, "an entry is held twice"
        worker.waiting = worker.waiting[count:]
        worker.flying.append((envelope, entries))
        self.held.update({entry.command_id: envelope.transaction_id for entry in entries})

    @rule(index=st.integers(0, 1), is_valid=st.booleans())
    def land(self, *, index: int, is_valid: bool) -> None:
        """Settle or abandon the oldest envelope that the worker believes to fly."""
        worker = self.workers[index]
        if worker.lease is None or not worker.flying:
            return
        envelope, entries = worker.flying[0]
        tx = envelope.transaction_id
        try:
            if is_valid:
                settlements = [a_settlement(entry.command_id, tx) for entry in entries]
                self.run(self.world.store.settle(worker.lease, tx, settlements))
            else:
                self.run(self.world.store.abandon(worker.lease, tx))
        except LeaseLostError:
            assert worker is not self.holder
            return
        worker.flying.pop(0)
        for entry in entries:
            del self.held[entry.command_id]
            if is_valid:
                self.settled.add(entry.command_id)

    @rule(index=st.integers(0, 1), is_final=st.booleans())
    def fail(self, *, index: int, is_final: bool) -> None:
        """Postpone or bury the first entry that the worker believes to wait."""
        worker = self.workers[index]
        if worker.lease is None or not worker.waiting:
            return
        entry = worker.waiting[0]
        if entry.command_id not in self.free():
            return  # a submitter never fails what it has sent
        try:
            if is_final:
                self.run(self.world.store.bury(worker.lease, entry, reason="gave up"))
            else:
                self.run(
                    self.world.store.postpone(
                        worker.lease, [entry], until_ms=EpochMs(1), reason="r", is_attempt=True
                    )
                )
        except LeaseLostError:
            assert worker is not self.holder
            return
        if is_final:
            worker.waiting.pop(0)
            self.dead.add(entry.command_id)

    @precondition(lambda self: bool(self.dead))
    @rule(is_replayed=st.booleans())
    def handle_a_letter(self, *, is_replayed: bool) -> None:
        """An operator replays or discards the oldest dead letter."""
        command_id = min(self.dead)
        act = self.world.letters.replay if is_replayed else self.world.letters.discard
        assert self.run(act(command_id, actor="op", reason="r"))
        self.dead.remove(command_id)
        if not is_replayed:
            self.settled.add(command_id)

    def free(self) -> set[CommandId]:
        """List what waits according to the model."""
        return set(self.accepted) - self.settled - self.dead - self.held.keys()

    @invariant()
    def every_command_is_in_exactly_one_place(self) -> None:
        """Waiting, held by one live envelope, dead, or settled: as the model says."""
        store = self.world.store
        waiting = [e.command_id for e in self.run(store.pending(after_seq=0, limit=1_000))]
        held = {
            entry.command_id: live.envelope.transaction_id
            for live in self.run(store.live_envelopes())
            for entry in live.entries
        }
        assert sorted(waiting) == sorted(self.free())
        assert held == self.held
        views = self.run(self.world.reader.find_many(self.accepted))
        final = {view.command_id for view in views if view.settled_at_ms is not None}
        dead = {view.command_id for view in views if view.status is CommandStatus.DEAD}
        assert len(views) == len(self.accepted)
        assert final == self.settled
        assert dead == self.dead


def test_in_memory() -> None:
    """Many histories, quickly."""
    with asyncio.Runner() as runner:

        class InMemory(OutboxMachine):
            def __init__(self) -> None:
                super().__init__(memory_world(SystemClock()), runner)

        run_state_machine_as_test(InMemory)


@pytest.mark.slow
def test_in_postgres(database_dsn: str) -> None:
    """Fewer histories, with the real statements."""
    few = settings(
        max_examples=12,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    with asyncio.Runner() as runner:
        opening = postgres_world(database_dsn)
        world = runner.run(opening.__aenter__())

        class InPostgres(OutboxMachine):
            def __init__(self) -> None:
                runner.run(world.backstage.empty())
                super().__init__(world, runner)

        try:
            run_state_machine_as_test(InPostgres, settings=few)
        finally:
            runner.run(opening.__aexit__(None, None, None))

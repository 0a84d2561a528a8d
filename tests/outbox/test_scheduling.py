"""The schedule: order where it matters, overtaking where it does not, batches that never clash."""

from time import process_time

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec import structs
from typing_extensions import override

from gx.domain.identifiers import EpochMs
from gx.domain.roles import LedgerRole
from gx.domain.scopes import EXCLUSIVE, Scopes
from gx.outbox.ports import Entry
from gx.outbox.scheduling import RIDE_FREELY, Batch, BatchLimits, Return, Schedule
from tests.outbox.builders import an_entry

LIMITS = BatchLimits(commands_max=4, bytes_max=100_000)
A: Scopes = frozenset({"account:a"})
B: Scopes = frozenset({"account:b"})
AB = A | B


def a_schedule(*entries: Entry, limits: BatchLimits = LIMITS) -> Schedule:
    """Make a schedule that holds these entries."""
    schedule = Schedule(limits)
    schedule.add(entries)
    return schedule


def seqs(batch: Batch | None) -> list[int]:
    """List the places of a batch's entries."""
    return [] if batch is None else [entry.seq for entry in batch.entries]


def next_batch(schedule: Schedule, now_ms: int = 0) -> Batch:
    """Choose a batch that must be there."""
    batch = schedule.next_batch(now_ms)
    assert batch is not None
    return batch


def clash(first: Entry, second: Entry) -> bool:
    """Tell whether two commands must keep their order."""
    if not first.scopes or not second.scopes:
        return True
    return bool(first.scopes & second.scopes)


def test_commands_of_one_account_ride_together_in_order() -> None:
    """One batch carries a chain of commands on the same account."""
    schedule = a_schedule(an_entry(1, scopes=A), an_entry(2, scopes=AB), an_entry(3, scopes=B))

    assert seqs(schedule.next_batch(0)) == [1, 2, 3]


def test_a_command_waits_for_the_flight_that_holds_its_account() -> None:
    """Two batches in flight share no scope; what shares one waits for the landing."""
    schedule = a_schedule(an_entry(1, scopes=A))
    first = next_batch(schedule)
    schedule.add([an_entry(2, scopes=AB), an_entry(3, scopes=frozenset({"account:c"}))])

    second = next_batch(schedule)
    assert seqs(second) == [3]
    assert schedule.next_batch(0) is None
    schedule.release(first)
    assert seqs(schedule.next_batch(0)) == [2]


def test_a_new_command_never_waits_for_the_database_s_clock() -> None:
    """Its times are the database's, which may be ahead of ours: it is due all the same."""
    ahead_ms = EpochMs(5_000_000)
    fresh = structs.replace(an_entry(1, scopes=A), accepted_at_ms=ahead_ms, due_at_ms=ahead_ms)

    assert seqs(a_schedule(fresh).next_batch(4_990_000)) == [1]


@pytest.mark.parametrize("scopes", [A, EXCLUSIVE])
def test_a_clock_that_was_set_back_makes_nobody_wait_for_its_old_time(scopes: Scopes) -> None:
    """A wait that was noted while the clock was ahead ends with the wait, not with that time."""
    schedule = a_schedule(an_entry(1, scopes=scopes))
    flying = next_batch(schedule, now_ms=9_000_000)
    due_at_ms = EpochMs(9_000_000 + 5_000)
    schedule.release(flying, [Return(entry=flying.entries[0], due_at_ms=due_at_ms)])

    assert schedule.next_batch(9_000_100) is None
    assert seqs(schedule.next_batch(5_000_000)) == [1]


def test_what_is_behind_a_waiting_command_does_not_overtake_it() -> None:
    """A command that waits for one scope blocks its other scopes for later commands."""
    schedule = a_schedule(an_entry(1, scopes=A))
    next_batch(schedule)
    schedule.add([an_entry(2, scopes=AB), an_entry(3, scopes=B)])

    assert schedule.next_batch(0) is None


def test_an_exclusive_command_flies_alone() -> None:
    """It waits for all before it, and all after it wait for it."""
    schedule = a_schedule(
        an_entry(1, scopes=A), an_entry(2, scopes=EXCLUSIVE), an_entry(3, scopes=B)
    )
    first = next_batch(schedule)
    assert seqs(first) == [1]
    assert schedule.next_batch(0) is None

    schedule.release(first)
    second = next_batch(schedule)
    assert seqs(second) == [2]
    assert schedule.next_batch(0) is None

    schedule.release(second)
    assert seqs(schedule.next_batch(0)) == [3]


def test_a_returned_exclusive_command_still_blocks_what_is_after_it() -> None:
    """Failing once does not cost it its place."""
    exclusive = an_entry(1, scopes=EXCLUSIVE)
    schedule = a_schedule(exclusive, an_entry(2, scopes=A))
    batch = next_batch(schedule)

    schedule.release(batch, [Return(entry=exclusive, due_at_ms=EpochMs(50))])

    assert schedule.next_batch(0) is None
    assert schedule.next_due_ms() == 50
    assert seqs(schedule.next_batch(50)) == [1]


def test_roles_do_not_share_a_batch() -> None:
    """A batch is signed by one identity; the oldest command's role goes first."""
    schedule = a_schedule(
        an_entry(1, role=LedgerRole.ADMIN),
        an_entry(2, role=LedgerRole.PARTNER_API),
        an_entry(3, role=LedgerRole.ADMIN),
    )

    assert seqs(schedule.next_batch(0)) == [1, 3]
    assert seqs(schedule.next_batch(0)) == [2]


def test_order_holds_across_roles() -> None:
    """Another role's command on the same account is not overtaken."""
    schedule = a_schedule(
        an_entry(1, scopes=A, role=LedgerRole.ADMIN),
        an_entry(2, scopes=A, role=LedgerRole.PARTNER_API),
        an_entry(3, scopes=A, role=LedgerRole.ADMIN),
    )

    batch = next_batch(schedule)
    assert seqs(batch) == [1]
    assert schedule.next_batch(0) is None
    schedule.release(batch)
    assert seqs(schedule.next_batch(0)) == [2]


def test_a_batch_is_bounded_by_count() -> None:
    """What does not fit flies next."""
    schedule = a_schedule(*(an_entry(seq) for seq in range(1, 7)))

    assert seqs(schedule.next_batch(0)) == [1, 2, 3, 4]
    assert seqs(schedule.next_batch(0)) == [5, 6]


def test_a_batch_is_bounded_by_bytes_and_always_takes_one() -> None:
    """A command that is larger than the bound by itself still flies, alone."""
    limits = BatchLimits(commands_max=10, bytes_max=1_000)
    large = an_entry(1, amount="1" * 5_000)
    schedule = a_schedule(large, *(an_entry(seq) for seq in range(2, 7)), limits=limits)

    assert seqs(schedule.next_batch(0)) == [1]
    assert seqs(schedule.next_batch(0)) == [2, 3, 4]
    assert seqs(schedule.next_batch(0)) == [5, 6]


def test_what_is_not_due_blocks_only_its_own_scopes() -> None:
    """Fault: a poison command blocking the queue's head."""
    schedule = a_schedule(
        an_entry(1, scopes=A, due_at_ms=100), an_entry(2, scopes=AB), an_entry(3, scopes=B),
        an_entry(4),
    )  # fmt: skip

    assert seqs(schedule.next_batch(0)) == [4]
    assert schedule.next_due_ms() == 100
    assert seqs(schedule.next_batch(100)) == [1, 2, 3]


def test_company_is_bounded_for_suspects() -> None:
    """Returned entries ride only with as many as they may, and not with strangers."""
    entries = [an_entry(seq) for seq in range(1, 5)]
    schedule = a_schedule(*entries)
    batch = next_batch(schedule)
    schedule.release(
        batch, [Return(entry=entry, due_at_ms=EpochMs(0), company_max=2) for entry in entries]
    )
    schedule.add([an_entry(5)])

    assert seqs(schedule.next_batch(0)) == [1, 2]
    assert seqs(schedule.next_batch(0)) == [3, 4]
    assert seqs(schedule.next_batch(0)) == [5]


def test_known_entries_are_not_added_again() -> None:
    """A rescan returns what is known; it must not fly twice."""
    schedule = a_schedule(an_entry(1))
    assert schedule.add([an_entry(1), an_entry(2)]) == 1

    assert seqs(schedule.next_batch(0)) == [1, 2]
    assert schedule.add([an_entry(1)]) == 0


def test_an_entry_found_late_keeps_its_place() -> None:
    """A lower place that appears behind the watermark goes before its successors."""
    schedule = a_schedule(an_entry(5, scopes=A))
    schedule.add([an_entry(2, scopes=A)])

    assert seqs(schedule.next_batch(0)) == [2, 5]


def test_live_envelopes_hold_their_scopes_even_shared_ones() -> None:
    """After a take-over the same order holds; what two envelopes share, the last one frees."""
    schedule = Schedule(LIMITS)
    first, second = schedule.hold([an_entry(1, scopes=A)]), schedule.hold([an_entry(2, scopes=AB)])
    schedule.add([an_entry(3, scopes=A), an_entry(1, scopes=A)])

    assert schedule.next_batch(0) is None
    schedule.release(first)
    assert schedule.next_batch(0) is None
    schedule.release(second)
    assert seqs(schedule.next_batch(0)) == [3]


def test_a_live_exclusive_envelope_holds_everything() -> None:
    """Also when another process made it."""
    schedule = Schedule(LIMITS)
    live = schedule.hold([an_entry(1, scopes=EXCLUSIVE)])
    schedule.add([an_entry(2)])

    assert schedule.next_batch(0) is None
    schedule.release(live)
    assert seqs(schedule.next_batch(0)) == [2]


@pytest.mark.parametrize("accounts", [1_000_000, 1_000])
def test_choosing_a_thousand_of_many_takes_milliseconds(accounts: int) -> None:
    """The loop must not be the bottleneck, also behind a command that everything waits for."""
    stuck = an_entry(1, scopes=frozenset({"account:1"}), due_at_ms=10**9)
    blocked = [an_entry(seq, scopes=frozenset({"account:1"})) for seq in range(2, 10_000)]
    free = [
        an_entry(seq, scopes=frozenset({f"account:{seq % accounts + 2}", f"to:{seq}"}))
        for seq in range(10_000, 30_000)
    ]
    schedule = Schedule(BatchLimits(commands_max=1_000, bytes_max=10_000_000))
    schedule.add([stuck, *blocked, *free])

    started_s = process_time()
    for _ in range(5):
        batch = next_batch(schedule)
        assert len(batch.entries) == 1_000
        schedule.release(batch)
    spent_s = process_time() - started_s

    assert spent_s / 5 < 0.05  # 10 ms here with the landing; the bound allows for a busy machine


class ScheduleMachine(RuleBasedStateMachine):
    """Any order of arrivals, choices, landings and returns keeps the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule = Schedule(LIMITS)
        self.now_ms = 0
        self.next_seq = 1
        self.open: dict[int, Entry] = {}  # waiting or flying
        self.flying: list[Batch] = []

    @rule(
        scopes=st.frozensets(st.sampled_from("abcd"), max_size=3),
        role=st.sampled_from([LedgerRole.ADMIN, LedgerRole.PARTNER_API]),
        due_in_ms=st.sampled_from([0, 0, 0, 30]),
    )
    def arrive(self, scopes: frozenset[str], role: LedgerRole, due_in_ms: int) -> None:
        """Accept one more command."""
        entry = an_entry(self.next_seq, scopes=scopes, role=role, due_at_ms=self.now_ms + due_in_ms)
        self.next_seq += 1
        self.open[entry.seq] = entry
        self.schedule.add([entry])

    @rule()
    def choose(self) -> None:
        """Choose a batch and check it against everything that is open."""
        batch = self.schedule.next_batch(self.now_ms)
        if batch is None:
            return
        chosen = {entry.seq for entry in batch.entries}
        assert len(chosen) == len(batch.entries) <= LIMITS.commands_max
        assert list(batch.entries) == sorted(batch.entries, key=lambda entry: entry.seq)
        assert {entry.role for entry in batch.entries} == {batch.role}
        assert batch.is_exclusive == (not batch.entries[0].scopes)
        assert not batch.is_exclusive or len(batch.entries) == 1
        aloft = {entry.seq for other in self.flying for entry in other.entries}
        for entry in batch.entries:
            for other in self.open.values():
                if other.seq in chosen or not clash(entry, other):
                    continue
                assert other.seq > entry.seq, "an earlier command was overtaken"
                assert other.seq not in aloft, "two batches in flight clash"
        self.flying.append(batch)

    @precondition(lambda self: bool(self.flying))
    @rule(data=st.data())
    def land(self, data: st.DataObject) -> None:
        """Land a batch; some of its last entries return."""
        batch = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        kept = data.draw(st.integers(0, len(batch.entries)))
        company = data.draw(st.sampled_from([RIDE_FREELY, 2, 1]))
        due_in_ms = data.draw(st.sampled_from([0, 20]))
        returning = [
            Return(entry=entry, due_at_ms=EpochMs(self.now_ms + due_in_ms), company_max=company)
            for entry in batch.entries[kept:]
        ]
        for entry in batch.entries[:kept]:
            del self.open[entry.seq]
        self.schedule.release(batch, returning)

    @rule()
    def wait(self) -> None:
        """Let time pass."""
        self.now_ms += 10

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every open command waits or flies."""
        flying = sum(len(batch.entries) for batch in self.flying)
        assert self.schedule.waiting + flying == len(self.open)
        assert self.schedule.flying == len(self.flying)

    @override
    def teardown(self) -> None:
        """Everything flies in the end: no command is forgotten in the schedule."""
        for flying in self.flying:
            self.schedule.release(flying)
            for entry in flying.entries:
                del self.open[entry.seq]
        self.now_ms += 1_000
        while batch := self.schedule.next_batch(self.now_ms):
            self.schedule.release(batch)
            for entry in batch.entries:
                del self.open[entry.seq]
        assert not self.open


TestSchedule = ScheduleMachine.TestCase

"""What every OutboxStore promises."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gx.database.ports import Lease, LeaseLostError
from gx.domain.identifiers import EpochMs
from gx.outbox.ports import CommandStatus, Entry, EntryHeldError, OutboxStore
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import a_command, a_refusal, a_settlement, an_envelope

Write = Callable[[OutboxStore, Lease, Entry], Awaitable[None]]

WRITES: dict[str, Write] = {
    "persist": lambda store, lease, entry: store.persist(lease, an_envelope(), [entry]),
    "settle": lambda store, lease, entry: store.settle(
        lease, None, [a_refusal(entry.command_id, None, block=None)]
    ),
    "abandon": lambda store, lease, _: store.abandon(lease, an_envelope().transaction_id),
    "postpone": lambda store, lease, entry: store.postpone(
        lease, [entry], until_ms=EpochMs(1), reason="r", is_attempt=True
    ),
    "bury": lambda store, lease, entry: store.bury(lease, entry, reason="r"),
}


async def waiting(world: OutboxWorld, number: int) -> list[Entry]:
    """Accept some commands and read them as entries."""
    await world.accept(*(a_command(account=f"a{index}") for index in range(number)))
    return list(await world.store.pending(after_seq=0, limit=1000))


async def status_of(world: OutboxWorld, entry: Entry) -> CommandStatus:
    """Read one command's status."""
    view = await world.reader.find(entry.command_id)
    assert view is not None
    return view.status


async def test_the_watermark_skips_what_was_seen(world: OutboxWorld) -> None:
    """Reading on from a place returns only what comes after it, at most so many."""
    entries = await waiting(world, 5)

    assert await world.store.pending(after_seq=entries[1].seq, limit=2) == entries[2:4]
    assert list(await world.store.pending(after_seq=entries[4].seq, limit=2)) == []


async def test_a_persisted_envelope_is_live_with_its_entries(world: OutboxWorld) -> None:
    """A take-over finds the bytes to submit again and knows what rides in them, in order."""
    lease = await world.hold_lease()
    first, second, third = await waiting(world, 3)
    envelope = an_envelope()

    await world.store.persist(lease, envelope, [first, third])

    (live,) = await world.store.live_envelopes()
    assert live.envelope == envelope
    assert list(live.entries) == [first, third]
    assert list(await world.store.pending(after_seq=0, limit=10)) == [second]
    assert await status_of(world, first) is CommandStatus.PROCESSING
    assert await status_of(world, second) is CommandStatus.PENDING


async def test_two_live_envelopes_never_hold_one_entry(world: OutboxWorld) -> None:
    """Fault: two submissions of one command. The second envelope is refused whole."""
    lease = await world.hold_lease()
    first, second = await waiting(world, 2)
    await world.store.persist(lease, an_envelope(), [first])

    with pytest.raises(EntryHeldError):
        await world.store.persist(lease, an_envelope(), [second, first])

    assert len(await world.store.live_envelopes()) == 1
    assert list(await world.store.pending(after_seq=0, limit=10)) == [second]


async def test_persisting_again_changes_nothing(world: OutboxWorld) -> None:
    """After a lost answer the same envelope may be stored again."""
    lease = await world.hold_lease()
    entries = await waiting(world, 2)
    envelope = an_envelope()
    await world.store.persist(lease, envelope, entries)

    await world.store.persist(lease, envelope, entries)

    (live,) = await world.store.live_envelopes()
    assert list(live.entries) == entries


async def test_a_transaction_cannot_hold_further_entries_later(world: OutboxWorld) -> None:
    """One transaction id stands for one set of commands, for ever."""
    lease = await world.hold_lease()
    first, second = await waiting(world, 2)
    envelope = an_envelope()
    await world.store.persist(lease, envelope, [first])

    with pytest.raises(EntryHeldError):
        await world.store.persist(lease, envelope, [first, second])


async def test_of_two_envelopes_at_once_one_holds_the_entry(world: OutboxWorld) -> None:
    """Also when both are persisted at the same moment."""
    lease = await world.hold_lease()
    (entry,) = await waiting(world, 1)

    answers = await asyncio.gather(
        *(world.store.persist(lease, an_envelope(), [entry]) for _ in range(4)),
        return_exceptions=True,
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["EntryHeldError"] * 3 + [
        "NoneType"
    ]


async def test_a_settled_entry_cannot_be_persisted_again(world: OutboxWorld) -> None:
    """A stale memory of an entry must not send it once more."""
    lease = await world.hold_lease()
    (entry,) = await waiting(world, 1)
    envelope = an_envelope()
    await world.store.persist(lease, envelope, [entry])
    settlement = a_settlement(entry.command_id, envelope.transaction_id)
    await world.store.settle(lease, envelope.transaction_id, [settlement])

    with pytest.raises(EntryHeldError):
        await world.store.persist(lease, an_envelope(), [entry])


async def test_settling_writes_results_and_forgets_the_rest(world: OutboxWorld) -> None:
    """Results, and neither entries nor the envelope, remain."""
    lease = await world.hold_lease()
    yes, no = await waiting(world, 2)
    envelope = an_envelope()
    await world.store.persist(lease, envelope, [yes, no])

    await world.store.settle(
        lease,
        envelope.transaction_id,
        [
            a_settlement(yes.command_id, envelope.transaction_id),
            a_refusal(no.command_id, envelope.transaction_id),
        ],
    )

    assert await world.store.live_envelopes() == []
    assert list(await world.store.pending(after_seq=0, limit=10)) == []
    assert await status_of(world, yes) is CommandStatus.COMMITTED
    assert await status_of(world, no) is CommandStatus.REJECTED
    view = await world.reader.find(no.command_id)
    assert view is not None
    assert (view.code, view.detail) == ("INSUFFICIENT_FUNDS", "alice holds 0")
    assert (view.transaction_id, view.block_number) == (envelope.transaction_id, 7)


async def test_settling_again_changes_nothing(world: OutboxWorld) -> None:
    """After a lost answer the same settlement may be written again; the first one stands."""
    lease = await world.hold_lease()
    (entry,) = await waiting(world, 1)
    envelope = an_envelope()
    await world.store.persist(lease, envelope, [entry])
    tx = envelope.transaction_id
    await world.store.settle(lease, tx, [a_settlement(entry.command_id, tx)])
    before = await world.reader.find(entry.command_id)

    await world.store.settle(lease, tx, [a_refusal(entry.command_id, tx)])

    assert await world.reader.find(entry.command_id) == before


async def test_an_entry_without_an_answer_waits_again(world: OutboxWorld) -> None:
    """A settlement that leaves one out must not lose it."""
    lease = await world.hold_lease()
    answered, forgotten = await waiting(world, 2)
    envelope = an_envelope()
    await world.store.persist(lease, envelope, [answered, forgotten])

    settlement = a_settlement(answered.command_id, envelope.transaction_id)
    await world.store.settle(lease, envelope.transaction_id, [settlement])

    assert list(await world.store.pending(after_seq=0, limit=10)) == [forgotten]


async def test_a_refused_endorsement_is_settled_without_a_transaction(world: OutboxWorld) -> None:
    """The contract's no is final although nothing was ordered."""
    lease = await world.hold_lease()
    (entry,) = await waiting(world, 1)

    await world.store.settle(lease, None, [a_refusal(entry.command_id, None, block=None)])

    view = await world.reader.find(entry.command_id)
    assert view is not None
    assert view.status is CommandStatus.REJECTED
    assert view.transaction_id is None
    assert view.block_number is None


async def test_abandoning_an_envelope_makes_its_entries_wait_again(world: OutboxWorld) -> None:
    """They keep their places, and another envelope may take them."""
    lease = await world.hold_lease()
    entries = await waiting(world, 2)
    envelope = an_envelope()
    await world.store.persist(lease, envelope, entries)

    await world.store.abandon(lease, envelope.transaction_id)

    assert list(await world.store.pending(after_seq=0, limit=10)) == entries
    assert await world.store.live_envelopes() == []
    await world.store.persist(lease, an_envelope(), entries)


@pytest.mark.parametrize(("is_attempt", "attempts"), [(True, 1), (False, 0)])
async def test_postponing_counts_an_attempt_only_if_it_was_one(
    world: OutboxWorld, *, is_attempt: bool, attempts: int
) -> None:
    """Fault: attempts burnt in an outage. Waiting for the ledger costs none."""
    lease = await world.hold_lease()
    (entry,) = await waiting(world, 1)

    await world.store.postpone(
        lease, [entry], until_ms=EpochMs(99), reason="not now", is_attempt=is_attempt
    )

    (postponed,) = await world.store.pending(after_seq=0, limit=10)
    assert postponed.seq == entry.seq
    assert (postponed.due_at_ms, postponed.attempts) == (99, attempts)


async def test_a_buried_entry_is_a_dead_letter(world: OutboxWorld) -> None:
    """It waits no more, and its history says what was tried."""
    lease = await world.hold_lease()
    (entry,) = await waiting(world, 1)
    for reason in ("first", "second"):
        await world.store.postpone(
            lease, [entry], until_ms=EpochMs(1), reason=reason, is_attempt=True
        )

    await world.store.bury(lease, entry, reason="gave up")

    assert list(await world.store.pending(after_seq=0, limit=10)) == []
    assert await status_of(world, entry) is CommandStatus.DEAD
    letter = await world.letters.find(entry.command_id)
    assert letter is not None
    assert letter.reason == "gave up"
    assert [line["reason"] for line in letter.history] == ["first", "second", "gave up"]


async def test_what_an_envelope_holds_cannot_be_buried(world: OutboxWorld) -> None:
    """It may take effect, or has; a replay would then bring it to the ledger twice."""
    lease = await world.hold_lease()
    (entry,) = await waiting(world, 1)
    envelope = an_envelope()
    await world.store.persist(lease, envelope, [entry])

    with pytest.raises(EntryHeldError):
        await world.store.bury(lease, entry, reason="gave up")

    assert await world.letters.find(entry.command_id) is None
    await world.store.abandon(lease, envelope.transaction_id)
    await world.store.bury(lease, entry, reason="gave up")
    assert await world.letters.find(entry.command_id) is not None


async def test_answers_may_be_stored_while_the_envelope_is_kept(world: OutboxWorld) -> None:
    """Those without an answer stay on their way; the last answer ends the envelope."""
    lease = await world.hold_lease()
    first, second = await waiting(world, 2)
    envelope = an_envelope()
    await world.store.persist(lease, envelope, [first, second])
    settlements = [
        a_settlement(entry.command_id, envelope.transaction_id) for entry in (first, second)
    ]

    await world.store.settle(lease, None, settlements[:1])

    (live,) = await world.store.live_envelopes()
    assert [entry.command_id for entry in live.entries] == [second.command_id]
    assert list(await world.store.pending(after_seq=0, limit=9)) == []
    view = await world.reader.find(first.command_id)
    assert view is not None
    assert view.transaction_id == envelope.transaction_id
    await world.store.settle(lease, envelope.transaction_id, settlements[1:])
    assert list(await world.store.live_envelopes()) == []


async def test_burying_again_changes_nothing(world: OutboxWorld) -> None:
    """A repetition after a lost answer finds nothing to bury."""
    lease = await world.hold_lease()
    (entry,) = await waiting(world, 1)
    await world.store.bury(lease, entry, reason="gave up")

    await world.store.bury(lease, entry, reason="again")

    letter = await world.letters.find(entry.command_id)
    assert letter is not None
    assert letter.reason == "gave up"


@pytest.mark.parametrize("write", WRITES)
async def test_an_old_epoch_changes_nothing(world: OutboxWorld, write: str) -> None:
    """Fault: a stale lease lets two workers submit one command. Every write is fenced."""
    old = await world.hold_lease("paused")
    entries = await waiting(world, 1)
    await world.leases.release(old)
    new = await world.hold_lease("took-over")
    assert new.epoch > old.epoch

    with pytest.raises(LeaseLostError):
        await WRITES[write](world.store, old, entries[0])

    assert list(await world.store.pending(after_seq=0, limit=10)) == entries
    assert await world.store.live_envelopes() == []
    assert await status_of(world, entries[0]) is CommandStatus.PENDING
    await WRITES[write](world.store, new, entries[0])


async def test_the_counts_are_the_gauges(world: OutboxWorld) -> None:
    """Pending, held by an envelope, and dead are counted apart."""
    lease = await world.hold_lease()
    entries = await waiting(world, 6)
    await world.store.persist(lease, an_envelope(), entries[:2])
    await world.store.bury(lease, entries[2], reason="r")

    counts = await world.store.counts()

    assert (counts.pending, counts.processing, counts.dead) == (3, 2, 1)
    assert 0 <= counts.oldest_pending_age_s < 60


async def test_waking_up_comes_once_at_first(world: OutboxWorld) -> None:
    """A listener looks once for what came before it listened."""
    wake_ups = aiter(world.store.wake_ups())
    async with asyncio.timeout(30):
        await anext(wake_ups)

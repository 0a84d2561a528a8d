"""Answers that are lost, late, or no: nothing unresolved is endorsed anew."""

import asyncio

import pytest
from typing_extensions import override

from gx.domain.identifiers import CommandId
from gx.ledger.errors import SubmitError, VerdictError
from gx.ledger.ports import Envelope, Proposal, ValidationCode
from gx.outbox.ports import CommandStatus
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.builders import counted, eventually
from tests.outbox.fake_ledger import FakeLedger
from tests.outbox.processes import FAST, SubmitterProcess
from tests.outbox.scenes import a_mint, accept, assert_each_once, wait_for

# ---------------------------------------------------------------- ambiguous answers


async def test_a_lost_answer_is_looked_up_not_sent_anew(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """The transaction arrived, its answer did not: never endorse anew without a verdict."""
    ledger.faults["submitted"].append(SubmitError("deadline exceeded", code="DEADLINE"))
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.calls["prepare"] == 1
    assert_each_once(ledger, ids)


async def test_a_lost_request_is_submitted_again_with_the_same_bytes(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Nobody knows that it did not arrive; the same bytes cannot take effect twice."""
    ledger.faults["submit"].append(SubmitError("deadline exceeded", code="DEADLINE"))
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.calls["prepare"] == 1
    assert ledger.calls["submit"] == 2
    assert_each_once(ledger, ids)


async def test_a_transaction_that_commits_late_is_not_doubled(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Commits, but times out, and the stream is silent: the copy is a duplicate id."""
    ledger.is_muted = True
    ledger.faults["submitted"].append(SubmitError("deadline exceeded"))
    ledger.faults["verdict"].append(VerdictError("deadline exceeded"))
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.validations[ValidationCode.DUPLICATE_TXID] == 1
    assert ledger.calls["prepare"] == 1
    assert_each_once(ledger, ids)


async def test_a_silent_stream_is_replaced_by_asking(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """On the deadline the verdict is asked for, and the stream opened again."""
    ledger.is_muted = True
    process = SubmitterProcess(memory, ledger)
    ids = await accept(memory, a_mint("a"))
    await wait_for(memory, ids)

    await eventually(lambda: ledger.calls["blocks"] >= 2)
    await ledger.unmute()
    await process.finish()
    assert_each_once(ledger, ids)


async def test_broken_streams_and_repeated_blocks_change_nothing(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """The first verdict on an id counts, however often and late blocks come."""
    ledger.repeats_blocks = True
    process = SubmitterProcess(memory, ledger)
    ids: list[CommandId] = []
    for number in range(6):
        ids += await accept(memory, *(a_mint(f"a{number}-{index}") for index in range(9)))
        await ledger.cut_streams()
        await asyncio.sleep(0.01)
    await wait_for(memory, ids)
    await process.finish()
    assert_each_once(ledger, ids)


async def test_a_definite_refusal_of_the_orderer_lets_the_commands_be_endorsed_anew(
    memory: OutboxWorld, ledger: FakeLedger
) -> None:
    """Bytes that were never ordered and never will be hold nothing up."""
    ledger.faults["submit"].append(SubmitError("too large", code="ABORTED", is_transient=False))
    ids = await accept(memory, a_mint("a"), a_mint("b"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.calls["prepare"] > 1
    assert_each_once(ledger, ids)


class LedgerThatRelents(FakeLedger):
    """Submits without faults from the second endorsement on."""

    submitted_before = 0

    @override
    async def prepare(self, proposal: Proposal) -> Envelope:
        if self.calls["prepare"] == 1:
            self.submitted_before = self.calls["submit"]
            self.faults["submit"].clear()
        return await super().prepare(proposal)


async def test_a_refusal_after_an_unknown_submission_must_stand_for_a_while(
    memory: OutboxWorld,
) -> None:
    """An earlier submission may still be on its way: it is not endorsed anew at once."""
    ledger = LedgerThatRelents()
    ledger.is_muted = True
    ledger.faults["submit"].append(SubmitError("deadline exceeded"))
    refusals = [SubmitError("expired", code="BAD", is_transient=False) for _ in range(500)]
    ledger.faults["submit"].extend(refusals)
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)
    await wait_for(memory, ids)
    await process.finish()

    assert ledger.calls["prepare"] == 2
    tries_at_least = round(FAST.refused_for_good_s / FAST.retry.delay_max_s)
    assert ledger.submitted_before >= tries_at_least
    assert_each_once(ledger, ids)


# ---------------------------------------------------------------- invalid verdicts


@pytest.mark.parametrize(
    "code", [ValidationCode.MVCC_READ_CONFLICT, ValidationCode.PHANTOM_READ_CONFLICT]
)
async def test_an_invalidated_transaction_is_made_anew(
    world: OutboxWorld, code: ValidationCode
) -> None:
    """Its id is dead for good, so a new endorsement is safe; it costs no attempt."""
    ledger = FakeLedger()
    ledger.codes.append(code)
    ids = await accept(world, a_mint("a"), a_mint("b"))
    process = SubmitterProcess(world, ledger)
    await wait_for(world, ids)
    await process.finish()

    assert ledger.calls["prepare"] == 2
    assert_each_once(ledger, ids)
    view = await world.reader.find(ids[0])
    assert view is not None
    assert view.attempts == 0
    assert counted(process.metrics.reendorsements) == {(code.value,): 1}
    assert process.metrics.transactions("error").read() == 0


async def test_a_conflict_never_buries_a_command(memory: OutboxWorld) -> None:
    """Fault: seven conflicts in a second, and a good command was a dead letter."""
    ledger = FakeLedger()
    ledger.codes.extend([ValidationCode.MVCC_READ_CONFLICT] * 30)
    ids = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)

    await wait_for(memory, ids)
    await process.finish()

    assert_each_once(ledger, ids)
    view = await memory.reader.find(ids[0])
    assert view is not None
    assert view.attempts == 0
    assert counted(process.metrics.reendorsements) == {("MVCC_READ_CONFLICT",): 30}


async def test_a_command_that_is_always_invalid_is_given_up_alone(memory: OutboxWorld) -> None:
    """A verdict that will not change is poison: isolated, and buried after its bound."""
    ledger = FakeLedger()
    ledger.codes.extend([ValidationCode.ENDORSEMENT_POLICY_FAILURE] * 3)
    (bad,) = await accept(memory, a_mint("a"))
    process = SubmitterProcess(memory, ledger)

    await wait_for(memory, [bad], CommandStatus.DEAD)
    await process.finish()

    assert process.metrics.transactions("error").read() == 3
    assert await memory.store.live_envelopes() == []

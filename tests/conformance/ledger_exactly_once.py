"""A transaction takes effect once, whoever submits its bytes, how often, and what crashes when."""

import asyncio
from dataclasses import replace

import pytest

from gx.ledger.errors import (
    SubmitError,
)
from gx.ledger.ports import (
    Envelope,
    ValidationCode,
)
from tests.conformance.ledger_under_test import (
    LedgerUnderTest,
    balance,
    blocks_up_to,
    commit,
    entries_of,
    flipped,
    mint,
    new_account,
    settled,
    transfers,
)


class ExactlyOnceConformance(LedgerUnderTest):
    """Submitting again, racing, crashing, tampering: one effect and one verdict."""

    async def test_the_same_bytes_take_effect_once(self) -> None:
        """Submitting again after the commit is no error, changes nothing, keeps the verdict."""
        ledger, account = await self.client(), new_account()
        envelope = await ledger.prepare(mint(account))
        await ledger.submit(envelope)
        first = await settled(ledger, envelope.transaction_id)

        for _ in range(3):
            await ledger.submit(envelope)
        later = await commit(ledger, mint(new_account()))

        assert await settled(ledger, envelope.transaction_id) == first
        assert await balance(ledger, account) == 5
        blocks = await blocks_up_to(ledger, first.block_number, later.block_number)
        original, *copies = entries_of(blocks, envelope.transaction_id)
        assert original.validation_code is ValidationCode.VALID
        for copy in copies:
            assert copy.validation_code is ValidationCode.DUPLICATE_TXID
            assert copy.event is None
            assert copy.writes == ()

    async def test_three_copies_at_once_take_effect_once(self) -> None:
        """Copies that race, from different clients, are one transaction."""
        ledger, account = await self.client(), new_account()
        others = [await self.client() for _ in range(2)]
        envelope = await ledger.prepare(mint(account))

        await asyncio.gather(*(each.submit(envelope) for each in (ledger, *others)))
        verdict = await settled(ledger, envelope.transaction_id)

        assert verdict.validation_code is ValidationCode.VALID
        assert await balance(ledger, account) == 5

    async def test_another_process_may_submit_the_bytes(self) -> None:
        """An envelope needs nothing but its bytes: who crashed after persisting it is replaced."""
        ledger, other, account = await self.client(), await self.client(), new_account()
        envelope = await ledger.prepare(mint(account))
        await ledger.close()
        restored = Envelope(
            transaction_id=envelope.transaction_id,
            role=envelope.role,
            content=bytes(envelope.content),
            result="",
        )

        await other.submit(restored)

        verdict = await settled(other, envelope.transaction_id)
        assert verdict.validation_code is ValidationCode.VALID
        assert await balance(other, account) == 5

    async def test_verdicts_and_envelopes_outlive_a_crash(self) -> None:
        """After kill -9: old verdicts stand, old bytes change nothing, pending ones commit."""
        ledger, done, pending = await self.client(), new_account(), new_account()
        old = await ledger.prepare(mint(done))
        await ledger.submit(old)
        before = await settled(ledger, old.transaction_id)
        waiting = await ledger.prepare(mint(pending))

        await self.stop()
        await self.start()

        assert await settled(ledger, old.transaction_id) == before
        await ledger.submit(old)
        await ledger.submit(waiting)
        verdict = await settled(ledger, waiting.transaction_id)
        assert verdict.validation_code is ValidationCode.VALID
        assert await settled(ledger, old.transaction_id) == before
        assert await balance(ledger, done) == 5
        assert await balance(ledger, pending) == 5

    async def test_a_stale_read_invalidates_and_kills_the_id(self) -> None:
        """Of two envelopes on one state only one is valid; the other id is dead for good."""
        ledger, account = await self.client(), new_account()
        first = await ledger.prepare(mint(account))
        second = await ledger.prepare(mint(account))
        await ledger.submit(first)
        assert (await settled(ledger, first.transaction_id)).validation_code == "VALID"

        await ledger.submit(second)
        verdict = await settled(ledger, second.transaction_id)
        await ledger.submit(second)
        await commit(ledger, mint(new_account()))

        assert verdict.validation_code is ValidationCode.MVCC_READ_CONFLICT
        assert verdict.event is None
        assert await settled(ledger, second.transaction_id) == verdict
        (block,) = await blocks_up_to(ledger, verdict.block_number, verdict.block_number)
        (entry,) = entries_of([block], second.transaction_id)
        assert (entry.event, entry.writes) == (None, ())
        assert await balance(ledger, account) == 5

    async def test_after_a_conflict_a_new_endorsement_takes_effect(self) -> None:
        """A dead id stands in nobody's way."""
        ledger, account = await self.client(), new_account()
        stale = await ledger.prepare(mint(account))
        await commit(ledger, mint(account))
        await ledger.submit(stale)
        await settled(ledger, stale.transaction_id)

        verdict = await commit(ledger, mint(account))

        assert verdict.validation_code is ValidationCode.VALID
        assert await balance(ledger, account) == 10

    async def test_an_abandoned_envelope_is_a_zombie(self) -> None:
        """What nobody invalidated commits whenever somebody submits it: never endorse anew."""
        ledger, account = await self.client(), new_account()
        zombie = await ledger.prepare(transfers((account, new_account(), 1)))
        await commit(ledger, mint(new_account()))

        await ledger.submit(zombie)

        verdict = await settled(ledger, zombie.transaction_id)
        assert verdict.validation_code is ValidationCode.VALID

    @pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
    async def test_tampered_bytes_have_no_effect(self, part: float) -> None:
        """A changed byte anywhere is refused for good, and does not burn the genuine envelope."""
        ledger, account = await self.client(), new_account()
        genuine = await ledger.prepare(mint(account))
        tampered = flipped(genuine.content, int(len(genuine.content) * part))

        with pytest.raises(SubmitError) as caught:
            await ledger.submit(replace(genuine, content=tampered))

        assert not caught.value.is_transient
        assert await balance(ledger, account) is None
        await ledger.submit(genuine)
        assert (await settled(ledger, genuine.transaction_id)).validation_code == "VALID"
        assert await balance(ledger, account) == 5

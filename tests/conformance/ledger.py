"""What every ledger promises its clients, whatever runs beneath: subclass it for each adapter.

It uses the project's own contracts, so it can run on any network where they are deployed and the
system is bootstrapped.
"""

import asyncio
import json
from itertools import pairwise

import pytest

from gx.domain.batches import parse_outcomes
from gx.domain.identifiers import BlockNumber, TransactionId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.ledger.errors import (
    EndorseError,
    EvaluateError,
    LedgerError,
    LedgerUnavailableError,
    StreamError,
    SubmitError,
)
from gx.ledger.ports import (
    Block,
    Proposal,
    ValidationCode,
)
from tests.conformance.ledger_exactly_once import ExactlyOnceConformance
from tests.conformance.ledger_under_test import (
    TIMEOUT_S,
    balance,
    balance_query,
    blocks_up_to,
    commit,
    entries_of,
    mint,
    new_account,
    settled,
    take,
    transfers,
)


class LedgerConformance(ExactlyOnceConformance):
    """The four steps, refusals, exactly once, the block stream, identity and outages."""

    # ------------------------------------------------------------ the four steps

    async def test_prepare_alone_changes_nothing(self) -> None:
        """An envelope is a promise to nobody: no effect and no verdict before it is submitted."""
        ledger, account = await self.client(), new_account()

        envelope = await ledger.prepare(mint(account))

        assert await ledger.verdict(envelope.transaction_id) is None
        assert await balance(ledger, account) is None

    async def test_a_submitted_transaction_takes_effect_and_has_a_verdict(self) -> None:
        """The verdict names the block, which holds the event and the writes."""
        ledger, account = await self.client(), new_account()

        verdict = await commit(ledger, mint(account, 7))

        assert verdict.validation_code is ValidationCode.VALID
        assert verdict.event is not None
        assert verdict.event.name == "CoinsMinted"
        assert json.loads(verdict.event.payload)["accountId"] == account
        (block,) = await blocks_up_to(ledger, verdict.block_number, verdict.block_number)
        (entry,) = entries_of([block], verdict.transaction_id)
        assert entry.event == verdict.event
        assert any(account in write.key for write in entry.writes)
        assert await balance(ledger, account) == 7

    async def test_the_result_of_the_endorsement_is_returned(self) -> None:
        """What the function returned comes with the envelope, before anything is ordered."""
        ledger, account = await self.client(), new_account()

        envelope = await ledger.prepare(transfers((account, new_account(), 1)))

        assert json.loads(envelope.result) == {"commands": 1}

    async def test_an_unknown_transaction_has_no_verdict(self) -> None:
        """The answer is None, at once; nobody waits for a transaction that may never come."""
        ledger = await self.client()

        async with asyncio.timeout(30):
            assert await ledger.verdict(TransactionId("ab" * 32)) is None

    async def test_evaluate_records_nothing(self) -> None:
        """Evaluating a writing function returns its answer and changes nothing."""
        ledger, account = await self.client(), new_account()

        await ledger.evaluate(mint(account))

        assert await balance(ledger, account) is None

    async def test_a_batch_settles_each_command_on_its_own(self) -> None:
        """One transaction carries an outcome for each command; a refused one has no effect."""
        ledger, rich, poor = await self.client(), new_account(), new_account()
        await commit(ledger, mint(rich, 1_000_000))
        await commit(ledger, mint(poor, 1))

        verdict = await commit(ledger, transfers((rich, poor, 1_000), (poor, rich, 999_999)))

        assert verdict.event is not None
        outcomes = parse_outcomes(verdict.event.payload)
        assert [outcome.code for outcome in outcomes] == [None, RefusalCode.INSUFFICIENT_FUNDS]
        assert await balance(ledger, poor) == 1_001

    # ------------------------------------------------------------ refusals

    async def test_a_contracts_refusal_fails_the_endorsement_with_its_code(self) -> None:
        """A refusal is permanent, has a code, and leaves nothing behind."""
        ledger, account = await self.client(), new_account()

        with pytest.raises(EndorseError) as caught:
            await ledger.prepare(mint(account, 0))

        assert caught.value.refusal is not None
        assert caught.value.refusal.code is RefusalCode.AMOUNT_NOT_POSITIVE
        assert not caught.value.is_transient

    async def test_the_role_that_signs_is_the_role_that_the_contract_sees(self) -> None:
        """A partner may not mint: the contract says so, not the client."""
        ledger = await self.client()

        with pytest.raises(EndorseError) as caught:
            await ledger.prepare(mint(new_account(), role=LedgerRole.PARTNER_API))

        assert caught.value.refusal is not None
        assert caught.value.refusal.code is RefusalCode.ROLE_REQUIRED

    async def test_an_unknown_function_is_refused(self) -> None:
        """There is no default contract."""
        ledger = await self.client()
        proposal = Proposal(function="NoContract:Nothing", arguments=(), role=LedgerRole.ADMIN)

        with pytest.raises(EndorseError) as caught:
            await ledger.prepare(proposal)

        assert caught.value.refusal is not None
        assert caught.value.refusal.code is RefusalCode.UNKNOWN_FUNCTION

    async def test_a_refused_read_fails_the_evaluation_with_its_code(self) -> None:
        """Reading an account that does not exist is refused, not answered with nothing."""
        ledger = await self.client()

        with pytest.raises(EvaluateError) as caught:
            await ledger.evaluate(balance_query(new_account()))

        assert caught.value.refusal is not None
        assert caught.value.refusal.code is RefusalCode.ACCOUNT_NOT_FOUND

    # ------------------------------------------------------------ the block stream

    async def test_the_chain_is_linked_without_a_gap(self) -> None:
        """Numbers follow each other, and each block names the hash of the one before."""
        ledger = await self.client()
        for _ in range(3):
            await commit(ledger, mint(new_account()))
        info = await ledger.chain_info()

        blocks = await blocks_up_to(ledger, 0, info.height - 1)

        assert [block.number for block in blocks] == list(range(info.height))
        assert blocks[0].hash == info.genesis_hash
        for before, after in pairwise(blocks):
            assert after.previous_hash == before.hash

    async def test_a_stream_resumes_from_any_checkpoint(self) -> None:
        """The blocks from number n on are the same whoever asks, and whenever."""
        ledger = await self.client()
        for _ in range(4):
            await commit(ledger, mint(new_account()))
        height = (await ledger.chain_info()).height

        whole = await blocks_up_to(ledger, 0, height - 1)
        rest = await blocks_up_to(await self.client(), height - 3, height - 1)

        assert rest == whole[-3:]

    async def test_a_stream_waits_for_blocks_that_do_not_exist_yet(self) -> None:
        """A follower of the tip gets the next block when it is committed, not before."""
        ledger, account = await self.client(), new_account()
        height = (await ledger.chain_info()).height
        following = asyncio.create_task(blocks_up_to(ledger, height, height))
        await asyncio.sleep(0.1)
        assert not following.done()

        verdict = await commit(ledger, mint(account))

        (block,) = await following
        assert block.number == height
        assert verdict.block_number >= height

    async def test_every_follower_sees_the_same_chain(self) -> None:
        """Two followers, one of them slow, receive all blocks in order."""
        ledger = await self.client()
        first = (await ledger.chain_info()).height
        last = first + 4

        async def follow(pause_s: float) -> list[Block]:
            seen: list[Block] = []
            async for block in ledger.blocks(BlockNumber(first)):
                seen.append(block)
                await asyncio.sleep(pause_s)
                if block.number == last:
                    break
            return seen

        following = [asyncio.create_task(follow(pause_s)) for pause_s in (0, 0.05)]
        while (await ledger.chain_info()).height <= last:
            await commit(ledger, mint(new_account()))

        async with asyncio.timeout(TIMEOUT_S):
            fast, slow = await asyncio.gather(*following)
        assert fast == slow

    async def test_a_blocks_time_is_its_newest_transactions(self) -> None:
        """Lag is counted from the time that the contracts saw."""
        ledger = await self.client()
        verdict = await commit(ledger, mint(new_account()))

        (block,) = await blocks_up_to(ledger, verdict.block_number, verdict.block_number)

        assert block.timestamp_ms == max(entry.timestamp_ms for entry in block.transactions)
        assert (await ledger.chain_info()).newest_timestamp_ms >= block.timestamp_ms

    async def test_a_stream_that_breaks_says_so(self) -> None:
        """A dead ledger ends its streams with an error; reopening resumes where one stopped."""
        ledger = await self.client()
        verdict = await commit(ledger, mint(new_account()))
        stream = ledger.blocks(verdict.block_number)
        assert (await anext(stream)).number == verdict.block_number

        await self.stop()
        with pytest.raises((StreamError, LedgerUnavailableError)):
            async with asyncio.timeout(TIMEOUT_S):
                await take(stream, lambda _block: False)
        await self.start()

        (again,) = await blocks_up_to(ledger, verdict.block_number, verdict.block_number)
        assert entries_of([again], verdict.transaction_id)

    # ------------------------------------------------------------ identity and outages

    async def test_a_chain_is_the_same_after_a_restart(self) -> None:
        """Height does not shrink and the genesis hash does not change."""
        ledger = await self.client()
        await commit(ledger, mint(new_account()))
        before = await ledger.chain_info()

        await self.stop()
        await self.start()
        after = await ledger.chain_info()

        assert after.genesis_hash == before.genesis_hash
        assert after.height >= before.height

    async def test_an_outage_fails_every_call_and_ends_by_itself(self) -> None:
        """While nobody answers, calls fail as unavailable; afterwards the same client works."""
        ledger, account = await self.client(), new_account()
        envelope = await ledger.prepare(mint(account))

        await self.stop()
        for call in (
            ledger.prepare(mint(account)),
            ledger.evaluate(balance_query(account)),
            ledger.verdict(envelope.transaction_id),
            ledger.chain_info(),
        ):
            with pytest.raises(LedgerError) as caught:
                await call
            assert caught.value.is_transient
        with pytest.raises((SubmitError, LedgerUnavailableError)):
            await ledger.submit(envelope)
        await self.start()

        await ledger.submit(envelope)
        assert (await settled(ledger, envelope.transaction_id)).validation_code == "VALID"

    async def test_a_closed_client_is_of_no_more_use(self) -> None:
        """Later calls say so instead of opening a connection that nobody closes."""
        ledger = await self.client()
        await ledger.close()

        with pytest.raises(LedgerUnavailableError):
            await ledger.chain_info()

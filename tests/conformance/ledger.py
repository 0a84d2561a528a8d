"""What every ledger promises its clients, whatever runs beneath: subclass it for each adapter.

It uses the project's own contracts, on accounts that no other test touches, so that it can run
on a network which many tests share.
"""

import abc
import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from gx.domain.batches import BATCH_FUNCTION, BatchItem, encode_items, parse_outcomes
from gx.domain.identifiers import BlockNumber, CommandId, TransactionId
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
    Envelope,
    Ledger,
    LedgerTransaction,
    Proposal,
    ValidationCode,
    Verdict,
)

TIMEOUT_S = 20.0


def new_account() -> str:
    """Name an account that no other test uses."""
    return f"conformance-{secrets.token_hex(6)}"


def mint(account: str, amount: int = 5, role: LedgerRole = LedgerRole.SUPER_ADMIN) -> Proposal:
    """Propose to create coins."""
    arguments = (account, str(amount), "conformance")
    return Proposal(function="TokenomicsContract:Mint", arguments=arguments, role=role)


def transfers(*pairs: tuple[str, str, int]) -> Proposal:
    """Propose a batch of transfers: from, to, amount."""
    items = tuple(
        BatchItem(
            command_id=CommandId(f"command-{secrets.token_hex(8)}"),
            key=secrets.token_hex(32),
            function="TokenomicsContract:Transfer",
            args=(source, target, str(amount), "conformance"),
            actor=source,
        )
        for source, target, amount in pairs
    )
    return Proposal(
        function=BATCH_FUNCTION, arguments=(encode_items(items),), role=LedgerRole.PARTNER_API
    )


def balance_query(account: str) -> Proposal:
    """Propose to read a balance."""
    return Proposal(
        function="TokenomicsContract:GetBalance", arguments=(account,), role=LedgerRole.PARTNER_API
    )


async def balance(ledger: Ledger, account: str) -> int | None:
    """Read a balance; None where there is no such account."""
    try:
        text = await ledger.evaluate(balance_query(account))
    except EvaluateError as error:
        if error.refusal is None or error.refusal.code is not RefusalCode.ACCOUNT_NOT_FOUND:
            raise
        return None
    return int(json.loads(text)["balance"])


async def settled(ledger: Ledger, transaction_id: TransactionId) -> Verdict:
    """Wait for a submitted transaction's verdict."""
    async with asyncio.timeout(TIMEOUT_S):
        while (verdict := await ledger.verdict(transaction_id)) is None:  # noqa: ASYNC110 (the port has no event to wait for)
            await asyncio.sleep(0.02)
    return verdict


async def commit(ledger: Ledger, proposal: Proposal) -> Verdict:
    """Prepare, submit, and wait for the verdict."""
    envelope = await ledger.prepare(proposal)
    await ledger.submit(envelope)
    return await settled(ledger, envelope.transaction_id)


async def take(stream: AsyncIterator[Block], is_last: Callable[[Block], bool]) -> list[Block]:
    """Read blocks up to the first for which `is_last` holds."""
    taken: list[Block] = []
    async with asyncio.timeout(TIMEOUT_S):
        async for block in stream:
            taken.append(block)
            if is_last(block):
                break
    return taken


async def blocks_up_to(ledger: Ledger, first: int, last: int) -> list[Block]:
    """Read the blocks with these numbers."""
    return await take(ledger.blocks(BlockNumber(first)), lambda block: block.number == last)


def entries_of(blocks: list[Block], transaction_id: TransactionId) -> list[LedgerTransaction]:
    """List a transaction's records in blocks, copies included, in order."""
    return [
        entry
        for block in blocks
        for entry in block.transactions
        if entry.transaction_id == transaction_id
    ]


def flipped(content: bytes, at: int) -> bytes:
    """Return the bytes with one of them changed."""
    return content[:at] + bytes((content[at] ^ 0x20,)) + content[at + 1 :]


class LedgerConformance(abc.ABC):
    """Say how to reach a ledger whose system is bootstrapped, and how to break it."""

    @abc.abstractmethod
    async def client(self) -> Ledger:
        """Make another client of the ledger under test; the subclass closes it."""

    @abc.abstractmethod
    async def stop(self) -> None:
        """Kill the ledger's processes, without a word of warning."""

    @abc.abstractmethod
    async def start(self) -> None:
        """Start what was killed; return when calls are answered."""

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

        async with asyncio.timeout(5):
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

    # ------------------------------------------------------------ exactly once

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

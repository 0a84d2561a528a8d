"""One batch on its way: prepare, persist, submit, settle.

Until its envelope is persisted nothing was sent, and any failure may be decided freely. From
then on only a verdict, or the proof that there will be none, ends it.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from gx.domain.batches import BATCH_FUNCTION
from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.domain.refusals import RefusalCode
from gx.ledger.breaker import CircuitOpenError
from gx.ledger.errors import CommitError, EvaluateError, LedgerError
from gx.ledger.ports import Envelope, Proposal, ValidationCode, Verdict
from gx.outbox.ports import Entry, EntryHeldError
from gx.outbox.proposals import build_batch, build_single
from gx.outbox.resolution import NeverOrderedError, Resolution, ResolutionLimits
from gx.outbox.retry import (
    Bury,
    Decision,
    FailedBatch,
    FailureClass,
    Refuse,
    Split,
    TryAgain,
    classify,
    decide,
)
from gx.outbox.scheduling import RIDE_FREELY, Batch, Return
from gx.outbox.settlements import (
    Answers,
    duplicates_in,
    is_of_newer_form,
    read_outcomes,
    settle_batch,
    settle_refused,
    settle_single,
)
from gx.outbox.workplace import Trouble, Workplace
from gx.telemetry.upgrades import UpgradeReason

_log: Final = structlog.get_logger(__name__)


class Delivery:
    """The way of one batch. `live` is its envelope if it was persisted before, by whomever."""

    def __init__(self, batch: Batch, place: Workplace, *, live: Envelope | None = None) -> None:
        self._batch = batch
        self._entries = batch.entries
        self._place = place
        self._live = live
        self._is_batching = place.is_batching  # of now: what it is later is about later batches
        self._began_s = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Bring the batch to its settlement, or back to where it waits.

        Raises:
            LeaseLostError: Somebody else is active; he resolves what was persisted.
        """
        if self._live is not None:
            await self._finish(self._live, is_fresh=False)
            return
        envelope = await self._prepare()
        if envelope is not None:
            await self._finish(envelope, is_fresh=True)

    # ------------------------------------------------------------ before anything is sent

    async def _prepare(self) -> Envelope | None:
        """Endorse, sign and persist; None when the batch waits again or is answered."""
        if len(self._entries) > 1 and not self._place.is_batching:
            self._return(self._entries, delay_s=0, company_max=RIDE_FREELY)
            return None
        try:
            proposal = self._build()
            envelope = await self._endorse(proposal)
        except CircuitOpenError as error:
            await self._decide(error)
            return None
        except Exception as error:  # noqa: BLE001 (nothing was sent: every failure may be decided)
            if self._knows_no_batches(error):
                return None
            self._count_failure(error)
            await self._decide(error)
            return None
        return await self._persist(envelope)

    async def _endorse(self, proposal: Proposal) -> Envelope:
        """Prepare the transaction; how long it takes decides how large the next batches are."""
        pace, time_s = self._place.pace, asyncio.get_running_loop().time
        began_s = time_s()
        try:
            envelope = await self._place.ledger.prepare(proposal)
        except LedgerError:
            pace.failed(len(self._entries), time_s() - began_s)
            raise
        pace.endorsed(len(self._entries), time_s() - began_s)
        return envelope

    def _build(self) -> Proposal:
        if self._is_batching:
            return build_batch(self._entries)
        return build_single(self._entries[0])

    def _knows_no_batches(self, error: Exception) -> bool:
        """Fall back to one transaction a command, if that is what the chaincode says.

        Then the refusal is about `Batch:Execute`, and of no command.
        """
        is_unknown = (
            isinstance(error, EvaluateError)
            and error.refusal is not None
            and error.refusal.code is RefusalCode.UNKNOWN_FUNCTION
        )
        if not (is_unknown and self._is_batching):
            return False
        if self._place.is_batching:
            _log.warning("batching_turned_off", reason=f"the chaincode has no {BATCH_FUNCTION}")
        self._place.is_batching = False
        self._return(self._entries, delay_s=0, company_max=RIDE_FREELY)
        return True

    async def _persist(self, envelope: Envelope) -> Envelope | None:
        place = self._place
        try:
            await place.write(lambda: place.store.persist(place.lease, envelope, self._entries))
        except EntryHeldError as error:
            # What memory says is outdated. Forget it; the rescan reads what is true.
            _log.warning("entries_were_held", error=error)
            place.release(self._batch, ())
            return None
        place.accounts.transaction_began(len(self._entries))
        return envelope

    # ------------------------------------------------------------ from the bytes to the answers

    async def _finish(self, envelope: Envelope, *, is_fresh: bool) -> None:
        try:
            verdict = await self._resolve(envelope, is_fresh=is_fresh)
        except NeverOrderedError as error:
            self._place.accounts.transaction_failed()
            await self._abandon(envelope, error)
            return
        elapsed_s = asyncio.get_running_loop().time() - self._began_s
        self._place.accounts.transaction_ended(verdict.validation_code, elapsed_s)
        if verdict.validation_code is ValidationCode.VALID:
            await self._settle(envelope, verdict)
        else:
            invalid = CommitError(envelope.transaction_id, verdict.validation_code)
            await self._abandon(envelope, invalid)

    async def _resolve(self, envelope: Envelope, *, is_fresh: bool) -> Verdict:
        place = self._place
        limits = ResolutionLimits(
            verdict_timeout_s=place.options.verdict_timeout_s,
            refused_for_good_s=place.options.refused_for_good_s,
        )
        tries = 0
        while True:
            resolution = Resolution(
                envelope,
                ledger=place.ledger,
                desk=place.desk,
                limits=limits,
                delay_s=place.delay_s,
                is_fresh=is_fresh and not tries,
            )
            try:
                return await resolution.resolve()
            except NeverOrderedError:
                raise
            except Exception:  # noqa: BLE001 (an unforeseen answer is no verdict)
                _log.exception("resolution_failed", transaction_id=envelope.transaction_id)
            tries += 1
            await asyncio.sleep(place.delay_s(tries))

    async def _settle(self, envelope: Envelope, verdict: Verdict) -> None:
        """Store the answers. The scopes are free before that: the ledger shows the effects."""
        self._forget_troubles()
        self._place.release(self._batch, ())
        self._place.accounts.committed(self._entries)
        unanswered = await self._store_answers(envelope, verdict, self._entries)
        if unanswered:
            await self._wait_for_answers(envelope, verdict, unanswered)
        self._place.accounts.batch_settled(asyncio.get_running_loop().time() - self._began_s)

    async def _store_answers(
        self, envelope: Envelope, verdict: Verdict, entries: Sequence[Entry]
    ) -> Sequence[Entry]:
        """Settle what is answered and return the rest, which the envelope goes on holding."""
        place = self._place
        answers = await self._answers(envelope, verdict, entries)
        settlements = answers.settlements
        forgotten = None if answers.unanswered else envelope.transaction_id
        if settlements or forgotten is not None:
            await place.write(lambda: place.store.settle(place.lease, forgotten, settlements))
        place.accounts.settled(entries, settlements)
        _log.debug(
            "transaction_settled",
            transaction_id=envelope.transaction_id,
            block_number=verdict.block_number,
            commands=len(settlements),
        )
        return answers.unanswered

    async def _wait_for_answers(
        self, envelope: Envelope, verdict: Verdict, unanswered: Sequence[Entry]
    ) -> None:
        """Ask for the outcomes until they can be read, if need be by the next release.

        Whether the commands took effect is on the ledger. To give them up or to send them again
        would be to guess.
        """
        place = self._place
        place.set_aside()
        place.accounts.unanswered(unanswered)
        tries = 0
        while unanswered:
            place.accounts.transaction_failed()
            if is_of_newer_form(verdict):
                place.accounts.needs_upgrade(UpgradeReason.OUTCOME)
            _log.error(
                "outcomes_unreadable",
                transaction_id=envelope.transaction_id,
                block_number=verdict.block_number,
                command_ids=[entry.command_id for entry in unanswered[:10]],
                commands=len(unanswered),
                advice="the envelope is kept; run the release that the chaincode belongs to",
            )
            tries += 1
            await asyncio.sleep(place.delay_s(tries))
            verdict = await self._look_again(envelope) or verdict
            unanswered = await self._store_answers(envelope, verdict, unanswered)
        place.accounts.needs_no_upgrade(UpgradeReason.OUTCOME)

    async def _look_again(self, envelope: Envelope) -> Verdict | None:
        try:
            return await self._place.ledger.verdict(envelope.transaction_id)
        except LedgerError:
            return None
        except Exception:  # noqa: BLE001 (what cannot be read must not end the others' term)
            _log.exception("verdict_unreadable", transaction_id=envelope.transaction_id)
            return None

    async def _answers(
        self, envelope: Envelope, verdict: Verdict, entries: Sequence[Entry]
    ) -> Answers:
        outcomes = read_outcomes(verdict)
        was_batch = len(self._entries) > 1 or (self._live is None and self._is_batching)
        if outcomes is None and not was_batch:
            return settle_single(self._entries[0], verdict, envelope.result)
        first_blocks: dict[TransactionId, BlockNumber] = {}
        for transaction_id in duplicates_in(outcomes or {}):
            try:
                first = await self._place.ledger.verdict(transaction_id)
            except LedgerError:
                continue  # this block is later than that one, and does as well
            if first is not None:
                first_blocks[transaction_id] = first.block_number
        return settle_batch(entries, verdict, outcomes or {}, first_blocks)

    async def _abandon(self, envelope: Envelope, error: LedgerError) -> None:
        """Let the commands wait again: this transaction id is dead for good."""
        place = self._place
        _log.warning("transaction_abandoned", code=error.code, error=error)
        place.accounts.transaction_abandoned(
            error.validation_code if isinstance(error, CommitError) else None
        )
        await place.write(
            lambda: place.store.abandon(place.lease, TransactionId(envelope.transaction_id))
        )
        await self._decide(error)

    # ------------------------------------------------------------ failures

    def _count_failure(self, error: Exception) -> None:
        """A refusal by a contract is not an error of the ledger."""
        failure = classify(error)
        if failure is not FailureClass.REFUSAL:
            self._place.accounts.transaction_failed()
        if failure is FailureClass.NEWER:
            self._place.accounts.needs_upgrade(UpgradeReason.COMMAND)
        _log.warning("batch_failed", failure=failure, commands=len(self._entries), error=error)

    async def _decide(self, error: Exception) -> None:
        place = self._place
        before = [place.troubles.get(entry.command_id, Trouble()) for entry in self._entries]
        is_outage = classify(error) is FailureClass.OUTAGE
        failed = FailedBatch(
            commands=len(self._entries),
            tries=1 + max(trouble.tries for trouble in before),
            waited_s=max(trouble.waited_s for trouble in before),
            attempts=self._entries[0].attempts,
            is_ledger_answering=not is_outage and await place.ledger.is_answering(),
        )
        options = place.options
        decision = decide(error, failed, policy=options.retry, random=options.random)
        if failed.is_ledger_answering:
            self._remember(failed, decision)
        if isinstance(decision, TryAgain | Split) and not isinstance(error, CircuitOpenError):
            place.accounts.retried(self._entries)
        await self._act(decision, error, is_outage=is_outage)

    def _remember(self, failed: FailedBatch, decision: Decision) -> None:
        """Add to the commands' troubles; what was charged is paid."""
        waited_s = 0.0
        if isinstance(decision, TryAgain) and not decision.is_attempt:
            waited_s = failed.waited_s + decision.delay_s
        trouble = Trouble(failed.tries, waited_s)
        self._place.troubles.update((entry.command_id, trouble) for entry in self._entries)

    async def _act(self, decision: Decision, error: Exception, *, is_outage: bool) -> None:
        match decision:
            case TryAgain(delay_s, is_attempt=True):
                self._return([await self._charge(error, delay_s)], delay_s=delay_s, company_max=1)
            case TryAgain(delay_s):
                company_max = RIDE_FREELY if is_outage else len(self._entries)
                self._return(self._entries, delay_s=delay_s, company_max=company_max)
            case Split(company_max):
                self._forget_troubles()
                self._return(self._entries, delay_s=0, company_max=company_max)
            case Refuse(refusal):
                settlement = settle_refused(self._entries[0], refusal)
                self._forget_troubles()
                await self._place.write(
                    lambda: self._place.store.settle(self._place.lease, None, [settlement])
                )
                self._place.accounts.settled(self._entries, [settlement])
                self._place.release(self._batch, ())
            case Bury(reason):
                self._forget_troubles()
                await self._charge(error, 0)
                await self._bury(self._entries[0], reason)
                self._place.release(self._batch, ())

    def _return(self, entries: Sequence[Entry], *, delay_s: float, company_max: int) -> None:
        """Let the entries wait in memory; what is stored of them stays as it is."""
        due_at_ms = EpochMs(self._place.clock.now_ms() + round(delay_s * 1000))
        self._place.release(
            self._batch,
            [Return(entry=e, due_at_ms=due_at_ms, company_max=company_max) for e in entries],
        )

    async def _charge(self, error: Exception, delay_s: float) -> Entry:
        """Store an attempt of a command that flew alone, with what came of it."""
        place, entry = self._place, self._entries[0]
        until_ms = EpochMs(place.clock.now_ms() + round(delay_s * 1000))
        await place.write(
            lambda: place.store.postpone(
                place.lease, [entry], until_ms=until_ms, reason=str(error), is_attempt=True
            )
        )
        return msgspec.structs.replace(entry, attempts=entry.attempts + 1, due_at_ms=until_ms)

    async def _bury(self, entry: Entry, reason: str) -> None:
        place = self._place
        await place.write(lambda: place.store.bury(place.lease, entry, reason=reason))
        place.accounts.buried(entry)
        _log.error("command_buried", command_id=entry.command_id, reason=reason)

    def _forget_troubles(self) -> None:
        for entry in self._entries:
            self._place.troubles.pop(entry.command_id, None)

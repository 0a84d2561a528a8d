"""Answers come from the block alone, one for each command, its own."""

from dataclasses import replace

import pytest

from gx.domain.batches import BATCH_EVENT, Outcome, OutcomeKind, encode_outcomes
from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.domain.refusals import RefusalCode
from gx.ledger.errors import NewerBlockError
from gx.ledger.ports import Block, ChaincodeEvent, LedgerTransaction, ValidationCode, Verdict
from gx.outbox.comparison import Slice
from gx.outbox.ports import Entry
from gx.outbox.settlements import (
    duplicates_in,
    is_of_newer_form,
    read_outcomes,
    settle_batch,
    settle_single,
)
from tests.outbox.builders import an_entry

TX, EARLIER = TransactionId("f" * 64), TransactionId("e" * 64)


def a_verdict(event: ChaincodeEvent | None) -> Verdict:
    """Build the verdict on a valid transaction in block 9."""
    return Verdict(
        transaction_id=TX,
        validation_code=ValidationCode.VALID,
        block_number=BlockNumber(9),
        event=event,
    )


def a_batch_event(*outcomes: Outcome) -> ChaincodeEvent:
    """Build the one event of a batch."""
    return ChaincodeEvent(name=BATCH_EVENT, payload=encode_outcomes(outcomes))


def an_outcome(entry: Entry, *, duplicate_of: str | None = None) -> Outcome:
    """Build the ledger's yes to an entry."""
    return Outcome(
        command_id=entry.command_id,
        outcome=OutcomeKind.COMMITTED,
        result={"of": str(entry.seq)},
        duplicate_of=duplicate_of,
    )


def test_each_command_gets_its_own_outcome() -> None:
    """Matched by id, whatever order the outcomes stand in."""
    first, second = an_entry(1), an_entry(2)
    refusal = Outcome(
        command_id=second.command_id,
        outcome=OutcomeKind.REJECTED,
        code=RefusalCode.ACCOUNT_FROZEN,
        detail="frozen",
    )
    verdict = a_verdict(a_batch_event(refusal, an_outcome(first)))
    outcomes = read_outcomes(verdict)
    assert outcomes is not None

    answers = settle_batch([first, second], verdict, outcomes, {})

    yes, no = answers.settlements
    assert (yes.command_id, yes.outcome, yes.result) == (
        first.command_id,
        OutcomeKind.COMMITTED,
        {"of": "1"},
    )
    assert (no.command_id, no.code, no.detail) == (
        second.command_id,
        RefusalCode.ACCOUNT_FROZEN,
        "frozen",
    )
    assert {answer.block_number for answer in answers.settlements} == {9}
    assert list(answers.unanswered) == []


def test_a_repeated_key_names_the_transaction_in_which_it_took_effect() -> None:
    """And its block, as far as that is known; else this block, which is later, does as well."""
    entry = an_entry(1)
    verdict = a_verdict(a_batch_event(an_outcome(entry, duplicate_of=EARLIER)))
    outcomes = read_outcomes(verdict)
    assert outcomes is not None
    assert duplicates_in(outcomes) == {EARLIER}

    (known,) = settle_batch([entry], verdict, outcomes, {EARLIER: BlockNumber(4)}).settlements
    (unknown,) = settle_batch([entry], verdict, outcomes, {}).settlements

    assert (known.transaction_id, known.block_number) == (EARLIER, 4)
    assert (unknown.transaction_id, unknown.block_number) == (EARLIER, 9)


def test_a_command_without_an_outcome_is_not_answered() -> None:
    """Nothing is made up for it."""
    first, second = an_entry(1), an_entry(2)
    verdict = a_verdict(a_batch_event(an_outcome(first)))
    outcomes = read_outcomes(verdict)
    assert outcomes is not None

    answers = settle_batch([first, second], verdict, outcomes, {})

    assert [answer.command_id for answer in answers.settlements] == [first.command_id]
    assert list(answers.unanswered) == [second]


def test_an_event_that_cannot_be_read_answers_nobody() -> None:
    """A torn payload is neither yes nor no."""
    for payload in ("not JSON", "{}", '{"outcomes":[{"commandId":"x"}]}'):
        verdict = a_verdict(ChaincodeEvent(name=BATCH_EVENT, payload=payload))
        assert read_outcomes(verdict) == {}


def test_a_code_of_a_newer_ledger_is_kept_as_it_is() -> None:
    """Fault: one refusal for a reason that this release does not know buried its whole batch."""
    first, second = an_entry(1), an_entry(2)
    refusal = Outcome(
        command_id=second.command_id,
        outcome=OutcomeKind.REJECTED,
        code=RefusalCode.ACCOUNT_FROZEN,
        detail="why",
    )
    event = a_batch_event(an_outcome(first), refusal)
    newer = replace(event, payload=event.payload.replace("ACCOUNT_FROZEN", "OF_NEXT_YEAR"))

    outcomes = read_outcomes(a_verdict(newer))

    assert outcomes is not None
    answers = settle_batch([first, second], a_verdict(newer), outcomes, {})
    assert [answer.code for answer in answers.settlements] == [None, "OF_NEXT_YEAR"]
    assert list(answers.unanswered) == []


def test_one_outcome_that_cannot_be_read_takes_no_other_along() -> None:
    """Only its own command is unanswered."""
    first, second, third = an_entry(1), an_entry(2), an_entry(3)
    event = a_batch_event(*(an_outcome(entry) for entry in (first, second, third)))
    strange = event.payload.replace('"result":{"of":"2"}', '"result":"of an unknown shape"')
    assert strange != event.payload

    outcomes = read_outcomes(a_verdict(replace(event, payload=strange)))

    assert outcomes is not None
    assert outcomes.keys() == {first.command_id, third.command_id}


@pytest.mark.parametrize(
    "payload",
    [
        '{"outcomes":[{"commandId":"c","outcome":"COMMITTED"}],"schemaVersion":2}',
        '{"outcomes":{"c":"YES"},"schemaVersion":2}',
    ],
)
def test_no_answer_is_read_from_a_batch_of_a_newer_form(payload: str) -> None:
    """What looks like one may mean something else; and comparing with the record waits, too."""
    verdict = a_verdict(ChaincodeEvent(name=BATCH_EVENT, payload=payload))

    assert read_outcomes(verdict) == {}
    assert is_of_newer_form(verdict)
    with pytest.raises(NewerBlockError, match="block 9"):
        Slice().read(a_block(verdict))


def test_a_batch_of_the_first_form_need_not_say_so() -> None:
    """The ledger's blocks of before have no version."""
    event = a_batch_event(an_outcome(an_entry(1)))
    stated = replace(event, payload=event.payload.replace("{", '{"schemaVersion":1,', 1))

    for each in (event, stated):
        outcomes = read_outcomes(a_verdict(each))
        assert outcomes is not None
        assert len(outcomes) == 1
        assert not is_of_newer_form(a_verdict(each))


def a_block(verdict: Verdict) -> Block:
    """Build the block that a verdict is about."""
    transaction = LedgerTransaction(
        transaction_id=verdict.transaction_id,
        validation_code=verdict.validation_code,
        timestamp_ms=EpochMs(0),
        event=verdict.event,
        writes=(),
    )
    return Block(
        number=verdict.block_number,
        hash="",
        previous_hash="",
        timestamp_ms=EpochMs(0),
        transactions=(transaction,),
    )


def test_a_single_transaction_is_its_own_answer() -> None:
    """VALID means that it took effect; what the function returned is the result if it is JSON."""
    entry = an_entry(1)
    event = ChaincodeEvent(name="CoinsMinted", payload="{}")
    assert read_outcomes(a_verdict(event)) is None
    assert read_outcomes(a_verdict(None)) is None

    (with_result,) = settle_single(entry, a_verdict(event), '{"a":1}').settlements
    (without,) = settle_single(entry, a_verdict(None), "").settlements

    assert with_result.result == {"a": 1}
    assert without.result is None
    assert (without.outcome, without.transaction_id) == (OutcomeKind.COMMITTED, TX)

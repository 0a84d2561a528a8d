"""Many commands in one transaction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.chaincode import batch
from gx.chaincode.executor import Refused
from gx.chaincode.idempotency import CommandRecord
from gx.domain.batches import (
    BATCH_EVENT,
    BATCH_FUNCTION,
    BatchItem,
    Outcome,
    OutcomeKind,
    encode_items,
    encode_outcomes,
    parse_outcomes,
)
from gx.domain.codec import decode_object, encode
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.chaincode.dict_stub import DictLedger, DictStub
from tests.chaincode.toy_contract import an_executor

COMMITTED, REJECTED = OutcomeKind.COMMITTED, OutcomeKind.REJECTED


def an_item(
    name: str, *args: str, function: str = "Toy:Count", key: str | None = None
) -> BatchItem:
    """Describe a command named `name`."""
    return BatchItem(
        command_id=CommandId(name), key=key or name, function=function, args=args, actor="grace"
    )


def simulate(ledger: DictLedger, *items: BatchItem) -> DictStub:
    """Execute a batch without committing it."""
    stub = ledger.begin(LedgerRole.ADMIN)
    result = an_executor().execute(stub, BATCH_FUNCTION, [encode_items(items)])
    assert not isinstance(result, Refused), result
    assert decode_object(result.payload) == {"commands": len(items)}
    return stub


def outcomes_of(stub: DictStub) -> tuple[Outcome, ...]:
    """Read the outcomes from the transaction's one event."""
    assert stub.event is not None
    name, payload = stub.event
    assert name == BATCH_EVENT
    return parse_outcomes(payload)


def run(ledger: DictLedger, *items: BatchItem) -> tuple[Outcome, ...]:
    """Execute and commit a batch."""
    stub = simulate(ledger, *items)
    assert stub.commit()
    return outcomes_of(stub)


def count_of(ledger: DictLedger, name: str) -> object:
    """Return a committed counter."""
    return decode_object(ledger.values()[name])["count"]


def test_commands_take_effect_in_order_and_see_each_other() -> None:
    """A later command builds on an earlier one of the same transaction."""
    ledger = DictLedger()

    first, second = run(ledger, an_item("1", "apples", "3"), an_item("2", "apples", "4"))

    assert (first.command_id, first.outcome, first.result) == ("1", COMMITTED, {"count": 3})
    assert (second.command_id, second.outcome, second.result) == ("2", COMMITTED, {"count": 7})
    assert [event["count"] for event in second.events] == [7, 0]
    assert count_of(ledger, "apples") == 7


def test_the_event_is_canonical_json() -> None:
    """One value has one text, also for the event that is put together from pieces."""
    stub = simulate(DictLedger(), an_item("1", "apples", "60"), an_item("2", "apples", "60"))
    assert stub.event is not None
    payload = stub.event[1]

    assert payload == encode(decode_object(payload))
    assert encode_outcomes(parse_outcomes(payload)) == payload


def test_a_refusal_undoes_its_command_alone() -> None:
    """What the refused command wrote is gone; its neighbours stand, and it has a record."""
    ledger = DictLedger()

    first, refused, third = run(
        ledger,
        an_item("1", "apples", "60"),
        an_item("2", "apples", "60"),
        an_item("3", "apples", "5"),
    )

    assert (first.outcome, third.result) == (COMMITTED, {"count": 65})
    assert (refused.outcome, refused.code) == (REJECTED, RefusalCode.AMOUNT_OVERFLOW)
    assert (refused.detail, refused.events, refused.result) == ("apples would be 120", (), None)
    record = CommandRecord.from_text(ledger.values()["cmd_2"])
    assert (record.code, record.detail) == (refused.code, refused.detail)


def test_a_key_seen_before_repeats_its_outcome_and_changes_nothing() -> None:
    """Sent again in another transaction: same answer, no effect, no event, a pointer."""
    ledger = DictLedger()
    original = simulate(ledger, an_item("1", "apples", "3"))
    original.commit()

    (again,) = outcomes_of(stub := simulate(ledger, an_item("1", "apples", "3")))

    assert (again.outcome, again.result, again.events) == (COMMITTED, {"count": 3}, ())
    assert again.duplicate_of == original.transaction_id
    assert stub.writes == {}


def test_a_refusal_is_repeated_too() -> None:
    """A refused key stays refused, even when the reason has gone: a retry is no new request."""
    ledger = DictLedger()
    run(ledger, an_item("full", "apples", "100"))
    (refused,) = run(ledger, an_item("1", "apples", "1"))
    stub = ledger.begin()
    stub.put_states({"apples": '{"count":0}'})
    stub.commit()

    (again,) = run(ledger, an_item("1", "apples", "1"))

    assert (again.outcome, again.code, again.detail) == (REJECTED, refused.code, refused.detail)
    assert again.duplicate_of is not None
    assert count_of(ledger, "apples") == 0


def test_a_key_twice_in_one_batch_takes_effect_once() -> None:
    """The second occurrence is a duplicate of this very transaction."""
    ledger = DictLedger()
    stub = simulate(
        ledger, an_item("1", "apples", "3", key="k"), an_item("2", "apples", "3", key="k")
    )
    stub.commit()

    first, second = outcomes_of(stub)

    assert first.duplicate_of is None
    assert (second.command_id, second.duplicate_of) == ("2", stub.transaction_id)
    assert count_of(ledger, "apples") == 3


@pytest.mark.parametrize("is_same_batch", [True, False])
def test_a_key_cannot_stand_for_another_request(*, is_same_batch: bool) -> None:
    """Reuse is refused, takes no effect, and leaves the first request's record as it was."""
    ledger = DictLedger()
    first = an_item("1", "apples", "3", key="k")
    other = an_item("2", "apples", "4", key="k")
    if is_same_batch:
        outcome = run(ledger, first, other)[1]
    else:
        run(ledger, first)
        (outcome,) = run(ledger, other)

    assert (outcome.outcome, outcome.code) == (REJECTED, RefusalCode.IDEMPOTENCY_KEY_REUSED)
    assert (outcome.duplicate_of, outcome.events) == (None, ())
    assert count_of(ledger, "apples") == 3
    assert run(ledger, first)[0].result == {"count": 3}


@pytest.mark.parametrize("function", ["Toy:Missing", "Toy:Read", BATCH_FUNCTION])
def test_a_batch_holds_commands_only(function: str) -> None:
    """An unknown name, a query or a batch within a batch is refused; the rest goes on."""
    unknown, counted = run(
        DictLedger(), an_item("1", "apples", function=function), an_item("2", "apples", "1")
    )

    assert (unknown.outcome, unknown.code) == (REJECTED, RefusalCode.UNKNOWN_FUNCTION)
    assert counted.outcome is COMMITTED


def test_bad_arguments_are_refused_in_their_place() -> None:
    """A command with a wrong argument is answered like any other refusal."""
    (refused,) = run(DictLedger(), an_item("1", "apples", "1000"))

    assert (refused.outcome, refused.code) == (REJECTED, RefusalCode.ARGUMENT_INVALID)


def test_a_defect_fails_the_transaction_whole() -> None:
    """A poison command leaves nothing behind, neither its neighbours' effects nor an event."""
    ledger = DictLedger()
    stub = ledger.begin(LedgerRole.ADMIN)
    items = (an_item("1", "apples", "1"), an_item("2", "apples", "1", function="Toy:Crash"))

    with pytest.raises(ZeroDivisionError):
        an_executor().execute(stub, BATCH_FUNCTION, [encode_items(items)])

    assert (stub.writes, stub.event) == ({}, None)
    assert run(ledger, items[0])[0].outcome is COMMITTED, "alone it is healthy"


def test_a_batch_reads_in_one_message_and_writes_in_one() -> None:
    """All keys that the commands declare are fetched together, records of requests included."""
    stub = simulate(DictLedger(), *(an_item(f"{i}", f"name{i % 3}", "1") for i in range(10)))

    assert stub.messages == 2
    assert {"gate", "name0", "name1", "name2", "cmd_0", "cmd_9"} <= set(stub.reads)


@pytest.mark.parametrize(
    "args",
    [[], ["[]", "[]"], ["[]"], ["{}"], ["nonsense"], ["[1]"], ['[{"commandId":"1"}]'], ["[1.5]"]],
)
def test_what_is_no_batch_is_refused_whole(args: list[str]) -> None:
    """Without items there is nobody to answer: the call itself is refused."""
    stub = DictLedger().begin(LedgerRole.ADMIN)

    result = an_executor().execute(stub, BATCH_FUNCTION, args)

    assert isinstance(result, Refused)
    assert result.code is RefusalCode.ARGUMENT_INVALID
    assert (stub.writes, stub.event) == ({}, None)


def test_a_batch_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the bound is refused; the bound itself is not."""
    monkeypatch.setattr(batch, "ITEMS_MAX", 2)
    items = [an_item(str(i), "apples", "1") for i in range(3)]

    assert len(run(DictLedger(), *items[:2])) == 2
    result = an_executor().execute(
        DictLedger().begin(LedgerRole.ADMIN), BATCH_FUNCTION, [encode_items(tuple(items))]
    )

    assert isinstance(result, Refused)
    assert "1 to 2 commands, got 3" in result.detail


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from("xy"), st.sampled_from(["1", "60"])),
        min_size=1,
        max_size=12,
    )
)
def test_each_key_takes_effect_at_most_once(calls: list[tuple[str, str, str]]) -> None:
    """However requests are repeated and cut into batches, counters equal the first uses."""
    whole, cut = DictLedger(), DictLedger()
    items = [
        an_item(f"c{number}", name, step, key=key) for number, (key, name, step) in enumerate(calls)
    ]

    together = run(whole, *items)
    apart = [run(cut, item)[0] for item in items]

    answers = [(outcome.outcome, outcome.code, outcome.result) for outcome in together]
    assert answers == [(outcome.outcome, outcome.code, outcome.result) for outcome in apart]
    effects = [outcome for outcome in together if outcome.events]
    assert len(effects) <= len({key for key, _, _ in calls})
    for name in "xy":
        assert whole.values().get(name) == cut.values().get(name)

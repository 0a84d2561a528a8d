"""What no sequence of commands can break."""

import pytest
from hypothesis import given

from gx.domain.batches import Outcome, OutcomeKind
from gx.domain.catalogue import ACTIVATE_TREASURY, COMMANDS_BY_FUNCTION, TRANSFER_TOKENS
from gx.domain.codec import JsonObject
from gx.domain.events import CoinsMinted, parse_event
from gx.domain.identifiers import EpochSeconds
from gx.domain.refusals import RefusalCode
from gx.domain.world_state import AccountRecord, FeeRecord
from tests.contracts.contract_ledger import ContractLedger, a_ledger, coins, give
from tests.contracts.lending_world import add_lending
from tests.contracts.random_commands import BATCHES, RoledCalls, item_maker

ANY_COMMAND_MAY_MEET = {
    RefusalCode.ROLE_REQUIRED,
    RefusalCode.SYSTEM_PAUSED,
    RefusalCode.ARGUMENT_INVALID,
}


def a_small_world() -> ContractLedger:
    """Return a ledger with rich users of two countries, a sending treasury, fees and loans.

    What they hold they have held for so long that it can be taxed.
    """
    ledger = a_ledger(alice="US", bob="CA", carol="US")
    for account in ("alice", "bob", "carol", "wallet", "treasury_US"):
        give(ledger, account, coins(1000))
    ledger.do(ACTIVATE_TREASURY, "US")
    ledger.do(TRANSFER_TOKENS, "alice", "bob", coins(500), "x")
    ledger.ledger.now_s = EpochSeconds(ledger.ledger.now_s + 360 * 86_400)
    add_lending(ledger)
    return ledger


def minted_by(outcomes: tuple[Outcome, ...]) -> int:
    """Add up what the events say was minted."""
    events = [parse_event(event) for outcome in outcomes for event in outcome.events]
    return sum(event.amount for event in events if isinstance(event, CoinsMinted))


def balances(ledger: ContractLedger) -> dict[str, int]:
    """Return every account's balance, fee income added to the operations fund's."""
    held: dict[str, int] = {}
    for key, text in ledger.ledger.values().items():
        if key.startswith("account_"):
            name, amount = key.removeprefix("account_"), AccountRecord.from_text(text).balance
        elif key.startswith("fee_"):
            name, amount = "SYSTEM_OPERATIONS_FUND", FeeRecord.from_text(text).amount
        else:
            continue
        held[name] = held.get(name, 0) + amount
    return held


@given(BATCHES)
def test_the_supply_is_what_is_held_and_what_was_minted(batches: list[RoledCalls]) -> None:
    """Supply = sum of balances = sum of mints after every transaction; no balance below 0."""
    ledger, make = a_small_world(), item_maker()
    minted = ledger.minted()

    for role, calls in batches:
        minted += minted_by(ledger.batch([make(call) for call in calls], role))

        assert ledger.minted() == ledger.total() == minted
        assert min(balances(ledger).values()) >= 0


@given(BATCHES)
def test_events_tell_every_change_of_a_balance(batches: list[RoledCalls]) -> None:
    """Whoever adds up the deltas of the events has the ledger's balances: none is missing."""
    ledger, make = a_small_world(), item_maker()
    told = balances(ledger)

    for role, calls in batches:
        for outcome in ledger.batch([make(call) for call in calls], role):
            for event in outcome.events:
                for change in parse_event(event).changes:
                    told[change.account_id] = told.get(change.account_id, 0) + change.delta

        assert told == balances(ledger)


@given(BATCHES)
def test_timers_told_by_events_are_those_of_the_ledger(batches: list[RoledCalls]) -> None:
    """A fold that knows only the events knows when each account's timer started."""
    ledger, make = a_small_world(), item_maker()
    accounts = [key for key in ledger.ledger.values() if key.startswith("account_")]
    told = {key: ledger.account(key.removeprefix("account_")) for key in accounts}
    timers = {key: record.tax_timer_started_at for key, record in told.items()}

    for role, calls in batches:
        for outcome in ledger.batch([make(call) for call in calls], role):
            for event in map(parse_event, outcome.events):
                for change in event.changes:
                    key = f"account_{change.account_id}"
                    timers.setdefault(key, None)
                    if change.tax_timer is not None:
                        is_started = change.tax_timer.value == "started"
                        timers[key] = event.timestamp if is_started else None

    for key, started_at in timers.items():
        account = ledger.account(key.removeprefix("account_"))
        assert account.tax_timer_started_at == started_at, key


@given(BATCHES)
def test_a_refused_command_writes_nothing_but_its_record(batches: list[RoledCalls]) -> None:
    """And its code is one that the catalogue declares for it, or that any command may meet."""
    ledger, make = a_small_world(), item_maker()

    for role, calls in batches:
        for call in calls:
            item = make(call)
            before = ledger.ledger.values()
            (outcome,) = ledger.batch([item], role)
            if outcome.outcome is OutcomeKind.REJECTED:
                after = ledger.ledger.values()
                changed = {key for key in after if after[key] != before.get(key)}
                assert changed == {f"cmd_{item.key}"}
                assert set(before) <= set(after)
                declared = set(COMMANDS_BY_FUNCTION[item.function].refusals)
                assert outcome.code in declared | ANY_COMMAND_MAY_MEET


def answer(outcome: Outcome) -> JsonObject:
    """Return all that an outcome says but how many transactions the collected fees came from."""
    wire = outcome.to_wire()
    if outcome.result is not None and "keys" in outcome.result:
        wire["result"] = {**outcome.result, "keys": "any"}
        wire["events"] = [{**event, "keys": "any"} for event in outcome.events]
    return wire


def lasting_state(ledger: ContractLedger) -> dict[str, str]:
    """Return the world state without what names a transaction."""
    return {
        key: text
        for key, text in ledger.ledger.values().items()
        if not key.startswith(("cmd_", "fee_", "account_SYSTEM_OPERATIONS_FUND"))
    }


@pytest.mark.timeout(300)
@given(BATCHES)
def test_a_batch_does_what_its_commands_do_one_by_one(batches: list[RoledCalls]) -> None:
    """Same outcomes, same events, same state, however the commands are cut into transactions."""
    whole, make_whole = a_small_world(), item_maker()
    cut, make_cut = a_small_world(), item_maker()

    for role, calls in batches:
        together = whole.batch([make_whole(call) for call in calls], role)
        apart = [cut.batch([make_cut(call)], role)[0] for call in calls]

        assert [answer(outcome) for outcome in together] == [answer(outcome) for outcome in apart]
        assert lasting_state(whole) == lasting_state(cut)
        assert balances(whole) == balances(cut)


@given(BATCHES)
def test_sending_everything_again_changes_nothing(batches: list[RoledCalls]) -> None:
    """A replay of the whole history is answered from the records, without one event."""
    ledger, make = a_small_world(), item_maker()
    sent = [(role, [make(call) for call in calls]) for role, calls in batches]
    first = [ledger.batch(items, role) for role, items in sent]
    before = ledger.ledger.values()

    again = [ledger.batch(items, role) for role, items in sent]

    assert ledger.ledger.values() == before
    for old, new in zip(first, again, strict=True):
        assert [outcome.code for outcome in new] == [outcome.code for outcome in old]
        assert all(not outcome.events and outcome.duplicate_of for outcome in new)

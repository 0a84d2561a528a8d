"""Events are found in blocks as the domain reads them, and none of them is passed over."""

from collections import Counter

import pytest

from gx.domain.batches import BATCH_EVENT, parse_events
from gx.domain.codec import JsonObject, encode
from gx.domain.events import CoinsTransferred
from gx.domain.identifiers import BlockNumber
from gx.ledger.ports import Block
from gx.projection.memory import apply_changes, empty_tables
from gx.projection.reading import EventFoldError, EventPosition, fold_block
from gx.projection.reduction import Effects
from tests.projection.chain import Chain
from tests.projection.events import EXAMPLES, MINTED, UNKNOWN, a_batch


def folded(block: Block, parked: frozenset[EventPosition] = frozenset()) -> Counter[str]:
    """Fold one block and return its counts."""
    counts: Counter[str] = Counter()
    fold_block(block, Effects(), counts, parked)
    return counts


def test_the_last_event_of_a_transaction_overwriting_the_others() -> None:
    """Every event of every command is folded: those of a batch, and those of a direct call."""
    chain = Chain()
    chain.bootstrap("US")
    chain.users("alice")
    genesis = chain.call("TokenomicsContract:DistributeGenesis", "alice")
    batch = chain.raw(BATCH_EVENT, a_batch((MINTED, MINTED), (), (MINTED,)))

    assert folded(chain.committed[0]) == {"SystemBootstrapped": 1, "CoinsMinted": 4}
    assert folded(genesis) == {"GenesisDistributed": 1, "TreasuryAllocated": 1}
    assert folded(batch) == {"CoinsMinted": 3}


def test_entries_say_where_they_come_from() -> None:
    """Position counts over the block, the command is the outcome's, none for a direct call."""
    chain = Chain()
    chain.raw(BATCH_EVENT, a_batch((MINTED,), (), (MINTED,)))
    chain.raw("CoinsMinted", encode(MINTED))
    tables = empty_tables()
    for block in chain.committed:
        effects = Effects()
        fold_block(block, effects, Counter())
        apply_changes(tables, effects.changes())

    entries = tables["account_entries"]

    assert [(key[1:3], row["command_id"]) for key, row in entries.items()] == [
        ((0, 0), "c0"),
        ((0, 1), "c2"),
        ((1, 0), None),
    ]


LONE_SURROGATE = a_batch((MINTED, {**MINTED, "remark": "\ud800"}))


@pytest.mark.parametrize(
    ("name", "payload", "position"),
    [
        pytest.param(BATCH_EVENT, a_batch((MINTED,), (MINTED, UNKNOWN)), 2, id="unknown type"),
        pytest.param(
            BATCH_EVENT, a_batch((MINTED, {**MINTED, "schemaVersion": 2})), 1, id="newer schema"
        ),
        pytest.param(
            BATCH_EVENT, a_batch((MINTED, {**MINTED, "amount": "1.5"})), 1, id="bad amount"
        ),
        pytest.param(
            BATCH_EVENT, a_batch((MINTED, {**MINTED, "remark": "\0"})), 1, id="zero in text"
        ),
        pytest.param(BATCH_EVENT, LONE_SURROGATE, 1, id="surrogate"),
        pytest.param(
            BATCH_EVENT, LONE_SURROGATE.replace("\ud800", r"\ud800"), 1, id="escaped surrogate"
        ),
        pytest.param(
            BATCH_EVENT,
            a_batch((MINTED,)).replace('"remark":"Welcome"', '"remark":1.5'),
            0,
            id="float",
        ),
        pytest.param(BATCH_EVENT, "{}", 0, id="no outcomes"),
        pytest.param(BATCH_EVENT, "no JSON", 0, id="no JSON"),
        pytest.param("CoinsBurned", encode(UNKNOWN), 0, id="unknown direct call"),
        pytest.param("CoinsMinted", encode({**MINTED, "events": [UNKNOWN]}), 1, id="further"),
        pytest.param("CoinsMinted", encode({**MINTED, "events": 5}), 0, id="bad further"),
        pytest.param("CoinsMinted", "[]", 0, id="no object"),
    ],
)
def test_an_event_that_cannot_be_projected_is_named(name: str, payload: str, position: int) -> None:
    """The error says which event it is, so that operators can look at it, or park it."""
    block = Chain().raw(name, payload)

    with pytest.raises(EventFoldError) as failed:
        folded(block)

    assert failed.value.place.position == position
    assert f"event {position} of block 0" in str(failed.value)


TRANSFERRED = next(event for event in EXAMPLES if isinstance(event, CoinsTransferred)).to_payload()
NEWER: JsonObject = {**MINTED, "schemaVersion": 2}
NEWER_TRANSFER: JsonObject = {**TRANSFERRED, "schemaVersion": 2}


@pytest.mark.parametrize(
    ("name", "payload", "position"),
    [
        pytest.param(BATCH_EVENT, a_batch((MINTED, NEWER)), 1, id="event in a batch"),
        pytest.param(BATCH_EVENT, a_batch((TRANSFERRED, NEWER_TRANSFER)), 1, id="transfer"),
        pytest.param("CoinsMinted", encode(NEWER), 0, id="direct call"),
        pytest.param("CoinsMinted", encode({**MINTED, "events": [NEWER]}), 1, id="further"),
        pytest.param(BATCH_EVENT, '{"outcomes":[],"schemaVersion":2}', 0, id="batch"),
        pytest.param(BATCH_EVENT, '{"rows":{},"schemaVersion":7}', 0, id="batch of other form"),
    ],
)
def test_what_a_newer_release_wrote_asks_for_an_upgrade(
    name: str, payload: str, position: int
) -> None:
    """Nothing is wrong with it: the error says who can read it, and advises no parking."""
    with pytest.raises(EventFoldError, match="upgrade the projector") as failed:
        folded(Chain().raw(name, payload))

    assert failed.value.is_newer
    assert failed.value.place.position == position
    assert "this release reads version 1" in str(failed.value)


@pytest.mark.parametrize("stated", ['"schemaVersion":1,', ""])
def test_a_batch_of_the_first_version_need_not_state_it(stated: str) -> None:
    """Blocks from before versions were stay readable."""
    payload = a_batch((MINTED,)).replace('"outcomes"', f'{stated}"outcomes"')

    assert folded(Chain().raw(BATCH_EVENT, payload)) == {"CoinsMinted": 1}


@pytest.mark.parametrize("event", [MINTED, TRANSFERRED])
def test_an_event_of_the_first_version_need_not_state_it(event: JsonObject) -> None:
    """The fast way and the typed way agree."""
    old = {key: value for key, value in event.items() if key != "schemaVersion"}

    assert folded(Chain().raw(BATCH_EVENT, a_batch((old,)))).total() == 1


def test_a_parked_event_is_passed_over_and_only_that() -> None:
    """Positions after a parked event stay what they are."""
    payload = a_batch((MINTED, UNKNOWN, MINTED))
    block = Chain().raw(BATCH_EVENT, payload)

    assert folded(block, frozenset({(BlockNumber(0), 1)})) == {"CoinsMinted": 2}
    with pytest.raises(EventFoldError):
        folded(block, frozenset({(BlockNumber(0), 2)}))


def test_an_unreadable_transaction_is_parked_as_one_event() -> None:
    """Nobody can count the events of a payload that is no JSON."""
    block = Chain().raw(BATCH_EVENT, "no JSON")

    assert not folded(block, frozenset({(BlockNumber(0), 0)}))


@pytest.mark.parametrize("payload", [a_batch((MINTED, MINTED), (), (MINTED,)), a_batch(())])
def test_as_many_events_as_the_domain_reads(payload: str) -> None:
    """Reading fast misses nothing that `gx.domain.batches` finds."""
    block = Chain().raw(BATCH_EVENT, payload)

    assert folded(block).total() == len(parse_events(BATCH_EVENT, payload))

"""Canonical JSON and records."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.amounts import Amount, Delta
from gx.domain.batches import parse_outcomes
from gx.domain.codec import DecodeError, JsonObject, JsonValue, Record, decode, encode
from gx.domain.events import (
    EVENTS,
    AccountChange,
    CoinsMinted,
    TaxTimer,
    UnknownEventError,
    parse_event,
)
from gx.domain.identifiers import AccountId, EpochSeconds
from gx.domain.versions import NewerVersionError

JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(JSON)
def test_a_value_survives_its_text(value: JsonValue) -> None:
    """What was encoded is decoded to the same value, and encodes to the same text again."""
    text = encode(value)

    assert decode(text) == value
    assert encode(decode(text)) == text


@pytest.mark.parametrize("text", ["1.5", '{"a": 1e3}', "NaN", "[Infinity]", "{", '"\ud800'])
def test_floats_and_broken_text_are_refused(text: str) -> None:
    """A float never enters: not in money, not anywhere."""
    with pytest.raises(DecodeError):
        decode(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part(Record):
    amount: Amount
    delta: Delta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole(Record):
    first_part: _Part
    more: tuple[_Part, ...] = ()
    by_name: dict[str, Amount] | None = None


def test_a_record_writes_camel_case_and_amounts_as_text() -> None:
    """Names and money look the same on every wire."""
    whole = _Whole(
        first_part=_Part(amount=Amount(5), delta=Delta(-7)),
        more=(_Part(amount=Amount(2**64 - 1)),),
        by_name={"a": Amount(1)},
    )

    assert whole.to_wire() == {
        "firstPart": {"amount": "5", "delta": "-7"},
        "more": [{"amount": str(2**64 - 1)}],
        "byName": {"a": "1"},
    }
    assert _Whole.from_text(whole.to_text()) == whole


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        ({}, "firstPart"),
        ({"firstPart": 5}, "firstPart"),
        ({"firstPart": {"amount": 5}}, "amount"),
        ({"firstPart": {"amount": "5"}, "more": {}}, "more"),
        ({"firstPart": {"amount": "-5"}}, "amount"),
    ],
)
def test_a_wrong_field_is_named(wire: dict[str, JsonValue], field: str) -> None:
    """Whoever reads the error knows where to look."""
    with pytest.raises(DecodeError, match=field):
        _Whole.from_wire(wire)


def _a_mint() -> CoinsMinted:
    return CoinsMinted(
        timestamp=EpochSeconds(1),
        account_id=AccountId("alice"),
        amount=Amount(5),
        amount_coins="0",
        remark="test",
        changes=(
            AccountChange(
                account_id=AccountId("alice"), delta=Delta(5), tax_timer=TaxTimer.STARTED
            ),
        ),
    )


def test_an_event_survives_its_payload() -> None:
    """The fields of a mint are those that its consumers know, under their wire names."""
    payload = _a_mint().to_payload()

    assert payload == {
        "eventType": "CoinsMinted",
        "schemaVersion": 1,
        "accountId": "alice",
        "amount": "5",
        "amountCoins": "0",
        "remark": "test",
        "timestamp": 1,
        "changes": [{"accountId": "alice", "delta": "5", "taxTimer": "started"}],
    }
    assert parse_event(payload) == _a_mint()


def test_an_event_of_the_future_is_not_guessed_at() -> None:
    """An unknown type stops the reader instead of being half understood."""
    with pytest.raises(UnknownEventError):
        parse_event({**_a_mint().to_payload(), "eventType": "CoinsBurnt"})


def test_a_newer_schema_stops_the_reader_and_says_what_it_reads() -> None:
    """Its fields may mean something else: the error names both versions."""
    with pytest.raises(NewerVersionError, match=r"CoinsMinted has version 2.* reads version 1"):
        parse_event({**_a_mint().to_payload(), "schemaVersion": 2})


def test_an_event_without_a_schema_version_is_of_the_first() -> None:
    """What was written before versions were stays readable."""
    payload = _a_mint().to_payload()
    del payload["schemaVersion"]

    assert parse_event(payload) == _a_mint()


@pytest.mark.parametrize("version", [0, -1, "1", True, [], {}])
def test_a_version_that_is_none_is_an_error_of_the_event(version: JsonValue) -> None:
    """It is damaged, not newer: another release would not read it either."""
    with pytest.raises(DecodeError) as failed:
        parse_event({**_a_mint().to_payload(), "schemaVersion": version})

    assert not isinstance(failed.value, NewerVersionError)


def test_a_batch_states_its_version_like_an_event() -> None:
    """None is the first; a newer one is neither read nor taken for damaged."""
    assert parse_outcomes('{"outcomes":[]}') == ()
    assert parse_outcomes('{"outcomes":[],"schemaVersion":1}') == ()
    with pytest.raises(NewerVersionError, match="BatchExecuted has version 2"):
        parse_outcomes('{"results":[],"schemaVersion":2}')


def test_every_event_has_its_own_wire_name() -> None:
    """One name stands for one event."""
    assert len(EVENTS) == len({event.__name__ for event in EVENTS.values()})
    assert "" not in EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Free(Record):
    result: JsonObject | None = None
    events: tuple[JsonObject, ...] = ()


def test_a_field_of_free_json_takes_every_kind_of_value() -> None:
    """A union of JSON types is no optional: its first type must not be taken for the whole."""
    free: JsonObject = {"text": "a", "number": 1, "list": [True, None], "object": {"b": "c"}}

    assert _Free.from_text(_Free(result=free, events=(free,)).to_text()) == _Free(
        result=free, events=(free,)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Every(Record):
    words: str
    count: int | None = None
    is_on: bool
    timer: TaxTimer
    part: _Part
    parts: tuple[_Part, ...]
    free: JsonObject


@given(
    words=st.text(),
    count=st.none() | st.integers(),
    is_on=st.booleans(),
    free=st.dictionaries(st.text(), JSON),
)
def test_the_short_way_to_text_gives_the_same_text(
    *, words: str, count: int | None, is_on: bool, free: dict[str, JsonValue]
) -> None:
    """One value has one text: a record writes what encoding its wire form would."""
    record = _Every(
        words=words,
        count=count,
        is_on=is_on,
        timer=TaxTimer.STARTED,
        part=_Part(amount=Amount(1), delta=Delta(-1)),
        parts=(_Part(amount=Amount(2)),),
        free=free,
    )

    assert record.to_text() == encode(record.to_wire())
    assert _Every.from_text(record.to_text()) == record


@dataclass(frozen=True, slots=True, kw_only=True)
class _EveryForm(Record):
    zeta: str | None = None
    amounts: tuple[Amount, ...] = ()
    flags: tuple[bool, ...] = ()
    is_open: bool = True
    names: tuple[str, ...] = ()
    timer: TaxTimer | None = None
    whole: int = 0
    anything: JsonObject | None = None


@given(
    st.builds(
        _EveryForm,
        zeta=st.none() | st.text(),
        amounts=st.lists(st.integers(0, 2**64 - 1)).map(tuple),
        flags=st.lists(st.booleans()).map(tuple),
        is_open=st.booleans(),
        names=st.lists(st.text()).map(tuple),
        timer=st.none() | st.sampled_from(TaxTimer),
        whole=st.integers(),
        anything=st.none() | st.dictionaries(st.text(), JSON),
    )
)
def test_a_records_text_is_its_wire_form_written(record: _EveryForm) -> None:
    """The short way to text and the long one meet, whichever fields are absent."""
    assert record.to_text() == encode(record.to_wire())
    assert _EveryForm.from_text(record.to_text()) == record

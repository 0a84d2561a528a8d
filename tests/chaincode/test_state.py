"""The world state as a transaction sees it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.chaincode.state import WorldState
from gx.domain.codec import DecodeError, Record
from tests.chaincode.dict_stub import DictLedger
from tests.chaincode.toy_contract import Counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Record):
    """A record of another type."""

    count: int


def a_ledger(**counters: int) -> DictLedger:
    """Return a ledger that holds these counters."""
    ledger = DictLedger()
    stub = ledger.begin()
    stub.put_states({name: Counter(count=count).to_text() for name, count in counters.items()})
    assert stub.commit()
    return ledger


@contextmanager
def undone(state: WorldState) -> Iterator[None]:
    """Run what is within as a part that fails at its end."""
    with suppress(ZeroDivisionError), state.nested():
        yield
        raise ZeroDivisionError


def counts(state: WorldState, prefix: str) -> dict[str, int]:
    """Return what a scan sees."""
    return {key: record.count for key, record in state.scan(prefix, Counter)}


def test_own_writes_are_seen_although_the_peer_hides_them() -> None:
    """A read after a write answers what was written; a deleted key is gone."""
    state = WorldState(a_ledger(a=1, b=2).begin())

    state.put("a", Counter(count=5))
    state.delete("b")

    assert state.find("a", Counter) == Counter(count=5)
    assert state.find("b", Counter) is None
    assert counts(state, "a") == {"a": 5}


def test_what_a_failed_part_wrote_is_undone() -> None:
    """An exception puts back what stood there before: a record, nothing, or what is committed."""
    state = WorldState(a_ledger(a=1, d=4).begin())
    state.put("b", Counter(count=2))

    with undone(state):
        state.put("a", Counter(count=10))
        state.put("b", Counter(count=20))
        state.put("c", Counter(count=30))
        state.delete("d")

    found = [state.find(key, Counter) for key in "abcd"]
    assert found == [Counter(count=1), Counter(count=2), None, Counter(count=4)]
    assert list(state.writes()) == ["b"]


def test_an_inner_success_falls_with_its_outer_part() -> None:
    """Keeping an inner part means handing it to the outer one, not to the ledger."""
    state = WorldState(a_ledger(a=1).begin())

    with undone(state):
        state.put("a", Counter(count=2))
        with state.nested():
            state.put("a", Counter(count=3))
        assert state.find("a", Counter) == Counter(count=3)

    assert state.find("a", Counter) == Counter(count=1)
    assert state.writes() == {}


def test_a_scan_merges_what_is_committed_with_what_was_written() -> None:
    """New keys stand in their place in byte order, deleted ones are left out."""
    state = WorldState(a_ledger(x_1=1, x_3=3, x_4=4, y=9).begin())
    state.put("x_2", Counter(count=2))
    state.put("x_3", Counter(count=30))
    state.delete("x_4")

    assert list(counts(state, "x_").items()) == [("x_1", 1), ("x_2", 2), ("x_3", 30)]


def test_keys_may_be_deleted_while_they_are_scanned() -> None:
    """A scan lists its keys once; what the caller does to them does not confuse it."""
    state = WorldState(a_ledger(x_1=1, x_2=2).begin())

    for key, _ in state.scan("x_", Counter):
        state.delete(key)

    assert state.writes() == {"x_1": None, "x_2": None}


def test_a_scan_reads_no_further_than_its_caller() -> None:
    """Whoever has enough stops; the rest of the range is neither read nor compared at commit."""
    stub = a_ledger(x_1=1, x_2=2, x_3=3).begin()
    state = WorldState(stub)
    state.put("x_0", Counter(count=0))

    seen = [key for key, _ in islice(state.scan("x_", Counter), 2)]

    assert seen == ["x_0", "x_1"]
    assert set(stub.reads) == {"x_1"}


def test_prefetched_keys_cost_one_message() -> None:
    """Reads of keys that were fetched together ask the peer no more, absent keys included."""
    stub = a_ledger(a=1).begin()
    state = WorldState(stub)

    state.prefetch(["a", "missing", "a"])
    state.prefetch(["missing"])

    assert state.find("a", Counter) == Counter(count=1)
    assert state.find("missing", Counter) is None
    assert stub.messages == 1
    assert set(stub.reads) == {"a", "missing"}


def test_reads_stay_in_the_read_set_when_their_part_is_undone() -> None:
    """A refusal rests on what was read, so it must be compared at commit like a success."""
    stub = a_ledger(a=1).begin()
    state = WorldState(stub)

    with undone(state):
        state.find("a", Counter)

    assert set(stub.reads) == {"a"}


def test_an_own_key_is_never_read_from_the_ledger() -> None:
    """A key with the transaction's id stays out of the read set."""
    stub = a_ledger(a=1).begin()
    state = WorldState(stub)

    assert state.find_own("fee_1", Counter) is None
    state.put("fee_1", Counter(count=1))

    assert state.find_own("fee_1", Counter) == Counter(count=1)
    assert stub.reads == {}


def test_a_record_of_another_type_is_a_defect() -> None:
    """A key holds one type of record; reading it as another fails instead of guessing."""
    state = WorldState(a_ledger(a=1).begin())
    state.find("a", Counter)

    with pytest.raises(TypeError, match="a holds a Counter, asked for a Other"):
        state.find("a", Other)


def test_a_broken_record_is_not_guessed_at() -> None:
    """What cannot be read fails the transaction and names the field."""
    ledger = DictLedger()
    stub = ledger.begin()
    stub.put_states({"a": '{"count":"1"}'})
    stub.commit()

    with pytest.raises(DecodeError, match=r"Counter\.count"):
        WorldState(ledger.begin()).find("a", Counter)


def test_writes_are_handed_over_once_in_byte_order() -> None:
    """The peer gets one message, the same whatever the order of writing; none if there is none."""
    stub = a_ledger(a=1).begin()
    state = WorldState(stub)
    state.flush()
    assert stub.messages == 0

    state.put("b", Counter(count=2))
    state.delete("a")
    state.flush()

    assert list(stub.writes.items()) == [("a", None), ("b", '{"count":2}')]
    assert stub.messages == 1


KEYS = st.sampled_from(["k_1", "k_2", "k_3"])
WRITES = st.tuples(KEYS, st.none() | st.integers(min_value=0, max_value=9))
PARTS = st.lists(st.tuples(st.booleans(), st.lists(WRITES, max_size=4)), max_size=6)
Parts = list[tuple[bool, list[tuple[str, int | None]]]]


def write(state: WorldState, model: dict[str, int], key: str, value: int | None) -> None:
    """Do the same to the state and to its model."""
    if value is None:
        state.delete(key)
        model.pop(key, None)
    else:
        state.put(key, Counter(count=value))
        model[key] = value


def run_part(
    state: WorldState, model: Mapping[str, int], writes: list[tuple[str, int | None]]
) -> dict[str, int]:
    """Make the writes in a nested part and return what the model then holds."""
    changed = dict(model)
    with state.nested():
        for key, value in writes:
            write(state, changed, key, value)
            assert counts(state, "k_") == changed
    return changed


@given(committed=st.dictionaries(KEYS, st.integers(min_value=0, max_value=9)), parts=PARTS)
def test_kept_and_undone_parts_leave_what_a_plain_dict_would(
    committed: dict[str, int], parts: Parts
) -> None:
    """Whatever is written, kept and undone: reads, scans and the write set agree with a model."""
    ledger = a_ledger(**committed)
    stub = ledger.begin()
    state, model = WorldState(stub), dict(committed)

    for is_kept, writes in parts:
        if is_kept:
            model = run_part(state, model, writes)
            continue
        with undone(state):
            run_part(state, model, writes)
        assert counts(state, "k_") == model

    state.flush()
    assert stub.commit()
    assert counts(WorldState(ledger.begin()), "k_") == model

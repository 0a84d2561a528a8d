"""Many changes reduced to one per row have the effect of the many, in their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.projection.changes import Add, Append, Change, Put
from gx.projection.memory import apply_changes, empty_tables
from gx.projection.read_model import UnstorableValueError
from gx.projection.read_models import ACCOUNT_ENTRIES
from gx.projection.reduction import Effects
from tests.conformance.projection import a_credit, an_entry

KEYS = st.sampled_from(["alice", "bob", "carol"])
NUMBERS = st.integers(-1_000, 1_000)

CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(
        Put,
        model=st.just("accounts"),
        key=st.tuples(KEYS),
        values=st.fixed_dictionaries(
            {},
            optional={
                "balance": NUMBERS,
                "status": st.sampled_from(["Active", "Locked"]),
                "tax_timer_started_at": st.none() | NUMBERS,
            },
        ),
    ),
    st.builds(
        Add,
        model=st.just("accounts"),
        key=st.tuples(KEYS),
        deltas=st.fixed_dictionaries({}, optional={"balance": NUMBERS}),
    ),
    st.builds(
        Add,
        model=st.just("countries"),
        key=st.tuples(KEYS),
        deltas=st.fixed_dictionaries({}, optional={"users": NUMBERS, "genesis_users": NUMBERS}),
    ),
)


@given(changes=st.lists(CHANGES, max_size=20), entries=st.sets(st.integers(0, 50), max_size=5))
def test_reduced_changes_have_the_effect_of_all_one_by_one(
    changes: list[Change], entries: set[int]
) -> None:
    """Put wins over what came before it, Add adds to what came before it, whatever the mix."""
    every: list[Change] = [*changes, *(an_entry(number) for number in sorted(entries))]
    one_by_one, reduced = empty_tables(), empty_tables()
    effects = Effects()

    apply_changes(one_by_one, every)
    effects.extend(every)
    apply_changes(reduced, effects.changes())

    assert reduced == one_by_one


@given(changes=st.lists(CHANGES, max_size=20), cut=st.integers(0, 20))
def test_chunks_may_be_cut_anywhere(changes: list[Change], cut: int) -> None:
    """Two chunks have the effect of one."""
    whole, halves = empty_tables(), empty_tables()
    apply_changes(whole, changes)

    for part in (changes[:cut], changes[cut:]):
        effects = Effects()
        effects.extend(part)
        apply_changes(halves, effects.changes())

    assert halves == whole


def test_a_row_is_written_once_however_often_it_changed() -> None:
    """A chunk of a thousand credits to one account is one row."""
    effects = Effects()

    effects.extend([a_credit(1)] * 1_000)

    assert effects.size() == 1


@pytest.mark.parametrize(
    "change",
    [
        a_credit(2**63),
        a_credit(-(2**63) - 1),
        a_credit(1, account_id="a\0b"),
        Put(model="accounts", key=("alice",), values={"status": "\ud800"}),
        Put(model="accounts", key=("alice",), values={"status": None}),
        Put(model="accounts", key=("alice",), values={"status": 5}),
        Put(model="accounts", key=("alice",), values={"balance": "5"}),
        Put(model="accounts", key=("alice",), values={"balance": True}),
        Put(model="users", key=("alice",), values={"age": 2**31}),
        Add(model="accounts", key=("alice",), deltas={"tax_timer_started_at": 1}),
        Add(model="accounts", key=("alice",), deltas={"status": 1}),
        an_entry(1, remark="\0"),
        Append(
            model="account_entries",
            key=("alice", 1, 0, 0),
            values={**an_entry(1).values, "unheard_of": 1},
        ),
    ],
    ids=repr,
)
def test_what_the_database_would_refuse_is_refused_with_its_event(change: Change) -> None:
    """A value that fits no column must stop at its event, not fail a chunk of a thousand others."""
    with pytest.raises(UnstorableValueError):
        Effects().extend([change])


def test_the_largest_amounts_are_storable() -> None:
    """Every amount below the supply cap, and every 64-bit bound, is taken."""
    effects = Effects()

    effects.extend([a_credit(2**63 - 1), a_credit(-(2**63), account_id="bob")])

    assert effects.size() == 2
    assert ACCOUNT_ENTRIES.by_name["delta"].require(2**63 - 1) is None  # type: ignore[func-returns-value]  # that it returns is the test

"""What each event changes: a table of events and the rows that they make."""

from collections.abc import Mapping

import pytest

from gx.domain.events import EVENTS, Event
from gx.domain.identifiers import (
    CHARITABLE_POOL,
    GOVERNMENT_GENESIS_POOL,
    OPERATIONS_FUND,
    USER_GENESIS_POOL,
)
from gx.projection.changes import Add, Key, Value
from gx.projection.folding import MissingFoldError, folds
from gx.projection.folds import assert_complete, fold
from gx.projection.memory import apply_changes, empty_tables
from gx.projection.read_models import READ_MODELS
from tests.projection.events import AT, EXAMPLES, PLACE
from tests.projection.loan_events import LOAN_ROWS
from tests.projection.organization_events import ORGANIZATION_ROWS

Rows = Mapping[str, Mapping[Key, Mapping[str, Value]]]

EXPECTED: Mapping[str, Rows] = {
    "CoinsMinted": {
        "accounts": {("alice",): {"balance": 150_000_000, "tax_timer_started_at": AT}},
        "account_entries": {
            ("alice", 7, 3, 0): {
                "kind": "mint",
                "delta": 150_000_000,
                "counterparty": None,
                "remark": "Welcome",
                "recorded_at": AT,
                "transaction_id": "t7",
                "command_id": "c3",
            }
        },
        "supply": {(True,): {"minted": 150_000_000, "balances": 150_000_000}},
    },
    "TransferEvent": {
        "accounts": {
            ("alice",): {"balance": -105, "tax_timer_started_at": None},
            ("bob",): {"balance": 100},
            (OPERATIONS_FUND,): {"balance": 5},
        },
        "account_entries": {
            ("alice", 7, 3, 0): {"kind": "transfer", "delta": -105, "counterparty": "bob"},
            ("bob", 7, 3, 1): {"kind": "transfer", "delta": 100, "counterparty": "alice"},
            (OPERATIONS_FUND, 7, 3, 2): {"kind": "fee", "delta": 5, "counterparty": "alice"},
        },
    },
    "GenesisDistributed": {
        "accounts": {(USER_GENESIS_POOL,): {"balance": -500}, ("alice",): {"balance": 500}},
        "account_entries": {
            (USER_GENESIS_POOL, 7, 3, 0): {"kind": "genesis", "counterparty": "alice"},
            ("alice", 7, 3, 1): {"kind": "genesis", "counterparty": USER_GENESIS_POOL},
        },
        "users": {("alice",): {"genesis_at": AT, "genesis_phase": 1, "genesis_amount": 500}},
        "countries": {("US",): {"genesis_users": 1, "genesis_user_amount": 500}},
        "genesis": {(True,): {"distributed": 1, "phase": 1, "user_amount": 500}},
    },
    "TreasuryAllocated": {
        "accounts": {
            (GOVERNMENT_GENESIS_POOL,): {"balance": -50},
            ("treasury_US",): {"balance": 50},
        },
        "account_entries": {
            (GOVERNMENT_GENESIS_POOL, 7, 3, 0): {"kind": "treasury", "delta": -50},
            ("treasury_US", 7, 3, 1): {"kind": "treasury", "delta": 50},
        },
        "countries": {("US",): {"genesis_treasury_amount": 50}},
        "genesis": {(True,): {"treasury_amount": 50}},
    },
    "FeesCollected": {"accounts": {(OPERATIONS_FUND,): {"balance": 0}}},
    "WalletFrozen": {
        "accounts": {("alice",): {"is_frozen": True, "freeze_reason": "Reported stolen"}}
    },
    "WalletUnfrozen": {"accounts": {("alice",): {"is_frozen": False, "freeze_reason": None}}},
    "SystemBootstrapped": {
        "system_status": {(True,): {"is_bootstrapped": True, "bootstrapped_at": AT}},
        "system_parameters": {("feeLowerBps",): {"value": "5", "updated_at": AT}},
        "accounts": {
            (USER_GENESIS_POOL,): {"kind": "system", "balance": 0},
            (OPERATIONS_FUND,): {"kind": "system", "balance": 0},
        },
    },
    "CountryDataInitialized": {
        "countries": {
            ("US",): {"percentage": "1.5", "treasury_id": "treasury_US", "opened_at": AT}
        },
        "accounts": {("treasury_US",): {"kind": "treasury", "status": "Locked", "country": "US"}},
    },
    "SystemParameterUpdated": {
        "system_parameters": {("feeLowerBps",): {"value": "6", "updated_at": AT}}
    },
    "SystemPaused": {
        "system_status": {
            (True,): {"is_paused": True, "pause_reason": "Planned upgrade", "paused_at": AT}
        }
    },
    "SystemResumed": {
        "system_status": {(True,): {"is_paused": False, "pause_reason": None, "resumed_at": AT}}
    },
    "AdminAppointed": {"admins": {("grace",): {"appointed_at": AT}}},
    "TreasuryAccountActivated": {"accounts": {("treasury_US",): {"status": "Active"}}},
    "UserCreated": {
        "users": {
            ("alice",): {
                "nationality": "US",
                "age": 34,
                "status": "Active",
                "trust_score": 10,
                "created_at": AT,
            }
        },
        "accounts": {("alice",): {"kind": "user", "status": "Active", "country": "US"}},
        "countries": {("US",): {"users": 1}},
    },
    "UserLocked": {
        "users": {("alice",): {"status": "Locked", "lock_reason": "Court order"}},
        "accounts": {("alice",): {"status": "Locked"}},
    },
    "VelocityTaxApplied": {
        "accounts": {
            ("alice",): {"balance": -15, "tax_timer_started_at": AT},
            ("treasury_US",): {"balance": 10},
            (CHARITABLE_POOL,): {"balance": 5},
        },
        "account_entries": {
            ("alice", 7, 3, 0): {"kind": "tax", "delta": -15, "counterparty": "treasury_US"},
            ("treasury_US", 7, 3, 1): {"kind": "tax", "delta": 10, "counterparty": "alice"},
            (CHARITABLE_POOL, 7, 3, 2): {"kind": "tax", "delta": 5, "counterparty": "alice"},
        },
    },
    "UserUnlocked": {
        "users": {("alice",): {"status": "Active", "lock_reason": None}},
        "accounts": {("alice",): {"status": "Active"}},
    },
    "RelationshipRequested": {
        "relationships": {
            ("alice~PARENT~bob",): {
                "subject_id": "alice",
                "object_id": "bob",
                "type": "PARENT",
                "status": "Requested",
                "requested_at": AT,
            }
        },
    },
    "RelationshipConfirmed": {
        "relationships": {("alice~PARENT~bob",): {"status": "Confirmed", "confirmed_at": AT}},
        "users": {("alice",): {"trust_score": 40}, ("bob",): {"trust_score": 20}},
    },
    **ORGANIZATION_ROWS,
    **LOAN_ROWS,
}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.WIRE_NAME)
def test_an_event_makes_these_rows_and_no_others(event: Event) -> None:
    """On empty tables the event makes the rows of the table above, the rest being defaults."""
    expected = EXPECTED[event.WIRE_NAME]
    tables = empty_tables()

    apply_changes(tables, fold(event, PLACE))

    made = {name: set(rows) for name, rows in tables.items() if rows}
    assert made == {name: set(rows) for name, rows in expected.items()}
    for name, rows in expected.items():
        for key, columns in rows.items():
            row = tables[name][key]
            assert {column: row[column] for column in columns} == columns
            if not READ_MODELS[name].is_append_only:
                assert row == {**READ_MODELS[name].defaults, **columns}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.WIRE_NAME)
def test_every_delta_reaches_its_balance(event: Event) -> None:
    """No fold may lose a change that the event carries, nor add one that it does not."""
    added: dict[str, int] = {}
    for change in fold(event, PLACE):
        if isinstance(change, Add) and change.model == "accounts":
            name = str(change.key[0])
            added[name] = added.get(name, 0) + change.deltas["balance"]

    assert added == {change.account_id: change.delta for change in event.changes}


def test_a_command_or_event_nobody_handles() -> None:
    """Every event of the domain has a fold, and this file an example of it."""
    assert_complete()
    assert {event.WIRE_NAME for event in EXAMPLES} == set(EVENTS) == set(EXPECTED)


def test_a_missing_fold_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start-up check says which event type has no fold."""
    monkeypatch.setitem(EVENTS, "CoinsBurned", Event)

    with pytest.raises(MissingFoldError, match="CoinsBurned"):
        assert_complete()
    with pytest.raises(MissingFoldError, match="Event"):
        fold(Event(timestamp=AT), PLACE)


def test_a_second_fold_for_one_event_is_refused() -> None:
    """Two folds would leave it to chance which of them counts."""
    with pytest.raises(MissingFoldError, match="two folds"):
        folds(type(EXAMPLES[0]))(fold)

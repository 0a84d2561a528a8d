"""IdentityContract: registration and locking."""

import pytest

from gx.domain.amounts import Amount
from gx.domain.catalogue import (
    CREATE_USER,
    DISTRIBUTE_GENESIS,
    FREEZE_WALLET,
    LOCK_USER,
    TRANSFER_TOKENS,
    UNLOCK_USER,
)
from gx.domain.events import AccountStatus, UserCreated, UserLocked, UserUnlocked
from gx.domain.refusals import RefusalCode
from gx.domain.world_state import AccountKind, AccountRecord
from tests.chaincode.dict_stub import START_S
from tests.contracts.contract_ledger import a_hash, a_ledger, coins, give


def test_a_new_user_is_active_with_an_empty_wallet() -> None:
    """Trust 10, status Active, a wallet at 0 with the user's country."""
    ledger = a_ledger()

    (event,) = ledger.do(CREATE_USER, "alice", a_hash(1), "US", "34")

    assert isinstance(event, UserCreated)
    assert event.to_payload() == {
        "eventType": "UserCreated",
        "schemaVersion": 1,
        "userId": "alice",
        "nationality": "US",
        "age": 34,
        "status": "Active",
        "trustScore": 10,
        "timestamp": START_S,
        "changes": [{"accountId": "alice", "delta": "0"}],
    }
    account = ledger.account("alice")
    assert (account.balance, account.kind, account.country) == (0, AccountKind.USER, "US")
    assert ledger.query("IdentityContract:GetUser", "alice") == {
        "userId": "alice",
        "nationality": "US",
        "age": 34,
        "status": "Active",
        "trustScore": 10,
        "createdAt": START_S,
    }


def test_a_wallet_opened_by_a_mint_is_handed_over() -> None:
    """Coins that came before the user stay, with frozen state and running tax timer."""
    ledger = a_ledger()
    give(ledger, "alice", coins(200))
    ledger.do(FREEZE_WALLET, "alice", "who is that?")
    assert ledger.account("alice").kind is AccountKind.WALLET

    (event,) = ledger.do(CREATE_USER, "alice", a_hash(1), "CA", "34")

    account = ledger.account("alice")
    assert (account.balance, account.kind) == (int(coins(200)), AccountKind.USER)
    assert (account.country, account.frozen) == ("CA", True)
    assert account.tax_timer_started_at == START_S
    assert [(change.account_id, change.delta) for change in event.changes] == [("alice", 0)]


@pytest.mark.parametrize("user_id", ["SYSTEM_LOAN_POOL", "SYSTEM_x", "treasury_US", "treasury_"])
def test_nobody_registers_under_the_system_s_names(user_id: str) -> None:
    """A user with such an id would pass for the system: free transfers, no tax."""
    ledger = a_ledger()

    assert ledger.refusal(CREATE_USER, user_id, a_hash(1), "US", "34") is (
        RefusalCode.ARGUMENT_INVALID
    )


def test_a_refused_registration_claims_nothing() -> None:
    """Neither id, hash, wallet nor count: the same person can register properly afterwards."""
    ledger = a_ledger()

    assert ledger.refusal(CREATE_USER, "alice", a_hash(1), "FR", "34") is (
        RefusalCode.COUNTRY_UNKNOWN
    )
    assert ledger.query("IdentityContract:UserExists", "alice")["exists"] is False
    ledger.do(CREATE_USER, "alice", a_hash(1), "US", "34")
    assert ledger.query("AdminContract:GetCountryStats", "US")["users"] == 1


def test_one_person_has_one_identity() -> None:
    """Neither the id nor the biometric hash can be used again."""
    ledger = a_ledger()
    ledger.do(CREATE_USER, "alice", a_hash(1), "US", "34")

    assert ledger.refusal(CREATE_USER, "alice", a_hash(2), "US", "34") is RefusalCode.USER_EXISTS
    assert ledger.refusal(CREATE_USER, "bob", a_hash(1), "US", "34") is (
        RefusalCode.BIOMETRIC_HASH_EXISTS
    )


@pytest.mark.parametrize(
    ("age", "code"),
    [
        ("0", None),
        ("150", None),
        ("151", RefusalCode.AGE_OUT_OF_RANGE),
        ("-1", RefusalCode.AGE_OUT_OF_RANGE),
        ("9" * 5000, RefusalCode.AGE_OUT_OF_RANGE),
    ],
)
def test_an_age_is_between_0_and_150(age: str, code: RefusalCode | None) -> None:
    """Both bounds are people; beyond them it is an error, however long the number."""
    assert a_ledger().send(CREATE_USER, "alice", a_hash(1), "US", age).code is code


@pytest.mark.parametrize("text", ["", "A" * 64, "a" * 63, "a" * 65, "g" * 64])
def test_a_biometric_hash_is_64_lower_case_hexadecimal_digits(text: str) -> None:
    """Nothing shorter, longer or in capitals: one person has one spelling."""
    assert a_ledger().refusal(CREATE_USER, "alice", text, "US", "34") is (
        RefusalCode.BIOMETRIC_HASH_INVALID
    )


def test_a_locked_user_receives_but_does_not_send() -> None:
    """The lock stands on user and account, and both open again."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(10))
    give(ledger, "bob", coins(10))

    (locked,) = ledger.do(LOCK_USER, "alice", "court order")

    assert isinstance(locked, UserLocked)
    assert locked.reason == "court order"
    assert ledger.account("alice").status is AccountStatus.LOCKED
    assert ledger.query("IdentityContract:GetUser", "alice")["status"] == "Locked"
    assert ledger.refusal(TRANSFER_TOKENS, "alice", "bob", coins(1), "x") is (
        RefusalCode.USER_NOT_ACTIVE
    )
    ledger.do(TRANSFER_TOKENS, "bob", "alice", coins(1), "x")
    assert ledger.refusal(DISTRIBUTE_GENESIS, "alice") is RefusalCode.USER_NOT_ACTIVE

    (unlocked,) = ledger.do(UNLOCK_USER, "alice")

    assert isinstance(unlocked, UserUnlocked)
    ledger.do(TRANSFER_TOKENS, "alice", "bob", coins(1), "x")


def test_locking_keeps_balance_and_timer() -> None:
    """A change of status is a change of nothing else."""
    ledger = a_ledger(alice="US")
    give(ledger, "alice", coins(500))
    before = ledger.account("alice")

    ledger.do(LOCK_USER, "alice", "court order")
    ledger.do(UNLOCK_USER, "alice")

    assert ledger.account("alice") == before
    assert before.tax_timer_started_at == START_S


def test_a_lock_is_not_put_on_or_taken_off_twice() -> None:
    """The second time says that there is nothing to do."""
    ledger = a_ledger(alice="US")

    assert ledger.refusal(UNLOCK_USER, "alice") is RefusalCode.USER_NOT_LOCKED
    ledger.do(LOCK_USER, "alice", "x")
    assert ledger.refusal(LOCK_USER, "alice", "x") is RefusalCode.USER_NOT_ACTIVE
    assert ledger.refusal(LOCK_USER, "nobody", "x") is RefusalCode.USER_NOT_FOUND
    assert ledger.refusal(UNLOCK_USER, "nobody") is RefusalCode.USER_NOT_FOUND


def test_an_organisation_s_account_is_handed_to_nobody() -> None:
    """Only a wallet without a holder is adopted; any other account keeps its id for itself."""
    ledger = a_ledger()
    owned = AccountRecord(balance=Amount(5), kind=AccountKind.ORGANIZATION)
    stub = ledger.ledger.begin()
    stub.put_states({"account_acme": owned.to_text()})
    assert stub.commit()

    assert ledger.refusal(CREATE_USER, "acme", a_hash(1), "US", "34") is RefusalCode.USER_EXISTS
    assert ledger.account("acme") == owned

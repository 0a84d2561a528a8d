"""What the contracts answer to readers."""

import pytest

from gx.contracts import tokenomics_queries
from gx.domain.catalogue import DISTRIBUTE_GENESIS, FUNCTIONS, PAUSE_SYSTEM, TRANSFER_TOKENS
from gx.domain.economics import PARAMETERS
from gx.domain.identifiers import OPERATIONS_FUND
from gx.domain.refusals import RefusalCode
from tests.chaincode.dict_stub import START_S
from tests.contracts.acme import an_organization, initiate
from tests.contracts.contract_ledger import (
    COIN,
    ContractLedger,
    a_bootstrapped_ledger,
    a_ledger,
    coins,
    give,
)
from tests.contracts.lending_world import LENT, OPEN, add_lending


def test_an_account_is_described_with_its_balance() -> None:
    """Amounts are decimal strings; the timer's start is there while it runs."""
    ledger = a_ledger(alice="US")
    give(ledger, "alice", coins(100))

    assert ledger.query("TokenomicsContract:GetBalance", "alice") == {
        "accountId": "alice",
        "balance": coins(100),
        "kind": "user",
        "status": "Active",
        "frozen": False,
        "country": "US",
        "taxTimerStartedAt": START_S,
    }


def test_an_account_s_history_comes_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account after each transaction, not more than the limit."""
    ledger = a_ledger(alice="US")
    give(ledger, "alice", "5")
    give(ledger, "alice", "6")

    answer = ledger.query("TokenomicsContract:GetTransactionHistory", "alice")
    monkeypatch.setattr(tokenomics_queries, "HISTORY_MAX", 1)
    newest = ledger.query("TokenomicsContract:GetTransactionHistory", "alice")

    entries = answer["entries"]
    assert isinstance(entries, list)
    accounts = [entry["account"] for entry in entries if isinstance(entry, dict)]
    balances = [account["balance"] for account in accounts if isinstance(account, dict)]
    assert balances == ["11", "5", "0"]
    assert newest["entries"] == entries[:1]


def test_a_deleted_state_of_the_past_has_no_account() -> None:
    """A history entry of a deletion says when, and shows nothing."""
    ledger = a_ledger(alice="US")
    stub = ledger.ledger.begin()
    stub.put_states({"account_alice": None})
    stub.commit()
    give(ledger, "alice", "5")

    entries = ledger.query("TokenomicsContract:GetTransactionHistory", "alice")["entries"]

    assert isinstance(entries, list)
    assert [isinstance(entry, dict) and "account" in entry for entry in entries] == [
        True,
        False,
        True,
    ]


def test_the_pools_are_listed_with_the_phase() -> None:
    """Four pools and the operations fund, with its fee income; how far genesis has come."""
    ledger = a_ledger(alice="US", bob="US")
    ledger.do(DISTRIBUTE_GENESIS, "alice")
    ledger.do(TRANSFER_TOKENS, "alice", "bob", coins(100), "x")

    answer = ledger.query("TokenomicsContract:GetPoolStatus")

    pools = answer["pools"]
    assert isinstance(pools, list)
    balances = {pool["accountId"]: pool["balance"] for pool in pools if isinstance(pool, dict)}
    assert balances == {
        "SYSTEM_USER_GENESIS_POOL": coins(500_000_000 - 500),
        "SYSTEM_GOVT_GENESIS_POOL": coins(300_000_000 - 50),
        "SYSTEM_CHARITABLE_POOL": coins(50_000_000),
        "SYSTEM_LOAN_POOL": coins(100_000_000),
        OPERATIONS_FUND: str(100 * COIN * 5 // 10_000),
    }
    assert answer["genesis"] == {"distributed": 1, "remaining": 2_749_999, "phase": 1}


def test_the_system_says_how_it_is_before_during_and_after_a_pause() -> None:
    """The only question that is answered before bootstrap too."""
    ledger = ContractLedger()
    status = "AdminContract:GetSystemStatus"
    assert ledger.query(status) == {"bootstrapped": False, "paused": False}

    ledger = a_bootstrapped_ledger()
    assert ledger.query(status) == {
        "bootstrapped": True,
        "paused": False,
        "bootstrappedAt": START_S,
    }

    ledger.do(PAUSE_SYSTEM, "a planned upgrade")
    assert ledger.query(status) == {
        "bootstrapped": True,
        "paused": True,
        "bootstrappedAt": START_S,
        "pausedAt": START_S,
        "pauseReason": "a planned upgrade",
    }


def test_every_parameter_can_be_asked_for() -> None:
    """Value as a decimal string, with its unit."""
    ledger = a_bootstrapped_ledger()

    for spec in PARAMETERS.values():
        assert ledger.query("AdminContract:GetSystemParameter", spec.id) == {
            "id": spec.id,
            "value": str(spec.default),
            "unit": spec.unit,
        }
    assert ledger.query_refusal("AdminContract:GetSystemParameter", "x") is (
        RefusalCode.PARAMETER_UNKNOWN
    )


def test_countries_are_listed_by_code() -> None:
    """Every open country with its share and its users."""
    ledger = a_ledger(alice="US", bob="GB", carol="GB")

    assert ledger.query("AdminContract:ListCountries") == {
        "countries": [
            {"countryCode": "CA", "percentage": "0.5", "users": 0},
            {"countryCode": "GB", "percentage": "0.9", "users": 2},
            {"countryCode": "US", "percentage": "4.2", "users": 1},
        ]
    }
    assert ledger.query("AdminContract:GetGlobalCounters") == {
        "users": 3,
        "countries": 3,
        "genesisDistributed": 0,
        "supply": coins(950_000_000),
    }


def test_a_user_s_trust_and_existence() -> None:
    """A missing user does not exist, and has no record and no trust."""
    ledger = a_ledger(alice="US")

    assert ledger.query("IdentityContract:GetTrustScore", "alice") == {
        "userId": "alice",
        "trustScore": 10,
    }
    assert ledger.query("IdentityContract:UserExists", "alice")["exists"] is True
    assert ledger.query("IdentityContract:UserExists", "bob")["exists"] is False
    for function in ("GetUser", "GetTrustScore"):
        assert ledger.query_refusal(f"IdentityContract:{function}", "bob") is (
            RefusalCode.USER_NOT_FOUND
        )


@pytest.mark.parametrize("function", ["GetBalance", "GetTransactionHistory"])
def test_an_absent_account_is_not_found(function: str) -> None:
    """Nothing is made up about it."""
    assert a_ledger().query_refusal(f"TokenomicsContract:{function}", "nobody") is (
        RefusalCode.ACCOUNT_NOT_FOUND
    )


def test_queries_write_nothing_and_answer_objects() -> None:
    """Each reading function of the catalogue runs on its examples, or on what the ledger named."""
    ledger = an_organization()
    add_lending(ledger)
    named = {"txId": initiate(ledger, 5), "loanId": LENT, "proposalId": OPEN}
    before = ledger.ledger.values()

    for name, spec in FUNCTIONS.items():
        asked = (named.get(arg.name, str(arg.example)) for arg in spec.arguments)
        assert isinstance(ledger.query(name, *asked), dict)

    assert ledger.ledger.values() == before


@pytest.mark.parametrize(
    ("function", "code"),
    [
        ("TokenomicsContract:GetSupplyStatus", RefusalCode.NOT_BOOTSTRAPPED),
        ("TokenomicsContract:GetPoolStatus", RefusalCode.ACCOUNT_NOT_FOUND),
    ],
)
def test_an_empty_ledger_has_no_figures(function: str, code: RefusalCode) -> None:
    """Before bootstrap there is nothing to tell, and a zero would be a lie."""
    assert ContractLedger().query_refusal(function) is code

"""The genesis distribution: phases, pools, once for each user."""

import pytest

from gx.contracts.genesis import GenesisRecord
from gx.domain.amounts import Amount
from gx.domain.catalogue import (
    CREATE_USER,
    DISTRIBUTE_GENESIS,
    LOCK_USER,
    UPDATE_SYSTEM_PARAMETER,
)
from gx.domain.economics import GENESIS_PHASES, POOL_ALLOCATIONS
from gx.domain.events import GenesisDistributed, TreasuryAllocated
from gx.domain.identifiers import GOVERNMENT_GENESIS_POOL, USER_GENESIS_POOL
from gx.domain.refusals import RefusalCode
from gx.domain.world_state import AccountKind, AccountRecord
from tests.chaincode.dict_stub import START_S
from tests.contracts.contract_ledger import COIN, ContractLedger, a_hash, a_ledger


def overwrite(ledger: ContractLedger, **texts: str) -> None:
    """Put records on the ledger past the contracts, to stand where no test could walk."""
    stub = ledger.ledger.begin()
    stub.put_states(texts)
    assert stub.commit()


def a_ledger_after(distributed: int, **users: str) -> ContractLedger:
    """Return a ledger on which so many users have had their coins."""
    ledger = a_ledger(**users)
    overwrite(ledger, genesis=GenesisRecord(distributed=distributed).to_text())
    return ledger


def test_user_and_treasury_are_paid_from_both_pools() -> None:
    """500 coins to the first user and 50 to the country's treasury, told by two events."""
    ledger = a_ledger(alice="CA")

    paid, allocated = ledger.do(DISTRIBUTE_GENESIS, "alice")

    assert isinstance(paid, GenesisDistributed)
    assert isinstance(allocated, TreasuryAllocated)
    assert paid.to_payload() == {
        "eventType": "GenesisDistributed",
        "schemaVersion": 1,
        "userId": "alice",
        "amount": str(500 * COIN),
        "phase": 1,
        "age": 30,
        "eligible": True,
        "nationality": "CA",
        "poolSource": USER_GENESIS_POOL,
        "timestamp": START_S,
        "changes": [
            {"accountId": USER_GENESIS_POOL, "delta": str(-500 * COIN)},
            {"accountId": "alice", "delta": str(500 * COIN), "taxTimer": "started"},
        ],
    }
    assert allocated.to_payload() == {
        "eventType": "TreasuryAllocated",
        "schemaVersion": 1,
        "treasuryId": "treasury_CA",
        "amount": str(50 * COIN),
        "phase": 1,
        "nationality": "CA",
        "poolSource": GOVERNMENT_GENESIS_POOL,
        "timestamp": START_S,
        "changes": [
            {"accountId": GOVERNMENT_GENESIS_POOL, "delta": str(-50 * COIN)},
            {"accountId": "treasury_CA", "delta": str(50 * COIN)},
        ],
    }


def test_genesis_moves_coins_and_makes_none() -> None:
    """What user and treasury have, the pools have less; the supply stays."""
    ledger = a_ledger(alice="CA")
    before = ledger.minted()

    ledger.do(DISTRIBUTE_GENESIS, "alice")

    assert ledger.balance("alice") == 500 * COIN
    assert ledger.balance("treasury_CA") == 50 * COIN
    assert ledger.minted() == ledger.total() == before


BOUNDARIES = [
    (0, 1, 500, 50),
    (99_999, 1, 500, 50),
    (100_000, 2, 400, 50),
    (349_999, 2, 400, 50),
    (350_000, 3, 300, 50),
    (849_999, 3, 300, 50),
    (850_000, 4, 200, 50),
    (1_349_999, 4, 200, 50),
    (1_350_000, 5, 100, 50),
    (1_949_999, 5, 100, 50),
    (1_950_000, 6, 50, 10),
    (2_749_999, 6, 50, 10),
]


@pytest.mark.parametrize(("before", "phase", "to_user", "to_treasury"), BOUNDARIES)
def test_the_counter_decides_about_the_phase(
    before: int, phase: int, to_user: int, to_treasury: int
) -> None:
    """The first and the last user of every phase receive that phase's amounts."""
    ledger = a_ledger_after(before, alice="US")

    outcome = ledger.send(DISTRIBUTE_GENESIS, "alice")

    assert outcome.result == {"amount": str(to_user * COIN), "phase": phase}
    assert ledger.balance("treasury_US") == to_treasury * COIN


def test_the_phases_spend_the_user_pool_exactly() -> None:
    """The sizes are fitted to the pool: nothing is left, nothing lacks."""
    spent = sum(phase.users * phase.user_amount for phase in GENESIS_PHASES)

    assert spent == POOL_ALLOCATIONS[USER_GENESIS_POOL]


def test_after_the_last_phase_nobody_is_paid() -> None:
    """The 2,750,001st user comes too late, and the pool's status says so."""
    ledger = a_ledger_after(2_750_000, alice="US")

    assert ledger.refusal(DISTRIBUTE_GENESIS, "alice") is RefusalCode.GENESIS_POOL_EXHAUSTED
    assert ledger.query("TokenomicsContract:GetPoolStatus")["genesis"] == {
        "distributed": 2_750_000,
        "remaining": 0,
        "phase": None,
    }


@pytest.mark.parametrize("pool", [USER_GENESIS_POOL, GOVERNMENT_GENESIS_POOL])
def test_a_short_pool_pays_nobody(pool: str) -> None:
    """All or nothing: if either pool lacks one base unit, neither payment happens."""
    ledger = a_ledger(alice="US")
    due = 500 * COIN if pool == USER_GENESIS_POOL else 50 * COIN
    short = AccountRecord(balance=Amount(due - 1), kind=AccountKind.SYSTEM)
    overwrite(ledger, **{f"account_{pool}": short.to_text()})
    before = ledger.ledger.values()

    assert ledger.refusal(DISTRIBUTE_GENESIS, "alice") is RefusalCode.GENESIS_POOL_EXHAUSTED

    after = ledger.ledger.values()
    changed = {key for key in after if after[key] != before.get(key)}
    assert {key.split("_")[0] for key in changed} == {"cmd"}


def test_the_last_coins_of_the_pools_are_paid_out() -> None:
    """A pool that holds exactly what is due is not short: it ends at 0."""
    ledger = a_ledger(alice="US")
    pools = {USER_GENESIS_POOL: 500 * COIN, GOVERNMENT_GENESIS_POOL: 50 * COIN}
    for pool, due in pools.items():
        left = AccountRecord(balance=Amount(due), kind=AccountKind.SYSTEM)
        overwrite(ledger, **{f"account_{pool}": left.to_text()})

    ledger.do(DISTRIBUTE_GENESIS, "alice")

    assert [ledger.balance(pool) for pool in pools] == [0, 0]


@pytest.mark.parametrize(("age", "is_paid"), [(12, False), (13, True), (73, True), (74, False)])
def test_the_ages_13_to_73_receive_coins(*, age: int, is_paid: bool) -> None:
    """Outside nothing is paid, counted or marked: a later distribution may still come."""
    ledger = a_ledger()
    ledger.do(CREATE_USER, "alice", a_hash(1), "US", str(age))

    outcome = ledger.send(DISTRIBUTE_GENESIS, "alice")

    assert outcome.code is (None if is_paid else RefusalCode.AGE_OUT_OF_RANGE)
    counters = ledger.query("AdminContract:GetGlobalCounters")
    assert counters["genesisDistributed"] == int(is_paid)
    ledger.do(UPDATE_SYSTEM_PARAMETER, "genesisAgeMin", "1")
    ledger.do(UPDATE_SYSTEM_PARAMETER, "genesisAgeMax", "99")
    again = ledger.send(DISTRIBUTE_GENESIS, "alice")
    assert again.code is (RefusalCode.GENESIS_ALREADY_DISTRIBUTED if is_paid else None)


def test_a_user_is_paid_once() -> None:
    """The mark stands on the user, beside the phase."""
    ledger = a_ledger(alice="US")
    ledger.do(DISTRIBUTE_GENESIS, "alice")

    assert ledger.refusal(DISTRIBUTE_GENESIS, "alice") is (RefusalCode.GENESIS_ALREADY_DISTRIBUTED)
    assert ledger.query("IdentityContract:GetUser", "alice")["genesisPhase"] == 1
    assert ledger.balance("alice") == 500 * COIN


def test_the_counter_is_global_the_figures_are_each_country_s() -> None:
    """Users of two countries share the phases; each country's statistics are its own."""
    ledger = a_ledger(alice="US", bob="CA", carol="US")
    for user in ("alice", "bob", "carol"):
        ledger.do(DISTRIBUTE_GENESIS, user)

    assert ledger.query("AdminContract:GetGlobalCounters")["genesisDistributed"] == 3
    assert ledger.query("AdminContract:GetCountryStats", "US") == {
        "countryCode": "US",
        "percentage": "4.2",
        "treasuryId": "treasury_US",
        "users": 2,
        "genesisUsers": 2,
        "genesisUserAmount": str(1000 * COIN),
        "genesisTreasuryAmount": str(100 * COIN),
    }
    assert ledger.query("AdminContract:GetCountryStats", "GB")["genesisUsers"] == 0


def test_who_is_not_there_or_locked_is_not_paid() -> None:
    """Only an existing, active user receives genesis coins."""
    ledger = a_ledger(alice="US")
    ledger.do(LOCK_USER, "alice", "x")

    assert ledger.refusal(DISTRIBUTE_GENESIS, "nobody") is RefusalCode.USER_NOT_FOUND
    assert ledger.refusal(DISTRIBUTE_GENESIS, "alice") is RefusalCode.USER_NOT_ACTIVE

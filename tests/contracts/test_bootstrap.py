"""The system's beginning."""

import pytest

from gx.chaincode.errors import InvariantError
from gx.contracts import admin
from gx.domain.amounts import SUPPLY_CAP
from gx.domain.catalogue import BOOTSTRAP_SYSTEM
from gx.domain.economics import PARAMETERS, POOL_ALLOCATIONS
from gx.domain.events import CoinsMinted, SystemBootstrapped
from gx.domain.identifiers import OPERATIONS_FUND
from gx.domain.refusals import RefusalCode
from gx.domain.world_state import AccountKind
from tests.contracts.contract_ledger import COIN, ContractLedger, a_bootstrapped_ledger

ALLOCATIONS = {
    "SYSTEM_USER_GENESIS_POOL": 500_000_000 * COIN,
    "SYSTEM_GOVT_GENESIS_POOL": 300_000_000 * COIN,
    "SYSTEM_CHARITABLE_POOL": 50_000_000 * COIN,
    "SYSTEM_LOAN_POOL": 100_000_000 * COIN,
}


def test_each_pool_holds_exactly_its_allocation() -> None:
    """The four pools and nothing else hold the supply; the operations fund waits at 0."""
    ledger = a_bootstrapped_ledger()

    assert {pool: ledger.balance(pool) for pool in ALLOCATIONS} == ALLOCATIONS
    assert ledger.balance(OPERATIONS_FUND) == 0
    assert ledger.minted() == ledger.total() == sum(ALLOCATIONS.values())
    assert all(ledger.account(pool).kind is AccountKind.SYSTEM for pool in ALLOCATIONS)


def test_all_that_happens_travels_in_one_event() -> None:
    """Bootstrap announces itself, then four mints with their remarks."""
    principal, *mints = ContractLedger().do(BOOTSTRAP_SYSTEM)

    assert isinstance(principal, SystemBootstrapped)
    assert principal.pools == POOL_ALLOCATIONS
    assert principal.supply == sum(ALLOCATIONS.values())
    assert principal.parameters["supplyCap"] == str(SUPPLY_CAP)
    assert set(principal.parameters) == set(PARAMETERS)
    opened = [(change.account_id, change.delta) for change in principal.changes]
    assert opened == [(account, 0) for account in (*ALLOCATIONS, OPERATIONS_FUND)]
    assert [type(mint) for mint in mints] == [CoinsMinted] * 4
    for mint, (pool, amount) in zip(mints, ALLOCATIONS.items(), strict=True):
        assert isinstance(mint, CoinsMinted)
        assert (mint.account_id, mint.amount) == (pool, amount)
        assert mint.amount_coins == str(amount // COIN)
        assert mint.remark == f"Bootstrap: Initial {pool} allocation"
        assert [(change.account_id, change.delta) for change in mint.changes] == [(pool, amount)]


def test_a_second_bootstrap_is_refused() -> None:
    """Once is once: nothing is minted again."""
    ledger = a_bootstrapped_ledger()
    before = ledger.minted()

    assert ledger.refusal(BOOTSTRAP_SYSTEM) is RefusalCode.ALREADY_BOOTSTRAPPED
    assert ledger.minted() == before


def test_bootstrap_stops_when_a_pool_would_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The post-condition is checked before anything is written, and fails the transaction."""
    monkeypatch.setattr(admin, "_mint_pools", lambda _context: ())
    ledger = ContractLedger()

    with pytest.raises(InvariantError, match="0 base units in SYSTEM_USER_GENESIS_POOL"):
        ledger.send(BOOTSTRAP_SYSTEM)

    assert ledger.ledger.values() == {}

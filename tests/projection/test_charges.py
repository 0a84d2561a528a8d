"""What accounts would be charged: the read models foretell what the contract computes."""

import pytest

from gx.chaincode.executor import Executed
from gx.database.leases import PostgresLeases
from gx.database.pool import Pool
from gx.domain.amounts import Amount
from gx.domain.codec import JsonObject, decode_object
from gx.domain.identifiers import AccountId
from gx.projection.postgres.queries import PostgresQueries
from gx.projection.postgres.store import PostgresReadModelStore
from tests.chaincode.dict_stub import START_S
from tests.projection.chain import Chain
from tests.projection.projected import a_lease, project

CHANNEL = "gxchannel"
COIN = 100_000_000


@pytest.fixture
async def projected(pool: Pool, leases: PostgresLeases) -> tuple[Chain, PostgresQueries]:
    """A chain of long ago on which alice has held genesis coins ever since, and its queries."""
    chain = Chain()
    chain.bootstrap("US", "CA", "GB")
    chain.users("alice", "bob")
    chain.run(chain.command("TokenomicsContract:DistributeGenesis", "alice"))
    chain.run(chain.command("AdminContract:UpdateSystemParameter", "feeUpperBps", "20"))
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    await project(store, await a_lease(leases), chain.committed)
    return chain, PostgresQueries(pool, channel=CHANNEL)


def told_by_contract(chain: Chain, function: str, *args: str) -> JsonObject:
    """Evaluate a function of the contract on the chain."""
    answer = chain.executor.execute(chain.ledger.begin(None), f"TaxAndFeeContract:{function}", args)
    assert isinstance(answer, Executed), answer
    return decode_object(answer.payload)


@pytest.mark.parametrize("recipient", ["bob", "SYSTEM_LOAN_POOL", "treasury_US"])
@pytest.mark.parametrize("amount", [1, 3 * COIN, 100 * COIN + 1])
async def test_a_foretold_fee_is_the_contract_s(
    projected: tuple[Chain, PostgresQueries], recipient: str, amount: int
) -> None:
    """By the parameters of the ledger as they are now, not those of bootstrap."""
    chain, queries = projected

    answer = await queries.transaction_fee(AccountId("alice"), AccountId(recipient), Amount(amount))

    contract = told_by_contract(chain, "CalculateTransactionFee", "alice", recipient, str(amount))
    assert answer.body == contract
    assert answer.block_number == chain.committed[-1].number


async def test_a_tax_is_foretold_as_the_contract_computes_it(
    projected: tuple[Chain, PostgresQueries],
) -> None:
    """The same shares; and since years have passed since the chain's blocks, it is due."""
    chain, queries = projected

    body = (await queries.velocity_tax(AccountId("alice"))).body

    assert body is not None
    contract = told_by_contract(chain, "CheckVelocityTaxEligibility", "alice")
    tax = told_by_contract(chain, "CalculateVelocityTax", "alice")
    differing = {"asOf", "isEligible"}
    assert {name: body[name] for name in body.keys() - differing} == {
        name: value for name, value in {**contract, **tax}.items() if name not in differing
    }
    assert (contract["isEligible"], body["isEligible"]) == (False, True)
    assert int(str(body["asOf"])) > START_S + 360 * 86_400


async def test_unknown_accounts_are_charged_nothing(
    projected: tuple[Chain, PostgresQueries],
) -> None:
    """There is no answer, whichever of the two is unknown."""
    _, queries = projected
    alice, nobody = AccountId("alice"), AccountId("nobody")

    assert (await queries.transaction_fee(alice, nobody, Amount(1))).body is None
    assert (await queries.transaction_fee(nobody, alice, Amount(1))).body is None
    assert (await queries.velocity_tax(nobody)).body is None

"""Every query of the catalogue is answered from the read models, as of one block."""

import inspect
import re
from collections.abc import Mapping

import pytest

from gx.database.leases import PostgresLeases
from gx.database.pool import Pool
from gx.domain.amounts import SUPPLY_CAP, coins
from gx.domain.catalogue import QUERIES
from gx.domain.codec import JsonObject, JsonValue, encode
from gx.domain.economics import PARAMETERS
from gx.domain.identifiers import AccountId, CountryCode, UserId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.projection.cursors import render_cursor
from gx.projection.ports import START
from gx.projection.postgres.queries import PostgresQueries
from gx.projection.postgres.store import PostgresReadModelStore
from gx.projection.read_models import READ_MODELS
from tests.conformance.projection import A_STOP
from tests.projection.chain import PARTNER, Chain
from tests.projection.projected import a_lease, project

CHANNEL = "gxchannel"
ALICE = AccountId("alice")


@pytest.fixture
def queries(pool: Pool) -> PostgresQueries:
    """Queries on a database without rows."""
    return PostgresQueries(pool, channel=CHANNEL)


@pytest.fixture
async def filled(queries: PostgresQueries, pool: Pool, leases: PostgresLeases) -> PostgresQueries:
    """Queries after a small history of seven blocks."""
    chain = Chain()
    chain.bootstrap("US", "CA", "GB")
    chain.users("alice", "bob")
    chain.transfers([("alice", "bob", 400_000_000 + n) for n in range(5)])
    chain.run(chain.command("TokenomicsContract:DistributeGenesis", "alice"))
    chain.run(chain.command("AdminContract:PauseSystem", "Planned upgrade of it"))
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    await project(store, await a_lease(leases), chain.committed)
    return queries


def items_of(body: JsonObject | None) -> list[Mapping[str, JsonValue]]:
    """Return the items of a page."""
    assert body is not None
    items = body["items"]
    assert isinstance(items, list)
    return [item for item in items if isinstance(item, dict)]


def snake(wire_name: str) -> str:
    """Return the Python name of a wire name."""
    return re.sub("([A-Z])", lambda match: "_" + match[1].lower(), wire_name)


def test_every_query_of_the_catalogue_has_a_method() -> None:
    """Its name is the query's, its parameters are those of the path and of the query string."""
    for spec in QUERIES.values():
        method = getattr(PostgresQueries, spec.name)
        named = [name for name in inspect.signature(method).parameters if name != "self"]
        path = [snake(name) for name in re.findall(r"{(\w+)}", spec.path)]
        body = [snake(argument.name) for argument in spec.arguments]
        assert named == [*path, *body, *spec.parameters], spec.name


def test_every_query_reads_models_that_exist() -> None:
    """The catalogue names read models by the names of their declarations."""
    named = {model for spec in QUERIES.values() for model in spec.read_models}

    assert named <= set(READ_MODELS)


async def test_nothing_is_known_before_the_first_block(queries: PostgresQueries) -> None:
    """Sums are 0, lists are empty, single things are absent, the block is -1."""
    status = await queries.system_status()
    counters = await queries.global_counters()

    assert (status.block_number, (status.body or {})["isBootstrapped"]) == (-1, False)
    assert counters.body == {"users": 0, "countries": 0, "genesisDistributed": 0, "minted": "0"}
    assert (await queries.user(UserId("alice"))).body is None
    assert (await queries.trust(UserId("alice"))).body is None
    assert (await queries.balance(ALICE)).body is None
    assert (await queries.system_parameter("feeLowerBps")).body is None
    assert (await queries.account_entries(ALICE, limit=5)).body is None
    assert (await queries.countries(limit=5)).body == {"items": [], "nextCursor": None}
    assert (await queries.pools()).body == {
        "pools": [],
        "genesis": {"distributed": 0, "remaining": 2_750_000, "phase": 1},
    }
    assert (await queries.supply()).body == {
        "minted": "0",
        "balances": "0",
        "cap": str(SUPPLY_CAP),
    }


async def test_a_user_s_relationships_are_listed_from_both_sides(
    queries: PostgresQueries, pool: Pool, leases: PostgresLeases
) -> None:
    """Whoever asked whom; by id, page by page; unknown for a user that does not exist."""
    chain = Chain()
    chain.bootstrap("US")
    chain.users("alice", "bob", "carol")
    for subject, other in (("alice", "bob"), ("carol", "alice")):
        item = chain.command(
            "IdentityContract:RequestRelationship", subject, other, "PARENT", actor=subject
        )
        chain.run(item, role=PARTNER)
    item = chain.command(
        "IdentityContract:ConfirmRelationship", "carol~PARENT~alice", actor="alice"
    )
    chain.run(item, role=PARTNER)
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    await project(store, await a_lease(leases), chain.committed)

    first = (await queries.relationships(UserId("alice"), limit=1)).body
    assert first is not None
    rest = (
        await queries.relationships(UserId("alice"), limit=1, cursor=str(first["nextCursor"]))
    ).body

    told = [(item["relationshipId"], item["status"]) for item in items_of(first) + items_of(rest)]
    assert told == [("alice~PARENT~bob", "Requested"), ("carol~PARENT~alice", "Confirmed")]
    assert rest is not None
    assert rest["nextCursor"] is None
    assert len(items_of((await queries.relationships(UserId("bob"), limit=5)).body)) == 1
    assert (await queries.relationships(UserId("nobody"), limit=5)).body is None
    trust = [(await queries.trust(UserId(name))).body for name in ("alice", "carol")]
    assert [body and body["trustScore"] for body in trust] == [20, 40]


async def test_single_things_are_rows_in_json(filled: PostgresQueries) -> None:
    """Names are camelCase, amounts are text, times are numbers; the block is the newest."""
    user = await filled.user(UserId("alice"))

    assert user.block_number == 6
    assert user.body == {
        "userId": "alice",
        "nationality": "US",
        "age": 34,
        "status": "Active",
        "lockReason": None,
        "trustScore": 10,
        "createdAt": 1_700_000_002,
        "genesisAt": 1_700_000_005,
        "genesisPhase": 1,
        "genesisAmount": str(coins(500)),
    }
    assert (await filled.trust(UserId("alice"))).body == {"userId": "alice", "trustScore": 10}
    balance = (await filled.balance(ALICE)).body
    assert balance is not None
    assert balance["balance"] == str(coins(1_500) - 5 * 400_000_000 - 10 - 5 * 200_000)
    assert balance["kind"] == "user"
    treasury = (await filled.treasury_balance(CountryCode("US"))).body
    assert treasury is not None
    assert (treasury["balance"], treasury["status"]) == (str(coins(50)), "Locked")
    assert (await filled.treasury_balance(CountryCode("FR"))).body is None


async def test_sums_and_states_are_of_the_whole_system(filled: PostgresQueries) -> None:
    """Status, counters, supply, pools and a country's statistics."""
    status = (await filled.system_status()).body
    assert status is not None
    assert (status["isBootstrapped"], status["isPaused"]) == (True, True)
    assert status["pauseReason"] == "Planned upgrade of it"
    minted = str(coins(950_002_000))
    assert (await filled.global_counters()).body == {
        "users": 2,
        "countries": 3,
        "genesisDistributed": 1,
        "minted": minted,
    }
    assert (await filled.supply()).body == {
        "minted": minted,
        "balances": minted,
        "cap": str(SUPPLY_CAP),
    }
    pools = (await filled.pools()).body
    assert pools is not None
    assert pools["genesis"] == {"distributed": 1, "remaining": 2_749_999, "phase": 1}
    assert len(items_of({"items": pools["pools"]})) == 5
    country = (await filled.country_stats(CountryCode("US"))).body
    assert country is not None
    assert (country["users"], country["genesisUserAmount"]) == (2, str(coins(500)))


async def test_every_parameter_is_there_with_its_unit(filled: PostgresQueries) -> None:
    """The ledger's values, not the defaults of the code, with the unit of the declaration."""
    for name, spec in PARAMETERS.items():
        body = (await filled.system_parameter(name)).body
        assert body is not None
        assert (body["value"], body["unit"]) == (str(spec.default), spec.unit)


async def test_pages_show_everything_once(filled: PostgresQueries) -> None:
    """Walking by cursor gives every entry once, newest first, whatever the page's size."""
    whole = items_of((await filled.account_entries(ALICE, limit=100)).body)
    for limit in (1, 2, 3, 7):
        walked, cursor = [], None
        while True:
            body = (await filled.account_entries(ALICE, limit=limit, cursor=cursor)).body
            walked += items_of(body)
            following = (body or {})["nextCursor"]
            if following is None:
                break
            cursor = str(following)
        assert walked == whole
    assert len(whole) == 7
    blocks = [item["blockNumber"] for item in whole]
    assert blocks == sorted(blocks, key=str, reverse=True)
    countries = items_of((await filled.countries(limit=2)).body)
    assert [country["countryCode"] for country in countries] == ["CA", "GB"]


async def test_an_account_without_entries_has_an_empty_list(filled: PostgresQueries) -> None:
    """Absent is the account, not its history."""
    answer = await filled.account_entries(AccountId("treasury_CA"), limit=5)

    assert answer.body == {"items": [], "nextCursor": None}


async def test_the_balance_is_the_sum_of_the_entries(filled: PostgresQueries) -> None:
    """An account's history explains its balance to the last base unit."""
    for name in ("alice", "bob", "SYSTEM_OPERATIONS_FUND", "SYSTEM_USER_GENESIS_POOL"):
        account = (await filled.balance(AccountId(name))).body
        entries = items_of((await filled.account_entries(AccountId(name), limit=100)).body)
        assert account is not None
        assert account["balance"] == str(sum(int(str(entry["delta"])) for entry in entries))


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "Zoë",
        "bm8gSlNPTg",
        render_cursor((1,)),
        render_cursor(("1", 2, 3)),
        render_cursor((-1, 2, 3)),
        render_cursor((2**63, 2, 3)),
        render_cursor((1, 2**31, 3)),
        render_cursor((True, 2, 3)),
        "W10=" * 60,
    ],
)
async def test_a_cursor_of_no_list_is_refused(queries: PostgresQueries, cursor: str) -> None:
    """A typing error in a cursor is the client's mistake, not an empty page."""
    with pytest.raises(RefusedError) as refused:
        await queries.account_entries(ALICE, limit=5, cursor=cursor)

    assert refused.value.code is RefusalCode.ARGUMENT_INVALID


async def test_floats_for_money(filled: PostgresQueries) -> None:
    """The largest supply comes out digit for digit, and no answer holds a float."""
    for answer in (
        await filled.supply(),
        await filled.pools(),
        await filled.global_counters(),
        await filled.balance(ALICE),
        await filled.account_entries(ALICE, limit=9),
        await filled.countries(limit=9),
    ):
        assert answer.body is not None
        assert not re.search(r"\d[.eE]\d", re.sub(r'"[^"]*"', '""', encode(answer.body)))


async def test_status_tells_where_the_projection_stands(
    filled: PostgresQueries, pool: Pool, leases: PostgresLeases
) -> None:
    """Checkpoint, holder, parked events and the event that is in the way."""
    store = PostgresReadModelStore(pool, channel=CHANNEL)
    lease = await leases.acquire("projector:gxchannel", "test", ttl_s=60)
    assert lease is not None
    await store.stopped_at(lease, A_STOP)

    status = await filled.status(lease_name="projector:gxchannel")

    assert status.checkpoint.block_number == 6
    assert (status.holder, status.epoch, status.parked) == ("test", 1, 0)
    assert status.stop is not None
    assert status.stop.block_number == A_STOP.block_number


async def test_status_of_a_projection_that_never_ran(queries: PostgresQueries) -> None:
    """Nobody projects and nothing is projected."""
    status = await queries.status(lease_name="projector:gxchannel")

    assert (status.checkpoint, status.holder, status.stop) == (START, None, None)

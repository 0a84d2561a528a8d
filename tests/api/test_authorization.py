"""Who may do what: every route has a rule, and the rules hold for every role."""

import re

import pytest

from gx.api.app import UnboundRouteError, bind_routes, build_handlers
from gx.api.guard import Guard
from gx.api.principal import Caller, Principal, caller_of, read_act_for
from gx.api.query_routes import ASK
from gx.api.route_spec import RouteSpec
from gx.api.route_table import ROUTES
from gx.api.routes import EdgeRoute
from gx.api.settings import API_PREFIX
from gx.api.watcher import CommandWatcher
from gx.domain.catalogue import COMMANDS, QUERIES
from gx.domain.commands import Access
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import TokenRole, signing_role
from tests.api.parts import ISSUER, Backend, a_command_id

PLACEHOLDERS = {
    "commandId": a_command_id(1),
    "userId": "alice",
    "accountId": "alice",
    "countryCode": "US",
    "id": "feeLowerBps",
    "loanId": "alice~1",
    "proposalId": "feeLowerBps~1",
    "code": "GONE",
}
PUBLIC = sorted(route.name for route in ROUTES if route.access is Access.PUBLIC)


def path_of(route: RouteSpec) -> str:
    """Fill the route's placeholders."""
    names = re.findall(r"{(\w+)}", route.path)
    return route.path.format(**{name: PLACEHOLDERS.get(name, "alice") for name in names})


def a_principal(
    role: TokenRole, subject: str = "alice", act_for: frozenset[str] = frozenset()
) -> Principal:
    """Make a principal."""
    return Principal(
        issuer=ISSUER, subject=subject, role=role, act_for=act_for, expires_at_s=2_000_000_000
    )


def test_every_route_of_the_application_is_declared_with_a_rule(backend: Backend) -> None:
    """Deny by default: there is no way past the guard, and no route that nobody declared."""
    routes = backend.app.router.routes

    assert all(isinstance(route, EdgeRoute) for route in routes)
    specs = [route.spec for route in routes if isinstance(route, EdgeRoute)]
    assert specs == list(ROUTES)
    assert all(isinstance(spec.access, Access) for spec in specs)


def test_every_command_and_query_has_its_route() -> None:
    """The table of routes is complete, and no route stands for two things."""
    declared = [route.declared for route in ROUTES if route.declared is not None]

    assert declared == [*COMMANDS.values(), *QUERIES.values()]
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_no_command_is_public_and_each_can_be_signed() -> None:
    """Every role that a route admits signs with an identity that the contract admits."""
    for spec in COMMANDS.values():
        admitted = {role for role in TokenRole if spec.access.admits(role)}
        assert spec.access is not Access.PUBLIC
        assert {signing_role(role) for role in admitted} <= spec.roles


def test_only_the_system_itself_is_public() -> None:
    """What is public is listed here, so that making more of it public is a decision."""
    assert sorted(PUBLIC) == [
        "getCountries", "getCountryStats", "getGlobalCounters", "getOpenapi", "getPools",
        "getProblemType", "getProposal", "getProposals",
        "getSupply", "getSystemParameter", "getSystemStatus",
        "getTransactionFee", "getTreasuryBalance",
    ]  # fmt: skip


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_without_a_token_only_public_routes_answer(
    backend: Backend, route: RouteSpec
) -> None:
    """Every other route says 401, whatever else is wrong with the request."""
    async with backend.anonymous() as client:
        response = await client.request(route.method, path_of(route))

    is_public = route.access is Access.PUBLIC
    assert (response.status_code == 401) is not is_public


@pytest.mark.parametrize("role", TokenRole, ids=str)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_a_role_that_the_rule_does_not_admit_is_refused(
    backend: Backend, route: RouteSpec, role: TokenRole
) -> None:
    """403 ROLE_REQUIRED before anything of the request is looked at; else never that code."""
    async with backend.client("alice", role) as client:
        response = await client.request(route.method, path_of(route))

    is_refused = response.status_code == 403 and response.json()["code"] == "ROLE_REQUIRED"
    assert is_refused is not route.access.admits(role)


# ---------------------------------------------------------------- acting for others


@pytest.mark.parametrize(
    ("role", "act_for", "is_allowed"),
    [
        (TokenRole.PARTNER, frozenset({"bob"}), True),
        (TokenRole.PARTNER, frozenset({"*"}), True),
        (TokenRole.PARTNER, frozenset({"carol"}), False),
        (TokenRole.PARTNER, frozenset(), False),
        (TokenRole.ADMIN, frozenset({"bob"}), True),
        (TokenRole.ADMIN, frozenset(), False),
        (TokenRole.SUPER_ADMIN, frozenset({"*"}), False),
        (TokenRole.USER, frozenset({"*"}), False),
    ],
    ids=repr,
)
def test_who_may_act_for_a_user(
    role: TokenRole, act_for: frozenset[str], *, is_allowed: bool
) -> None:
    """Partners and admins whose token names the user; a user only for oneself."""
    principal = a_principal(role, act_for=act_for)

    if is_allowed:
        assert caller_of(principal, "bob") == Caller(principal=principal, actor="bob")
        return
    with pytest.raises(RefusedError) as refused:
        caller_of(principal, "bob")
    assert refused.value.code is RefusalCode.FORBIDDEN


@pytest.mark.parametrize("role", TokenRole, ids=str)
def test_everybody_acts_for_oneself(role: TokenRole) -> None:
    """Without the header, and with one's own name in it."""
    principal = a_principal(role)

    assert caller_of(principal, None).actor == "alice"
    assert caller_of(principal, "alice").actor == "alice"


@pytest.mark.parametrize("name", ["", "a b", "alice,bob", "x" * 65], ids=repr)
def test_the_header_names_one_user(name: str) -> None:
    """What is no id is the client's mistake, not a matter of rights."""
    principal = a_principal(TokenRole.PARTNER, act_for=frozenset({"*"}))

    with pytest.raises(RefusedError) as refused:
        caller_of(principal, name)

    assert refused.value.code is RefusalCode.ARGUMENT_INVALID


def test_act_for_may_be_absent_one_id_or_many() -> None:
    """The claim's three forms."""
    assert read_act_for(None) == frozenset()
    assert read_act_for("*") == frozenset({"*"})
    assert read_act_for(["alice", "bob"]) == frozenset({"alice", "bob"})


# ---------------------------------------------------------------- other people's data

OWNED = [route for route in ROUTES if "{userId}" in route.path or "{accountId}" in route.path]
OWNED_READS = [route for route in OWNED if route.method == "GET"]


@pytest.mark.parametrize("route", OWNED_READS, ids=lambda route: route.name)
async def test_a_user_reads_own_data_only(backend: Backend, route: RouteSpec) -> None:
    """Own data is not found in these empty models; somebody else's is forbidden to ask for."""
    async with backend.client("alice") as alice, backend.client("mallory") as mallory:
        own = await alice.get(path_of(route))
        other = await mallory.get(path_of(route))

    assert own.status_code == 404
    assert (other.status_code, other.json()["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("route", OWNED_READS, ids=lambda route: route.name)
async def test_a_service_reads_data_of_users_whom_its_token_names(
    backend: Backend, route: RouteSpec
) -> None:
    """With or without the header; a token that names somebody else reads nothing."""
    async with (
        backend.client("shop", TokenRole.PARTNER, ("alice",)) as shop,
        backend.client("till", TokenRole.PARTNER, ("bob",)) as till,
        backend.client("root", TokenRole.SUPER_ADMIN, ("*",)) as root,
    ):
        plain = await shop.get(path_of(route))
        acting = await shop.get(path_of(route), headers={"X-On-Behalf-Of": "alice"})
        foreign = await till.get(path_of(route))
        by_root = await root.get(path_of(route))

    assert [plain.status_code, acting.status_code, by_root.status_code] == [404, 404, 404]
    assert foreign.status_code == 403


async def test_administrators_read_accounts_of_the_system(backend: Backend) -> None:
    """Pools and treasuries belong to nobody; their entries are an administrator's to read."""
    path = f"{API_PREFIX}/wallets/SYSTEM_LOAN_POOL/transactions"
    async with backend.client("ops", TokenRole.ADMIN) as ops, backend.client() as alice:
        by_admin = await ops.get(path)
        by_user = await alice.get(path)

    assert by_admin.status_code == 404
    assert by_user.status_code == 403


# ---------------------------------------------------------------- completeness


def test_a_route_without_handler_stops_the_edge_from_starting(backend: Backend) -> None:
    """What is declared and not bound, or bound and not declared, is named at start-up."""
    parts = backend.parts
    guard = Guard(tokens=parts.tokens, limiter=parts.limiter, settings=parts.settings)
    handlers = build_handlers(parts, CommandWatcher(parts.reader))
    missing = {name: handler for name, handler in handlers.items() if name != "getSupply"}
    surplus = {**handlers, "getNothing": handlers["getSupply"]}

    for wrong, name in ((missing, "getSupply"), (surplus, "getNothing")):
        with pytest.raises(UnboundRouteError, match=name):
            bind_routes(wrong, guard)


def test_every_query_is_asked_in_a_method_of_its_name() -> None:
    """The edge knows how to ask each query of the catalogue."""
    assert ASK.keys() == QUERIES.keys()


@pytest.mark.parametrize(
    ("role", "advice"),
    [
        (TokenRole.USER, "acts for alice alone: leave X-On-Behalf-Of out"),
        (TokenRole.SUPER_ADMIN, "acts for alice alone: leave X-On-Behalf-Of out"),
        (TokenRole.PARTNER, "its claim act_for must name the user"),
    ],
)
async def test_advice_about_acting_for_others_fits_the_role(
    backend: Backend, role: TokenRole, advice: str
) -> None:
    """No claim lets a user act for somebody else: that advice would send the reader astray."""
    async with backend.client("alice", role) as client:
        response = await client.get(
            "/api/v1/commands/01890a5d-ac96-774b-bcce-b302099a8057",
            headers={"X-On-Behalf-Of": "bob"},
        )
    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")
    assert advice in response.json()["detail"]


async def test_a_refused_role_is_told_which_route_needs_another(backend: Backend) -> None:
    """One client sends many requests: the method alone names none of them."""
    async with backend.client("alice", TokenRole.USER) as client:
        response = await client.post("/api/v1/admin/mint", json={})
    assert response.json()["detail"].startswith("POST /api/v1/admin/mint needs the role")

"""The write routes: what a valid request stores, and how a statically wrong one is refused."""

import pytest

from gx.api.route_table import command_route
from gx.domain.arguments import Source
from gx.domain.catalogue import COMMANDS
from gx.domain.codec import JsonValue
from gx.domain.commands import Access, CommandSpec
from gx.domain.roles import LedgerRole, TokenRole
from tests.api.parts import TRANSFER, Backend
from tests.api.sending import TRANSFERS, post_transfer, stored

ROLE_FOR = {
    Access.USER: TokenRole.USER,
    Access.PARTNER: TokenRole.PARTNER,
    Access.ADMIN: TokenRole.ADMIN,
    Access.SUPER_ADMIN: TokenRole.SUPER_ADMIN,
}


def example_path(spec: CommandSpec) -> str:
    """Fill the route's placeholders with the arguments' examples."""
    values = {argument.name: argument.example for argument in spec.arguments}
    return command_route(spec).path.format(**values)


def example_body(spec: CommandSpec) -> dict[str, JsonValue]:
    """Build a body from the arguments' examples."""
    return {
        argument.name: argument.example
        for argument in spec.arguments
        if argument.source is Source.BODY
    }


@pytest.mark.parametrize("spec", COMMANDS.values(), ids=COMMANDS)
async def test_every_command_is_accepted_on_its_own_route(
    backend: Backend, spec: CommandSpec
) -> None:
    """The examples of a declaration make a request that is stored as declared, with 202."""
    async with backend.client("alice", ROLE_FOR[spec.access]) as client:
        response = await client.post(example_path(spec), json=example_body(spec))

    assert response.status_code == 202
    answer = response.json()
    assert response.headers["location"] == answer["statusUrl"]
    assert answer["statusUrl"] == f"/api/v1/commands/{answer['commandId']}"
    assert answer["status"] == "PENDING"
    command = stored(backend, response)
    assert command.command_type == spec.wire_name
    assert list(command.arguments) == [argument.name for argument in spec.arguments]
    assert command.role in spec.roles
    assert command.scopes == spec.scopes(command.arguments, "alice")
    for argument in spec.arguments:
        argument.kind.require(argument.name, command.arguments[argument.name])


async def test_a_command_without_arguments_needs_no_body(backend: Backend) -> None:
    """An empty body is an empty object."""
    async with backend.super_admin() as client:
        response = await client.post("/api/v1/admin/bootstrap")

    assert response.status_code == 202


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"amount": "0"}, "AMOUNT_NOT_POSITIVE", 422),
        ({"amount": str(2**64)}, "AMOUNT_OVERFLOW", 422),
        ({"amount": "-1"}, "AMOUNT_OVERFLOW", 422),
        ({"amount": "1.5"}, "AMOUNT_OVERFLOW", 422),
        ({"amount": "1e3"}, "AMOUNT_OVERFLOW", 422),
        ({"amount": "1\n"}, "AMOUNT_OVERFLOW", 422),
        ({"amount": "٣"}, "AMOUNT_OVERFLOW", 422),
        ({"amount": 1}, "AMOUNT_OVERFLOW", 422),
        ({"amount": 1.5}, "AMOUNT_OVERFLOW", 422),
        ({"amount": True}, "AMOUNT_OVERFLOW", 422),
        ({"amount": ["1"]}, "AMOUNT_OVERFLOW", 422),
        ({"remark": ""}, "REMARK_EMPTY", 422),
        ({"remark": " \t"}, "REMARK_EMPTY", 422),
        ({"remark": "a\u0000b"}, "ARGUMENT_INVALID", 400),
        ({"remark": "x" * 501}, "ARGUMENT_INVALID", 400),
        ({"toId": ""}, "ACCOUNT_ID_EMPTY", 422),
        ({"toId": "bob\n"}, "ARGUMENT_INVALID", 400),
        ({"toId": "b" * 65}, "ARGUMENT_INVALID", 400),
        ({"toId": "bob/../carol"}, "ARGUMENT_INVALID", 400),
        ({"toId": "alice"}, "SELF_TRANSFER", 422),
        ({"toId": {"id": "bob"}}, "ARGUMENT_INVALID", 400),
        ({"fromId": "bob", "toId": "alice"}, "ACTOR_MISMATCH", 403),
        ({"fromId": "SYSTEM_LOAN_POOL"}, "ACTOR_MISMATCH", 403),
    ],
    ids=repr,
)
async def test_what_is_statically_wrong_is_refused_at_once(
    backend: Backend, changes: dict[str, object], code: str, status: int
) -> None:
    """A request that the ledger could only refuse is not stored; its code says why."""
    response = await post_transfer(backend, changes)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not backend.outbox.commands


async def test_the_largest_amount_of_the_wire_is_taken(backend: Backend) -> None:
    """2^64-1 is an amount; whether there are so many coins is the ledger's business."""
    response = await post_transfer(backend, {"amount": str(2**64 - 1)})

    assert stored(backend, response).arguments["amount"] == str(2**64 - 1)


async def test_missing_and_surplus_fields_are_all_named(backend: Backend) -> None:
    """One answer tells everything that is wrong with the body's fields."""
    response = await post_transfer(backend, {"remark": None, "toId": None, "memo": "Lunch"})

    problem = response.json()
    assert problem["code"] == "ARGUMENT_INVALID"
    assert [fault["field"] for fault in problem["errors"]] == ["remark", "toId", "memo"]
    assert all(name in problem["detail"] for name in ("remark", "toId", "memo"))


async def test_every_faulty_argument_is_named_and_the_first_decides(backend: Backend) -> None:
    """The problem's code is the first breach's; `errors` holds them all, in declared order."""
    response = await post_transfer(backend, {"amount": "0", "remark": "", "toId": ""})

    problem = response.json()
    assert problem["code"] == "ACCOUNT_ID_EMPTY"
    assert [(fault["field"], fault["code"]) for fault in problem["errors"]] == [
        ("toId", "ACCOUNT_ID_EMPTY"),
        ("amount", "AMOUNT_NOT_POSITIVE"),
        ("remark", "REMARK_EMPTY"),
    ]


async def test_an_argument_of_the_path_is_no_field_of_the_body(backend: Backend) -> None:
    """Where the path names the user, the body cannot name another one."""
    async with backend.super_admin() as client:
        response = await client.post(
            "/api/v1/users/alice/lock", json={"userId": "bob", "reason": "Court order"}
        )

    assert response.status_code == 400
    assert [fault["field"] for fault in response.json()["errors"]] == ["userId"]


async def test_an_argument_of_the_path_is_checked_like_any_other(backend: Backend) -> None:
    """A path that holds no id is refused, and decoded only once."""
    async with backend.super_admin() as client:
        response = await client.post("/api/v1/users/al%20ice/lock", json={"reason": "Court order"})

    assert (response.status_code, response.json()["code"]) == (400, "ARGUMENT_INVALID")


async def test_administrators_move_coins_of_the_system(backend: Backend) -> None:
    """An admin may act for system accounts and treasuries, and is recorded as the actor."""
    async with backend.client("ops", TokenRole.ADMIN) as client:
        pool = await client.post(TRANSFERS, json={**TRANSFER, "fromId": "SYSTEM_OPERATIONS_FUND"})
        treasury = await client.post(TRANSFERS, json={**TRANSFER, "fromId": "treasury_US"})
        person = await client.post(TRANSFERS, json=TRANSFER)

    assert [pool.status_code, treasury.status_code] == [202, 202]
    assert stored(backend, pool).actor == "ops"
    assert stored(backend, pool).role is LedgerRole.ADMIN
    assert (person.status_code, person.json()["code"]) == (403, "ACTOR_MISMATCH")


async def test_actor_and_subject_are_both_recorded(backend: Backend) -> None:
    """A partner who acts for a user stays visible as the one who asked."""
    async with backend.client("shop", TokenRole.PARTNER, ("alice",)) as client:
        response = await client.post(TRANSFERS, json=TRANSFER, headers={"X-On-Behalf-Of": "alice"})

    command = stored(backend, response)
    assert (command.actor, command.subject) == ("alice", "shop")
    assert command.role is LedgerRole.PARTNER_API

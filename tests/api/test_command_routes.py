"""The write routes: what a valid request stores, and how a statically wrong one is refused."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from gx.api.ports import CommandGate
from gx.api.route_table import command_route
from gx.database.ports import DatabaseUnavailableError
from gx.domain.arguments import Source
from gx.domain.catalogue import COMMANDS
from gx.domain.codec import JsonValue
from gx.domain.commands import Access, CommandSpec
from gx.domain.identifiers import CommandId
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole, TokenRole
from gx.outbox.group_commit import GroupCommitter
from gx.outbox.memory.inbox import MemoryCommandInbox
from gx.outbox.ports import Acceptance, BacklogFullError, NewCommand
from tests.api.parts import TRANSFER, Backend, build_backend

TRANSFERS = "/api/v1/transfers"

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


def stored(backend: Backend, response: httpx.Response) -> NewCommand:
    """Return what an answer says was stored."""
    return backend.outbox.commands[CommandId(response.json()["commandId"])].command


async def post_transfer(
    backend: Backend, changes: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Send a transfer of alice's with some fields changed; None takes one out."""
    body = {name: value for name, value in {**TRANSFER, **changes}.items() if value is not None}
    async with backend.client() as client:
        return await client.post(TRANSFERS, json=body, headers=headers)


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


# ---------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"null",
        b'"text"',
        b"[]",
        b'{"fromId":"alice"',
        b'{"fromId":"alice"}trailing',
        b'{"fromId":NaN}',
        b'{"fromId":"\xff"}',
        b'{"fromId":"\\ud800"}',
        b'{"fromId":"a\x00b"}',
        b"\xef\xbb\xbf{}",
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b'{"amount":' + b"9" * 30_000 + b"}",
        b'{"fromId":"alice","toId":"bob","amount":"1","remark":"a","amount":"2"}',
        b'{"fromId":"alice","toId":"bob","amount":"1","remark":"a:b","remark":"colon"}',
        b'{"fromId":"alice","toId":"bob","amount":"1","remark":"a","re\\u006dark":"escaped"}',
    ],
    ids=lambda body: f"{body[:60]!r}{len(body)}",
)
async def test_what_is_no_plain_json_object_is_refused(backend: Backend, body: bytes) -> None:
    """Malformed, nested without end, ambiguous or foreign JSON never gets past the edge."""
    async with backend.client() as client:
        response = await client.post(
            TRANSFERS, content=body, headers={"Content-Type": "application/json"}
        )

    assert (response.status_code, response.json()["code"]) == (400, "ARGUMENT_INVALID")
    assert not backend.outbox.commands


async def test_a_member_named_twice_deep_inside_is_found(backend: Backend) -> None:
    """Ambiguity counts at every depth."""
    body = b'{"countries":[{"countryCode":"US","percentage":"1","percentage":"2"}]}'
    async with backend.super_admin() as client:
        response = await client.post("/api/v1/admin/countries/initialize", content=body)

    assert response.status_code == 400
    assert "percentage" in response.json()["detail"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 202),
        ("application/json; charset=utf-8", 202),
        ("APPLICATION/JSON", 202),
        ("application/vnd.gx+json", 202),
        ("text/plain", 400),
        ("application/x-www-form-urlencoded", 400),
        ("multipart/form-data; boundary=x", 400),
    ],
)
async def test_bodies_are_json(backend: Backend, content_type: str, status: int) -> None:
    """A form that a browser sends across sites is no command."""
    async with backend.client() as client:
        response = await client.post(
            TRANSFERS,
            content=b'{"fromId":"alice","toId":"bob","amount":"1","remark":"Lunch"}',
            headers={"Content-Type": content_type},
        )

    assert response.status_code == status


@given(
    body=st.dictionaries(
        st.sampled_from([*TRANSFER, "memo"]),
        st.one_of(st.text(max_size=30), st.integers(), st.floats(allow_nan=False), st.none()),
        max_size=5,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_body_makes_the_edge_fail(
    backend: Backend, body: dict[str, str | int | float | None]
) -> None:
    """Whatever a client sends is accepted or refused with a code, never an error of ours."""
    async with backend.client() as client:
        response = await client.post(TRANSFERS, json=body)

    assert response.status_code in (202, 400, 403, 422)
    if response.status_code != 202:
        assert response.json()["code"] in RefusalCode.__members__


# ---------------------------------------------------------------- idempotency


async def test_the_same_key_and_body_give_the_same_command(backend: Backend) -> None:
    """A retry is answered with the first request's command and takes no effect."""
    first = await post_transfer(backend, {}, {"Idempotency-Key": "order-1"})
    again = await post_transfer(backend, {}, {"Idempotency-Key": "order-1"})

    assert again.status_code == 202
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(backend.outbox.commands) == 1


async def test_a_repeated_request_tells_where_the_command_stands(backend: Backend) -> None:
    """The retry of a request whose command is settled says so."""
    first = await post_transfer(backend, {}, {"Idempotency-Key": "order-1"})
    await backend.settle(CommandId(first.json()["commandId"]))

    again = await post_transfer(backend, {}, {"Idempotency-Key": "order-1"})

    assert again.json()["status"] == "COMMITTED"


async def test_both_spellings_of_the_header_are_one_key(backend: Backend) -> None:
    """`X-Idempotency-Key` is the same header; two different keys at once are refused."""
    await post_transfer(backend, {}, {"Idempotency-Key": "order-1"})
    again = await post_transfer(backend, {}, {"X-Idempotency-Key": "order-1"})
    torn = await post_transfer(
        backend, {}, {"Idempotency-Key": "order-1", "X-Idempotency-Key": "order-2"}
    )

    assert again.headers["idempotent-replayed"] == "true"
    assert (torn.status_code, torn.json()["code"]) == (400, "ARGUMENT_INVALID")


async def test_two_bodies_that_say_the_same_are_the_same(backend: Backend) -> None:
    """The order of members and white space do not make another request."""
    await post_transfer(backend, {}, {"Idempotency-Key": "order-1"})
    turned = dict(reversed(TRANSFER.items()))
    async with backend.client() as client:
        again = await client.post(TRANSFERS, json=turned, headers={"Idempotency-Key": "order-1"})

    assert again.headers["idempotent-replayed"] == "true"


async def test_the_same_key_with_another_body_is_refused(backend: Backend) -> None:
    """A key stands for one request: 409, and nothing is stored."""
    await post_transfer(backend, {}, {"Idempotency-Key": "order-1"})

    other = await post_transfer(backend, {"amount": "1"}, {"Idempotency-Key": "order-1"})

    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert len(backend.outbox.commands) == 1


async def test_a_key_belongs_to_its_subject_and_route(backend: Backend) -> None:
    """Two subjects may use one key, and so may one subject on two routes or for two users."""
    key = {"Idempotency-Key": "order-1"}
    await post_transfer(backend, {}, key)
    async with backend.client("bob") as bob, backend.super_admin() as root:
        other_subject = await bob.post(
            TRANSFERS, json={**TRANSFER, "fromId": "bob", "toId": "alice"}, headers=key
        )
        pause = await root.post(
            "/api/v1/admin/system/pause", json={"reason": "Planned upgrade"}, headers=key
        )
        resume = await root.post("/api/v1/admin/system/resume", headers=key)

    assert [answer.status_code for answer in (other_subject, pause, resume)] == [202] * 3
    assert len(backend.outbox.commands) == 4


async def test_one_key_for_two_users_of_one_path_is_refused(backend: Backend) -> None:
    """What stands in the path is part of the request that the key names."""
    key = {"Idempotency-Key": "order-1"}
    async with backend.super_admin() as root:
        await root.post("/api/v1/wallets/alice/unfreeze", headers=key)
        other = await root.post("/api/v1/wallets/bob/unfreeze", headers=key)

    assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_concurrent_requests_with_one_key_are_one_command(backend: Backend) -> None:
    """However many arrive at once, one is stored and all are answered with it."""
    async with backend.client() as client:
        answers = await asyncio.gather(
            *(
                client.post(TRANSFERS, json=TRANSFER, headers={"Idempotency-Key": "order-1"})
                for _ in range(20)
            )
        )

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["commandId"] for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 19


@pytest.mark.parametrize("key", [b"", b"a b", b"\xc3\xa9", b"k" * 256, b"tab\t"], ids=repr)
async def test_an_idempotency_key_is_bounded_and_printable(backend: Backend, key: bytes) -> None:
    """A key that cannot be told apart safely is refused."""
    async with backend.client() as client:
        response = await client.post(TRANSFERS, json=TRANSFER, headers=[(b"Idempotency-Key", key)])

    assert (response.status_code, response.json()["code"]) == (400, "ARGUMENT_INVALID")


async def test_what_is_stored_of_a_key_are_hashes(backend: Backend) -> None:
    """Neither the key nor the body can be read back; parts cannot run into each other."""
    response = await post_transfer(backend, {}, {"Idempotency-Key": "order-1"})
    command = stored(backend, response)

    assert command.key_hash is not None
    assert len(command.key_hash) == len(command.fingerprint) == 64
    assert "order" not in command.key_hash

    async with backend.client("alic") as client:
        shifted = await client.post(
            TRANSFERS,
            json={**TRANSFER, "fromId": "alic"},
            headers={"Idempotency-Key": "eorder-1"},
        )
    assert stored(backend, shifted).key_hash != command.key_hash


# ---------------------------------------------------------------- what stands behind


class FailingGate(CommandGate):
    """Fails each time with the same error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @override
    async def accept(self, command: NewCommand) -> Acceptance:
        raise self._error


def backend_with_gate(folder: Path, gate: CommandGate) -> Backend:
    """Build an edge whose gate is another one."""
    return build_backend(folder, change=lambda parts, _: replace(parts, gate=gate))


async def test_a_full_backlog_is_said_with_the_time_to_come_back(tmp_path: Path) -> None:
    """503 BACKLOG_FULL with Retry-After, counted as a refused admission; never 429."""
    full = BacklogFullError(oldest_age_ms=31_000, retry_after_s=7)
    backend = backend_with_gate(tmp_path, FailingGate(full))

    response = await post_transfer(backend, {})

    assert (response.status_code, response.json()["code"]) == (503, "BACKLOG_FULL")
    assert response.headers["retry-after"] == "7"
    assert backend.parts.metrics.admissions_refused.read() == 1


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailableError("connection to gx:secret@db.internal:5432 refused"),
        ConnectionRefusedError("db.internal:5432"),
        TimeoutError("db.internal:5432"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_database_that_is_down_is_unavailable_without_details(
    tmp_path: Path, error: Exception
) -> None:
    """503 UNAVAILABLE: no host, no statement, no stack trace in the answer."""
    backend = backend_with_gate(tmp_path, FailingGate(error))

    response = await post_transfer(backend, {})

    assert (response.status_code, response.json()["code"]) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"] == "1"
    assert "db.internal" not in response.text
    assert "Traceback" not in response.text


async def test_a_mistake_of_ours_is_an_internal_error_without_details(tmp_path: Path) -> None:
    """500 INTERNAL_ERROR with the request id to look for in the logs, and nothing else."""
    backend = backend_with_gate(tmp_path, FailingGate(ZeroDivisionError("secret detail")))

    response = await post_transfer(backend, {}, {"X-Request-Id": "req-1"})

    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL_ERROR")
    assert "secret detail" not in response.text
    assert response.json()["requestId"] == "req-1"


async def test_one_bad_row_fails_alone(tmp_path: Path) -> None:
    """A row that the store cannot take fails its own request, not the group's others."""

    class Picky(MemoryCommandInbox):
        @override
        async def accept(self, commands: Sequence[NewCommand]) -> Sequence[Acceptance | Exception]:
            answers = list(await super().accept(commands))
            return [
                ValueError("unstorable") if command.arguments["remark"] == "bad" else answer
                for command, answer in zip(commands, answers, strict=True)
            ]

    backend = build_backend(
        tmp_path,
        change=lambda parts, outbox: replace(
            parts, gate=GroupCommitter(Picky(outbox), on_stored=lambda: None)
        ),
    )

    good, bad = await asyncio.gather(
        post_transfer(backend, {}), post_transfer(backend, {"remark": "bad"})
    )

    assert (good.status_code, bad.status_code) == (202, 500)


# ---------------------------------------------------------------- traces and ids


async def test_a_clients_trace_goes_on(backend: Backend) -> None:
    """The command is stored with the client's trace id and a span of this request's own."""
    given_parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    response = await post_transfer(backend, {}, {"traceparent": given_parent})

    parent = stored(backend, response).trace_parent
    assert parent is not None
    version, trace_id, span_id, flags = parent.split("-")
    assert (version, trace_id, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "01")
    assert span_id != "00f067aa0ba902b7"


@pytest.mark.parametrize("headers", [{}, {"traceparent": "00-zz"}], ids=["none", "malformed"])
async def test_without_a_clients_trace_one_begins(
    backend: Backend, headers: dict[str, str]
) -> None:
    """Each command is in a trace; its id is the request's id if the client brought none."""
    response = await post_transfer(backend, {}, headers)

    parent = stored(backend, response).trace_parent
    assert parent is not None
    assert parent.split("-")[1] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("given_id", "is_kept"),
    [("req-1", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("", False)],
    ids=["plain", "longest", "too long", "blank inside", "empty"],
)
async def test_a_clients_request_id_is_kept_if_it_is_harmless(
    backend: Backend, given_id: str, *, is_kept: bool
) -> None:
    """What could break a log line or a header is replaced."""
    response = await post_transfer(backend, {}, {"X-Request-Id": given_id})

    assert (response.headers["x-request-id"] == given_id) is is_kept

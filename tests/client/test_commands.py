"""The client's methods are the catalogue's commands."""

import asyncio
import inspect
import json

import pytest

from gx.client.blocking import BlockingGxClient
from gx.client.client import GxClient
from gx.client.requests import build_command
from gx.domain.arguments import Source
from gx.domain.catalogue import COMMANDS
from gx.domain.codec import JsonValue, wire_name_of
from gx.domain.commands import CommandSpec
from tests.client.scripted import a_client, accepted

SPECS = list(COMMANDS.values())


def method_name(spec: CommandSpec) -> str:
    """The client's method for a command."""
    return spec.wire_name.lower()


@pytest.mark.parametrize("kind", [GxClient, BlockingGxClient])
@pytest.mark.parametrize("spec", SPECS, ids=method_name)
def test_every_command_has_a_method(spec: CommandSpec, kind: type) -> None:
    """A new command fails here until both clients can send it."""
    assert callable(getattr(kind, method_name(spec), None))


@pytest.mark.parametrize("spec", SPECS, ids=method_name)
def test_a_method_takes_the_command_s_arguments(spec: CommandSpec) -> None:
    """The parameters are the declared arguments, by keyword, and the idempotency key."""
    parameters = inspect.signature(getattr(GxClient, method_name(spec))).parameters

    given = {wire_name_of(name) for name in parameters} - {"self", "idempotencyKey"}
    assert given == {argument.name for argument in spec.arguments}
    assert "idempotency_key" in parameters


@pytest.mark.parametrize("spec", SPECS, ids=method_name)
def test_a_command_is_sent_where_its_declaration_says(spec: CommandSpec) -> None:
    """Path arguments stand in the path, the others in the body, as their examples do."""
    request = build_command(
        spec.wire_name, {a.name: a.example for a in spec.arguments}, idempotency_key="k"
    )

    in_path = {a.name: a.example for a in spec.arguments if a.source is Source.PATH}
    assert request.path == "/api/v1" + spec.path.format(**in_path)
    assert json.loads(request.body) == {
        a.name: a.example for a in spec.arguments if a.source is Source.BODY
    }
    assert request.is_repeatable


async def test_amounts_leave_as_decimal_strings_of_base_units() -> None:
    """A number of base units never becomes a JSON number; an age does."""
    client, http, _ = a_client(accepted(), accepted())

    await client.submit("MINT_COINS", account_id="a", amount=2**64 - 1, remark="r")
    await client.create_user(user_id="a", biometric_hash="0" * 64, nationality="US", age=34)

    mint, create = (json.loads(request.content) for request in http.requests)
    assert mint["amount"] == "18446744073709551615"
    assert create["age"] == 34


async def test_an_id_cannot_leave_its_path_segment() -> None:
    """What a caller passes as an id stays one segment, whatever it contains."""
    client, http, _ = a_client(accepted())

    await client.unfreeze_wallet(user_id="../../admin/mint?x=1")

    assert http.requests[0].url.raw_path == (
        b"/api/v1/wallets/..%2F..%2Fadmin%2Fmint%3Fx%3D1/unfreeze"
    )


@pytest.mark.parametrize(
    ("command_type", "arguments", "complaint"),
    [
        ("MINT", {}, "no command 'MINT'"),
        ("RESUME_SYSTEM", {"reason": "x"}, "no arguments"),
        ("DISTRIBUTE_GENESIS", {}, "userId"),
    ],
    ids=["unknown", "surplus", "missing"],
)
def test_a_call_that_cannot_be_right_is_refused_before_it_is_sent(
    command_type: str, arguments: dict[str, JsonValue], complaint: str
) -> None:
    """Misspelt names fail at the caller."""
    with pytest.raises(ValueError, match=complaint):
        build_command(command_type, arguments, idempotency_key="k")


def test_the_blocking_client_sends_the_same_request() -> None:
    """It is the asynchronous client, run to the end of each call."""
    client, http, _ = a_client(accepted())

    with asyncio.Runner() as runner:
        answer = BlockingGxClient(client, runner).distribute_genesis(user_id="alice")

    assert answer.status == "PENDING"
    assert http.requests[0].url.path == "/api/v1/genesis"

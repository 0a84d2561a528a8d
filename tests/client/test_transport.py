"""Retries: with the same key, only where safe, bounded, with jitter, honouring Retry-After."""

import httpx
import pytest

from gx.client.errors import (
    AddressError,
    ApiUnreachableError,
    ProblemError,
    UnexpectedAnswerError,
)
from gx.client.retry import RetryPolicy, parse_retry_after_s
from gx.client.transport import ClientSettings
from gx.domain.amounts import Amount
from gx.domain.identifiers import CommandId
from tests.client.scripted import COMMAND_ID, a_client, accepted, command, problem

BROKEN = [
    httpx.ConnectError("refused"),
    httpx.ReadError("reset"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("cut off"),
]


@pytest.mark.parametrize("failure", BROKEN, ids=lambda failure: type(failure).__name__)
async def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    failure: httpx.TransportError,
) -> None:
    """Whatever the connection did, the command goes out again as the same request."""
    client, http, _ = a_client(failure, accepted())

    answer = await client.mint_coins(account_id="alice", amount=Amount(5), remark="r")

    first, second = http.requests
    assert answer.command_id == COMMAND_ID
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.content == second.content


async def test_two_calls_have_two_keys() -> None:
    """A key is made for each call, so that two equal payments are two commands."""
    client, http, _ = a_client(accepted(), accepted())

    for _ in range(2):
        await client.mint_coins(account_id="alice", amount=Amount(5), remark="r")

    first, second = http.requests
    assert first.headers["Idempotency-Key"] != second.headers["Idempotency-Key"]


async def test_a_given_key_is_used() -> None:
    """A caller that retries across its own restarts names the key."""
    client, http, _ = a_client(accepted())

    await client.distribute_genesis(user_id="alice", idempotency_key="order-7")

    assert http.requests[0].headers["Idempotency-Key"] == "order-7"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_api_is_given_the_time_that_it_asks_for(status: int) -> None:
    """Retry-After is waited for, plus jitter, so that clients do not come back together."""
    client, _, naps = a_client(problem(status, "BACKLOG_FULL", **{"Retry-After": "2"}), accepted())

    await client.resume_system()

    assert naps.durations_s == [2.1]


async def test_a_refusal_is_not_repeated() -> None:
    """A problem with a code is the answer."""
    client, http, _ = a_client(problem(422, "REMARK_EMPTY"))

    with pytest.raises(ProblemError) as caught:
        await client.mint_coins(account_id="alice", amount=Amount(5), remark="")

    assert (caught.value.status, caught.value.code, caught.value.detail) == (
        422,
        "REMARK_EMPTY",
        "because",
    )
    assert len(http.requests) == 1


async def test_retries_are_bounded() -> None:
    """An API that is gone is reported after the policy's number of attempts."""
    client, http, naps = a_client(*[httpx.ConnectError("refused")] * 4)

    with pytest.raises(ApiUnreachableError, match=r"http://gx\.test.*refused.*4 times"):
        await client.find_command(CommandId(COMMAND_ID))

    assert len(http.requests) == 4
    assert naps.durations_s == [0.1, 0.2, 0.4]


async def test_a_busy_answer_that_stays_is_raised_as_the_problem_that_it_is() -> None:
    """After the last attempt the caller sees why: the API's own code."""
    client, _, _ = a_client(*[problem(503, "BACKLOG_FULL")] * 4)

    with pytest.raises(ProblemError, match="BACKLOG_FULL"):
        await client.resume_system()


async def test_an_act_without_a_key_is_repeated_only_if_it_was_surely_not_sent() -> None:
    """A dead letter's replay has no key: after a lost answer an operator looks."""
    client, http, _ = a_client(httpx.ConnectError("refused"), httpx.ReadError("reset"))

    with pytest.raises(ApiUnreachableError, match="reset"):
        await client.replay_dead_letter(CommandId(COMMAND_ID), reason="fixed")

    assert len(http.requests) == 2


async def test_a_gateway_that_lost_the_answer_is_asked_again() -> None:
    """502 and 504 say nothing about the effect; the key makes the repetition safe."""
    client, http, _ = a_client(httpx.Response(502, text="<html>"), accepted())

    await client.resume_system()

    assert len(http.requests) == 2


@pytest.mark.parametrize("body", ["<html>hello</html>", "[]", "{}", '{"commandId": 5}'])
async def test_a_stranger_s_answer_is_named_as_such(body: str) -> None:
    """Another program on the port does not look like a success."""
    client, _, _ = a_client(httpx.Response(200, text=body))

    with pytest.raises(UnexpectedAnswerError, match="POST /api/v1/admin/system/resume"):
        await client.resume_system()


async def test_the_token_travels_and_is_not_shown() -> None:
    """The bearer token is on every request and in no representation."""
    client, http, _ = a_client(command("PENDING"))

    await client.find_command(CommandId(COMMAND_ID))

    assert http.requests[0].headers["Authorization"] == "Bearer t0ken"
    assert "t0ken" not in repr(client.settings)


async def test_acting_for_a_user_names_the_user_on_every_request() -> None:
    """X-On-Behalf-Of is sent by the client that acts for somebody, and by no other."""
    client, http, _ = a_client(accepted(), accepted())

    await client.acting_for("alice").distribute_genesis(user_id="alice")
    await client.distribute_genesis(user_id="alice")

    assert [request.headers.get("X-On-Behalf-Of") for request in http.requests] == ["alice", None]


@pytest.mark.parametrize("address", ["", "localhost:8000", "ftp://x", "http://", "http://x/api"])
def test_an_address_that_cannot_be_one_is_refused_at_once(address: str) -> None:
    """A typing mistake is no network problem."""
    with pytest.raises(AddressError, match="http://host:port"):
        ClientSettings(base_url=address)


def test_jitter_is_full_and_growth_is_bounded() -> None:
    """Delays lie between nothing and a ceiling that doubles up to its maximum."""
    policy = RetryPolicy(attempts_max=10, delay_first_s=0.1, delay_max_s=1.0)

    ceilings = [policy.delay_s(n, retry_after_s=0, fraction=1.0) for n in (1, 2, 3, 4, 5, 9)]

    assert ceilings == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert policy.delay_s(9, retry_after_s=0, fraction=0.0) == 0
    assert policy.delay_s(10, retry_after_s=0, fraction=0.0) is None


def test_a_retry_after_beyond_patience_is_not_waited_for() -> None:
    """An API that asks for an hour is an answer for the caller."""
    assert RetryPolicy().delay_s(1, retry_after_s=3_600, fraction=0.5) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), (" 3 ", 3.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), (None, 0.0), ("-1", 0.0)],
    ids=["seconds", "spaces", "a-date", "absent", "negative"],
)
def test_retry_after_is_read_leniently(header: str | None, seconds: float) -> None:
    """What is no number of seconds asks for no particular wait."""
    assert parse_retry_after_s(header) == seconds

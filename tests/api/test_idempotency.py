"""Idempotency keys: which requests are one request."""

import asyncio

import pytest

from gx.domain.identifiers import CommandId
from tests.api.parts import TRANSFER, Backend
from tests.api.sending import TRANSFERS, post_transfer, stored


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


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Idempotency-Key"])
async def test_a_repeated_header_with_two_keys_is_refused(backend: Backend, name: str) -> None:
    """Which of the two would be meant is anybody's guess; the same key twice is one key."""
    async with backend.client() as client:
        torn = await client.post(
            TRANSFERS, json=TRANSFER, headers=[(name, "order-1"), (name, "order-2")]
        )
        twice = await client.post(
            TRANSFERS, json=TRANSFER, headers=[(name, "order-1"), (name, "order-1")]
        )

    assert (torn.status_code, torn.json()["code"]) == (400, "ARGUMENT_INVALID")
    assert twice.status_code == 202
    assert len(backend.outbox.commands) == 1


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

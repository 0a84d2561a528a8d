"""Whatever a peer does wrong, no transaction takes it for data, and none waits for ever."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import grpc
import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage, GetStateMultipleResult
from grpc import aio

from gx.chaincode.server.stream import StreamLimits
from tests.chaincode.server.peer_double import (
    CHANNEL,
    NO_OFFERS,
    PeerDouble,
    Tamper,
    a_transaction,
    honest,
)
from tests.chaincode.server.served import LIMITS, a_peer_of, serving
from tests.chaincode.server.test_transactions import TOY

Messages = Sequence[ChaincodeMessage]


def an_error(request: ChaincodeMessage, _answer: ChaincodeMessage) -> Messages:
    """Refuse a request as a peer does."""
    kind = ChaincodeMessage.Type.Name(request.type)
    return [
        ChaincodeMessage(
            type=ChaincodeMessage.ERROR,
            payload=f"{kind} failed: transaction ID: {request.txid}: no ledger context".encode(),
            txid=request.txid,
            channel_id=request.channel_id,
        )
    ]


def only_for(kind: ChaincodeMessage.Type, tamper: Tamper) -> Tamper:
    """Misbehave on one kind of request alone."""
    return lambda request, answer: (tamper if request.type == kind else honest)(request, answer)


def with_payload(payload: bytes) -> Tamper:
    """Answer something else."""

    def tamper(_request: ChaincodeMessage, answer: ChaincodeMessage) -> Messages:
        answer.payload = payload
        return [answer]

    return tamper


def of_another_transaction(_request: ChaincodeMessage, answer: ChaincodeMessage) -> Messages:
    """Answer a transaction that does not run."""
    answer.txid = "e" * 64
    return [answer]


def on_another_channel(_request: ChaincodeMessage, answer: ChaincodeMessage) -> Messages:
    """Answer on a channel where nothing was asked."""
    answer.channel_id = "elsewhere"
    return [answer]


def twice(_request: ChaincodeMessage, answer: ChaincodeMessage) -> Messages:
    """Answer and answer again."""
    return [answer, answer]


def registered_again(_request: ChaincodeMessage, answer: ChaincodeMessage) -> Messages:
    """Send what belongs to the beginning."""
    return [ChaincodeMessage(type=ChaincodeMessage.REGISTERED), answer]


def never(_request: ChaincodeMessage, _answer: ChaincodeMessage) -> Messages:
    """Stay silent."""
    return []


@pytest.mark.parametrize(
    "kind",
    [ChaincodeMessage.GET_STATE_MULTIPLE, ChaincodeMessage.WRITE_BATCH_STATE],
    ids=["read", "write"],
)
async def test_a_peers_error_fails_the_transaction_and_is_never_data(
    kind: ChaincodeMessage.Type,
) -> None:
    """A refused read or write ends in 500 without event; the next transaction is fine."""
    async with a_peer_of(TOY.execute) as peer:
        peer.tamper = only_for(kind, an_error)
        failed = await peer.call("keep", "a")
        peer.tamper = honest
        after = await peer.call("keep", "a")

    assert failed.response.status == 500
    assert failed.event is None
    assert "ledger context" not in failed.response.message
    assert after.response.status == 200


@pytest.mark.parametrize(
    ("kind", "kinds"),
    [
        (ChaincodeMessage.GET_STATE, ["GET_STATE"]),
        (ChaincodeMessage.PUT_STATE, ["GET_STATE", "GET_STATE", "PUT_STATE"]),
    ],
    ids=["read", "write"],
)
async def test_nothing_is_asked_after_an_error(
    kind: ChaincodeMessage.Type, kinds: Sequence[str]
) -> None:
    """Where keys go one by one, the first error ends the transaction, whatever was to follow."""
    async with (
        serving(TOY.execute) as served,
        PeerDouble(offers=NO_OFFERS).connected(served.channel) as peer,
    ):
        peer.tamper = only_for(kind, an_error)
        failed = await peer.call("keep", "a", "b")
        peer.tamper = honest
        after = await peer.call("keep", "a", "b")

    assert failed.response.status == 500
    assert failed.kinds == kinds
    assert after.response.status == 200


@pytest.mark.parametrize("function", ["keysBetween", "changesOf"])
async def test_a_refused_query_fails_the_transaction(function: str) -> None:
    """An error for a range or a history is no empty result."""
    async with a_peer_of(TOY.execute) as peer:
        peer.tamper = an_error
        done = await peer.call(function, *(["a", "b"] if function == "keysBetween" else ["a"]))

    assert done.response.status == 500


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xff\xff",
        GetStateMultipleResult(values=[b"1"]).SerializeToString(),
        GetStateMultipleResult(values=[b"1", b"2", b"3"]).SerializeToString(),
        GetStateMultipleResult(values=[b"1", b"\xff"]).SerializeToString(),
    ],
    ids=["garbage", "too few", "too many", "no text"],
)
async def test_an_answer_that_does_not_fit_fails_the_transaction(payload: bytes) -> None:
    """A value is taken for a key's only if there is exactly one a key, and each is text."""
    async with a_peer_of(TOY.execute) as peer:
        peer.tamper = with_payload(payload)
        done = await peer.call("keep", "a", "b")

    assert done.response.status == 500
    assert done.writes == {}


@pytest.mark.parametrize(
    "tamper", [of_another_transaction, on_another_channel, twice, registered_again]
)
async def test_a_message_out_of_turn_ends_the_connection(tamper: Tamper) -> None:
    """Nobody can tell which answer is whose any more, so everything in flight fails."""
    async with serving(TOY.execute) as served:
        async with PeerDouble().connected(served.channel) as peer:
            peer.tamper = tamper
            failing = asyncio.create_task(peer.call("keep", "a"))
            error = await peer.ended
            await asyncio.gather(failing, return_exceptions=True)
        async with PeerDouble().connected(served.channel) as another:
            assert (await another.call("whoami")).response.status == 200

    assert isinstance(error, aio.AioRpcError | ConnectionError)


async def test_a_transaction_sent_twice_ends_the_connection() -> None:
    """Two of the same id could not be told apart."""
    async with a_peer_of(TOY.execute) as peer:
        peer.tamper = never
        message = a_transaction("1" * 64, "keep", "a")
        first = asyncio.create_task(peer.execute(message))
        await asyncio.sleep(0)
        await peer.send(message)

        with pytest.raises(ConnectionError):
            await first


async def test_a_silent_peer_costs_one_time_out_and_its_connection() -> None:
    """The transaction fails when its time is over; the peer connects anew and is served."""
    limits = replace(LIMITS, transaction_timeout_s=2.0)
    async with serving(TOY.execute, limits=limits) as served:
        async with PeerDouble().connected(served.channel) as peer:
            peer.tamper = never
            (outcome,) = await asyncio.gather(peer.call("keep", "a"), return_exceptions=True)
            assert isinstance(await peer.ended, aio.AioRpcError)
            assert isinstance(outcome, BaseException) or outcome.response.status == 500
        async with PeerDouble().connected(served.channel) as again:
            assert (await again.call("keep", "a")).response.status == 200


async def test_one_silent_peer_does_not_take_anothers_threads() -> None:
    """Each connection has threads of its own."""
    limits = replace(LIMITS, transactions_max=2)
    async with (
        serving(TOY.execute, limits=limits) as served,
        PeerDouble().connected(served.channel) as silent,
        PeerDouble().connected(served.channel) as lively,
    ):
        silent.tamper = never
        stuck = [asyncio.create_task(silent.call("keep", str(number))) for number in range(5)]
        done = await asyncio.gather(*(lively.call("keep", "a") for _ in range(20)))

        assert {one.response.status for one in done} == {200}
        assert not any(task.done() for task in stuck)
        for task in stuck:
            task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)


@pytest.mark.parametrize(
    "messages",
    [
        [a_transaction("1" * 64, "whoami")],
        [ChaincodeMessage(type=ChaincodeMessage.READY)],
        [
            ChaincodeMessage(type=ChaincodeMessage.REGISTERED),
            ChaincodeMessage(type=ChaincodeMessage.READY, payload=b"\xff\xff"),
        ],
        [
            ChaincodeMessage(type=ChaincodeMessage.REGISTERED),
            ChaincodeMessage(type=ChaincodeMessage.RESPONSE, txid="1" * 64, channel_id=CHANNEL),
        ],
    ],
    ids=["no registration", "too early", "garbled offers", "answer before ready"],
)
async def test_a_registration_that_goes_wrong_ends_the_connection(messages: Messages) -> None:
    """REGISTERED, then READY, then calls: anything else is no peer."""
    async with serving(TOY.execute) as served, PeerDouble().dialled(served.channel) as peer:
        for message in messages:
            await peer.send(message)
        with pytest.raises(aio.AioRpcError) as caught:
            await peer.next_message()

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_peer_that_does_not_accept_the_package_is_told_apart_from_a_slow_one() -> None:
    """A wrong package id shows as silence after the registration; the log and the peer get why."""
    limits: StreamLimits = replace(LIMITS, registration_timeout_s=0.2)
    async with (
        serving(TOY.execute, limits=limits) as served,
        PeerDouble().dialled(served.channel) as peer,
    ):
        with pytest.raises(aio.AioRpcError) as caught:
            await peer.next_message()

    assert "package" in (caught.value.details() or "")


async def test_a_message_above_the_bound_is_not_taken() -> None:
    """The transport itself turns it away before it is in memory as a whole; others are served."""
    limits = replace(LIMITS, message_bytes_max=100_000)
    async with serving(TOY.execute, limits=limits) as served:
        async with PeerDouble().connected(served.channel) as peer:
            with pytest.raises(ConnectionError):
                await peer.call("keep", "x" * 200_000)
        async with PeerDouble().connected(served.channel) as peer:
            assert (await peer.call("keep", "x")).response.status == 200


async def test_when_the_peer_goes_its_transactions_are_abandoned_at_once() -> None:
    """Threads that wait for a peer that left are free again long before their time-out."""
    async with serving(TOY.execute) as served:
        async with PeerDouble().connected(served.channel) as peer:
            peer.tamper = never
            stuck = asyncio.create_task(peer.call("keep", "a"))
            await asyncio.sleep(0.1)
        stuck.cancel()
        async with asyncio.timeout(30):
            while served.streams[-1]:  # noqa: ASYNC110 (the server has no event for it)
                await asyncio.sleep(0.01)

"""What a peer gets from the chaincode for its transactions."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from threading import Event

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from gx.chaincode.executor import ExecutionResult, Refused
from gx.chaincode.stub import Stub
from gx.domain.codec import JsonValue, decode
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import LedgerRole
from tests.chaincode.server.peer_double import NO_OFFERS, START_S, PeerDouble, a_transaction
from tests.chaincode.server.served import LIMITS, PACKAGE_ID, Toy, a_peer_of, serving


def keep(stub: Stub, args: Sequence[str]) -> JsonValue:
    """Read a key for each argument, then write it, or delete it if its name begins with `no`."""
    found = stub.get_states(args)
    stub.put_states({name: None if name.startswith("no") else name.upper() for name in args})
    stub.set_event("Kept", "first")
    stub.set_event("Kept", ",".join(args))
    return list(found)


def grow(stub: Stub, args: Sequence[str]) -> JsonValue:
    """Write keys with values of a size."""
    count, size_bytes = map(int, args)
    stub.put_states({f"key-{number}": "x" * size_bytes for number in range(count)})
    return None


def boast(stub: Stub, args: Sequence[str]) -> JsonValue:
    """Set an event of a size."""
    stub.set_event("Boasted", "x" * int(args[0]))
    return None


def keys_between(stub: Stub, args: Sequence[str]) -> JsonValue:
    """List the keys of a range."""
    start, end = args
    return [key for key, _ in stub.get_range(start, end)]


def first_of_range(stub: Stub, args: Sequence[str]) -> JsonValue:
    """Stop reading a range early, and read something else."""
    start, end, other = args
    return [*(key for key, _ in islice(stub.get_range(start, end), 3)), stub.get_state(other)]


def changes_of(stub: Stub, args: Sequence[str]) -> JsonValue:
    """List what was done to a key."""
    (key,) = args
    return [[change.timestamp_s, change.value] for change in stub.get_history(key)]


def whoami(stub: Stub, _args: Sequence[str]) -> JsonValue:
    """Tell what the stub knows of its transaction."""
    role = stub.caller.role
    return [stub.transaction_id, stub.timestamp_s, None if role is None else role.value]


def break_down(_stub: Stub, args: Sequence[str]) -> JsonValue:
    """Fail with a text that holds what the user sent."""
    raise ZeroDivisionError(f"cannot divide {args[0]}")


TOY = Toy(
    {
        "keep": keep,
        "boast": boast,
        "grow": grow,
        "keysBetween": keys_between,
        "firstOfRange": first_of_range,
        "changesOf": changes_of,
        "whoami": whoami,
        "breakDown": break_down,
    }
)


async def test_the_server_registers_the_package_and_counts_its_peers() -> None:
    """The registration names exactly the package id; streams are counted up and down."""
    async with serving(TOY.execute) as served:
        async with PeerDouble().connected(served.channel) as peer:
            await peer.call("whoami")
            assert peer.registered_as == PACKAGE_ID
            assert served.streams == [1]
        async with asyncio.timeout(30):
            while served.streams != [1, 0]:  # noqa: ASYNC110 (the server has no event for it)
                await asyncio.sleep(0.01)


async def test_writes_events_and_answers_travel() -> None:
    """One read message, one write message in the given order, the last event, the payload."""
    async with a_peer_of(TOY.execute) as peer:
        peer.state = {"a": b"old", "no-more": b"x"}

        done = await peer.call("keep", "a", "no-more", "ü")

        assert done.kinds == ["GET_STATE_MULTIPLE", "WRITE_BATCH_STATE"]
        assert done.reads == ["a", "no-more", "ü"]
        assert list(done.writes.items()) == [
            ("a", b"A"),
            ("no-more", None),
            ("ü", "Ü".encode()),
        ]
        assert done.event == ("Kept", "a,no-more,ü".encode())
        assert done.response.status == 200
        assert decode(done.response.payload.decode()) == ["old", "x", None]


async def test_a_peer_without_offers_is_asked_key_by_key() -> None:
    """Peers before 3.1 get single reads and writes, to the same effect."""
    async with (
        serving(TOY.execute) as served,
        PeerDouble(offers=NO_OFFERS).connected(served.channel) as peer,
    ):
        done = await peer.call("keep", "a", "no-more")

    assert done.kinds == ["GET_STATE", "GET_STATE", "PUT_STATE", "DEL_STATE"]
    assert done.writes == {"a": b"A", "no-more": None}


async def test_the_next_key_is_asked_for_when_the_last_is_answered() -> None:
    """A peer drops a request that comes while another of the same transaction is unanswered."""
    async with serving(TOY.execute) as served, PeerDouble().dialled(served.channel) as peer:
        for kind in (ChaincodeMessage.REGISTERED, ChaincodeMessage.READY):
            await peer.send(ChaincodeMessage(type=kind))
        message = a_transaction("1" * 64, "keep", "a", "b")
        await peer.send(message)
        kinds = []
        next_message = asyncio.create_task(peer.next_message())
        while (request := await next_message) and request.type != ChaincodeMessage.COMPLETED:
            kinds.append(ChaincodeMessage.Type.Name(request.type))
            next_message = asyncio.create_task(peer.next_message())
            await asyncio.wait([next_message], timeout=0.1)
            assert not next_message.done(), "it asked on before it was answered"
            await peer.send(
                ChaincodeMessage(
                    type=ChaincodeMessage.RESPONSE, txid=message.txid, channel_id=message.channel_id
                )
            )

    assert kinds == ["GET_STATE", "GET_STATE", "PUT_STATE", "PUT_STATE"]


async def test_messages_hold_as_many_keys_as_the_peer_takes() -> None:
    """More keys than offered are split over messages; the peer's double counts them."""
    names = [f"key-{number:04}" for number in range(2_300)]
    async with a_peer_of(TOY.execute) as peer:
        done = await peer.call("keep", *names)

    assert done.kinds == ["GET_STATE_MULTIPLE"] * 3 + ["WRITE_BATCH_STATE"] * 3
    assert done.reads == names
    assert list(done.writes) == names


async def test_a_message_of_writes_is_bounded_in_bytes() -> None:
    """Large values travel in several messages, each below the bound."""
    limits = replace(LIMITS, message_bytes_max=100_000)
    async with a_peer_of(TOY.execute, limits=limits) as peer:
        done = await peer.call("grow", "7", "20000")

    assert done.response.status == 200
    assert done.kinds == ["WRITE_BATCH_STATE"] * 4
    assert [len(value or b"") for value in done.writes.values()] == [20_000] * 7


async def test_what_is_too_large_for_a_message_fails_alone() -> None:
    """A value, a read or an answer beyond the bound ends its transaction, not the connection."""
    limits = replace(LIMITS, message_bytes_max=100_000)
    async with a_peer_of(TOY.execute, limits=limits) as peer:
        value = await peer.call("grow", "1", "200000")
        answer = await peer.call("boast", "200000")
        after = await peer.call("keep", "a")

    assert value.response.status == 500
    assert value.kinds == []
    assert answer.response.status == 500
    assert answer.event is None
    assert after.response.status == 200


async def test_a_range_is_read_to_its_end_whatever_the_peer_holds_back() -> None:
    """A peer ends a query in silence at its limit; the range is read on from there."""
    state = {f"k{number:03}": b"v" for number in range(250)} | {"l": b"v"}
    async with (
        serving(TOY.execute) as served,
        PeerDouble(state=state, query_limit=120).connected(served.channel) as peer,
    ):
        done = await peer.call("keysBetween", "k", "l")

    assert decode(done.response.payload.decode()) == [f"k{number:03}" for number in range(250)]
    assert done.ranges == [
        ("k", "l"),
        ("k119\x00", "l"),
        ("k239\x00", "l"),
        ("k249\x00", "l"),
    ]


async def test_a_range_may_be_left_before_its_end() -> None:
    """What follows an unfinished range is read as if there had been none."""
    state = {f"k{number:03}": b"v" for number in range(250)} | {"other": b"here"}
    async with a_peer_of(TOY.execute) as peer:
        peer.state = dict(state)
        done = await peer.call("firstOfRange", "k", "l", "other")

    assert decode(done.response.payload.decode()) == ["k000", "k001", "k002", "here"]
    assert done.kinds == ["GET_STATE_BY_RANGE", "GET_STATE"]


async def test_history_is_newest_first_and_knows_deletions() -> None:
    """Each committed change with its time; a deletion has no value."""
    async with a_peer_of(TOY.execute) as peer:
        peer.commit(await peer.call("keep", "no"))
        peer.commit(await peer.call("keep", "a"))
        peer.history["a"] += peer.history["no"]

        done = await peer.call("changesOf", "a")

    assert decode(done.response.payload.decode()) == [[START_S, "A"], [START_S, None]]


async def test_the_stub_knows_id_time_and_role() -> None:
    """Transaction id and time come from the headers, the role from the certificate."""
    async with a_peer_of(TOY.execute) as peer:
        done = await peer.call("whoami", role=LedgerRole.PARTNER_API, timestamp_s=77)

    assert decode(done.response.payload.decode()) == [done.transaction_id, 77, "gx_partner_api"]


async def test_a_refusal_carries_its_code_and_endorses_nothing() -> None:
    """400, `CODE: detail`, no event; peers endorse nothing from 400 on."""

    def execute(_stub: Stub, _function: str, _args: Sequence[str]) -> ExecutionResult:
        return Refused(code=RefusalCode.SUPPLY_CAP_EXCEEDED, detail="too much")

    async with a_peer_of(execute) as peer:
        done = await peer.call("anything")

    assert done.response.status == 400
    assert done.response.message == "SUPPLY_CAP_EXCEEDED: too much"
    assert done.event is None
    assert done.writes == {}


async def test_whatever_a_contract_raises_is_answered_with_500_and_no_text() -> None:
    """The peer learns that it failed; what the user sent is not in it. The stream goes on."""
    async with a_peer_of(TOY.execute) as peer:
        done = await peer.call("breakDown", "alice's secret")
        unknown = await peer.call("noSuchFunction")
        after = await peer.call("whoami")

    assert done.response.status == 500
    assert done.transaction_id in done.response.message
    assert "secret" not in done.response.message
    assert "divide" not in done.response.message
    assert unknown.response.status == 500
    assert after.response.status == 200


async def test_arguments_that_are_no_text_are_refused() -> None:
    """Bytes that are no UTF-8, and no function at all, are the caller's mistakes."""
    async with a_peer_of(TOY.execute) as peer:
        assert (await peer.call("keep", b"\xff")).refusal == "ARGUMENT_INVALID"
        nothing = a_transaction("f" * 64)
        assert (await peer.execute(nothing)).refusal == "UNKNOWN_FUNCTION"


async def test_a_proposal_without_a_signer_fails() -> None:
    """No signed proposal, none that can be read, no certificate: 500, and nothing is written."""
    async with a_peer_of(TOY.execute) as peer:
        unsigned = a_transaction("1" * 64, "keep", "a")
        unsigned.ClearField("proposal")
        garbled = a_transaction("2" * 64, "keep", "a")
        garbled.proposal.proposal_bytes = b"\xff\xff"
        for message in (unsigned, garbled, a_transaction("3" * 64, "keep", "a", creator=b"\xff")):
            done = await peer.execute(message)
            assert done.response.status == 500
            assert done.kinds == []


async def test_many_transactions_run_at_once_each_with_one_request_out() -> None:
    """Two hundred at a time: every answer reaches its own, and none asks twice at a time."""
    async with a_peer_of(TOY.execute) as peer:
        peer.state = {f"key-{number}": str(number).encode() for number in range(200)}
        done = await asyncio.gather(*(peer.call("keep", f"key-{number}") for number in range(200)))

    assert [decode(one.response.payload.decode()) for one in done] == [
        [str(number)] for number in range(200)
    ]
    assert peer.overlapping == 0


async def test_a_slow_transaction_holds_up_no_other() -> None:
    """While one contract computes, others of the same peer are served."""
    go_on = Event()

    def execute(stub: Stub, function: str, args: Sequence[str]) -> ExecutionResult:
        if function == "wait" and not go_on.wait(30):
            raise RefusedError(RefusalCode.SYSTEM_PAUSED, "nobody came")
        return TOY.execute(stub, "whoami", args)

    async with a_peer_of(execute) as peer:
        slow = asyncio.create_task(peer.call("wait"))
        quick = await peer.call("whoami")
        assert not slow.done()
        go_on.set()
        assert (await slow).response.status == quick.response.status == 200


async def test_keepalives_are_echoed() -> None:
    """A peer that asks whether anybody is there gets its message back."""
    async with a_peer_of(TOY.execute) as peer:
        await peer.send(ChaincodeMessage(type=ChaincodeMessage.KEEPALIVE))
        await peer.call("whoami")

    assert peer.keepalives == 1


async def test_init_is_turned_away_with_advice() -> None:
    """A definition that requires Init says at its first call what to change."""
    async with a_peer_of(TOY.execute) as peer:
        message = a_transaction("1" * 64, "whoami")
        message.type = ChaincodeMessage.INIT
        done = await peer.execute(message)

    assert "--init-required" in done.response.message

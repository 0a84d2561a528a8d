"""A further endorser of this server gets the same without a second execution, or a fresh one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from gx.chaincode.executor import ExecutionResult
from gx.chaincode.server.execution import Execution
from gx.chaincode.server.identities import CallerReader
from gx.chaincode.server.repeating import Repeater
from gx.chaincode.stub import Stub
from gx.domain.roles import LedgerRole
from tests.chaincode.server.creators import a_creator
from tests.chaincode.server.peer_double import NO_OFFERS, PeerDouble, Simulation, a_transaction
from tests.chaincode.server.served import serving_answers
from tests.chaincode.server.test_misbehaving_peers import an_error
from tests.chaincode.server.test_transactions import TOY

ID = "1" * 64


@dataclass
class Counted:
    """Executes toy functions and counts how often."""

    executions: int = 0

    def execute(self, stub: Stub, function: str, args: Sequence[str]) -> ExecutionResult:
        """See `gx.chaincode.executor.Executor.execute`."""
        self.executions += 1
        return TOY.execute(stub, function, args)


@dataclass
class Network:
    """Two peers of one server."""

    counted: Counted
    first: PeerDouble
    second: PeerDouble

    async def endorse(self, *args: str, role: LedgerRole = LedgerRole.ADMIN) -> list[Simulation]:
        """Send one proposal to both."""
        message = a_transaction(ID, *args, creator=a_creator(role))
        return [await peer.execute(message) for peer in (self.first, self.second)]


@asynccontextmanager
async def a_network(
    *, kept_max: int = 8, first: PeerDouble | None = None, second: PeerDouble | None = None
) -> AsyncIterator[Network]:
    """Serve two peers that share a server."""
    counted = Counted()
    repeater = Repeater(Execution(counted.execute, CallerReader()), kept_max=kept_max)
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serving_answers(repeater))
        peers = [
            await stack.enter_async_context(peer.connected(served.channel))
            for peer in (first or PeerDouble(), second or PeerDouble())
        ]
        yield Network(counted, peers[0], peers[1])


async def test_a_further_endorser_gets_the_same_without_an_execution() -> None:
    """It is asked and told everything, and signs byte for byte the same."""
    async with a_network() as network:
        first, second = await network.endorse("keep", "a", "b", "no-more")

    assert network.counted.executions == 1
    assert first.endorsed() == second.endorsed()
    assert first.kinds == second.kinds == ["GET_STATE_MULTIPLE", "WRITE_BATCH_STATE"]
    assert second.event is not None
    assert second.response.status == 200


async def test_a_peer_with_another_state_gets_an_execution_of_its_own() -> None:
    """One different value, and nothing of the first peer's transaction is reused."""
    async with a_network() as network:
        network.second.state = {"a": b"other"}
        first, second = await network.endorse("keep", "a")

    assert network.counted.executions == 2
    assert first.response.payload != second.response.payload


async def test_a_peer_with_another_state_is_told_no_write_of_the_first() -> None:
    """All that was read is compared before anything is written: no foreign write stays behind."""
    second = PeerDouble(offers=NO_OFFERS, state={"b": b"other"})
    async with a_network(first=PeerDouble(offers=NO_OFFERS), second=second) as network:
        _, done = await network.endorse("keep", "a", "b")

    assert network.counted.executions == 2
    assert done.kinds == ["GET_STATE"] * 4 + ["PUT_STATE"] * 2


@pytest.mark.parametrize("difference", ["arguments", "signer", "time", "id"])
async def test_another_proposal_is_another_transaction(difference: str) -> None:
    """Whatever the contract can see is compared: arguments, signer, time, transaction id."""
    async with a_network() as network:
        await network.first.execute(a_transaction(ID, "keep", "a"))
        other = a_transaction(
            "2" * 64 if difference == "id" else ID,
            "keep",
            "b" if difference == "arguments" else "a",
            creator=a_creator(LedgerRole.ADMIN) if difference == "signer" else None,
            timestamp_s=1 if difference == "time" else 1_700_000_000,
        )
        done = await network.second.execute(other)

    assert network.counted.executions == 2
    assert done.response.status == 200


async def test_a_peer_with_other_offers_is_asked_in_its_own_way() -> None:
    """What one peer takes in one message is not sent so to one that takes none."""
    async with a_network(second=PeerDouble(offers=NO_OFFERS)) as network:
        first, second = await network.endorse("keep", "a", "b")

    assert second.kinds == ["GET_STATE", "GET_STATE", "PUT_STATE", "PUT_STATE"]
    assert first.writes == second.writes


@pytest.mark.parametrize("call", [("whoami",), ("keysBetween", "a", "z"), ("breakDown", "x")])
async def test_what_no_other_peer_will_endorse_is_not_kept(call: tuple[str, ...]) -> None:
    """Queries and failures are executed each time, and cost no memory."""
    async with a_network() as network:
        await network.endorse(*call)

    assert network.counted.executions == 2


async def test_a_peer_that_refuses_fails_alone() -> None:
    """An error in the midst of a repetition is that peer's, and no endorsement."""
    async with a_network() as network:
        network.second.tamper = an_error
        first, second = await network.endorse("keep", "a")

    assert first.response.status == 200
    assert second.response.status == 500
    assert second.event is None


async def test_only_the_newest_are_kept() -> None:
    """Memory is bounded by their number; none is kept where that is 0."""
    async with a_network(kept_max=2) as network:
        for number in range(3):
            await network.first.execute(a_transaction(str(number) * 64, "keep", "a"))
        await network.second.execute(a_transaction("2" * 64, "keep", "a"))
        await network.second.execute(a_transaction("0" * 64, "keep", "a"))
        assert network.counted.executions == 4
    async with a_network(kept_max=0) as network:
        await network.endorse("keep", "a")
        assert network.counted.executions == 2

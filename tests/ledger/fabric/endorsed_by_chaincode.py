"""A stand-in channel whose peers have a chaincode server execute, as Fabric's peers do.

Client, gateway, chaincode stream, server, contracts: every part of ours between a command and its
write set is the real one. Two endorsers must agree, byte for byte.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from threading import Thread
from typing import Final, TypeVar

from fabric_protos.common.common_pb2 import ChannelHeader, Header
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import ChaincodeProposalPayload, Proposal, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response
from grpc import aio
from typing_extensions import override

from gx.domain.identifiers import TransactionId
from tests.chaincode.dict_stub import DictLedger, DictStub
from tests.chaincode.server.peer_double import PeerDouble, Simulation
from tests.ledger.fabric.ledger_views import HistoryView, StateView
from tests.ledger.fabric.stand_in import RefusedBySystemError, StandInChannel

PEERS: Final = 2
DIAL_S: Final = 3.0
WITHIN_S: Final = 30.0
_CHANNEL_OPTIONS: Final = [
    ("grpc.max_receive_message_length", 100_000_000),
    ("grpc.max_send_message_length", 100_000_000),
]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The chaincode that the channel's definition names, and where its server is."""

    package_id: str
    address: str


class Endorsers:
    """Two peers' connections to the chaincode in force, in a thread of their own.

    Each peer is a process of its own, after all; and a gateway may wait for it here. Whether the
    definition or the server changed is looked at with every call, as peers do.
    """

    def __init__(self, in_force: Callable[[], InForce | None]) -> None:
        self._in_force = in_force
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="endorsers", daemon=True)
        self._stack = AsyncExitStack()
        self._connected: InForce | None = None
        self._peers: list[PeerDouble] = []
        self._thread.start()

    def close(self) -> None:
        """Disconnect."""
        self.wait_for(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def simulate(self, message: ChaincodeMessage, ledger: DictLedger) -> list[Simulation]:
        """Have every peer execute a transaction on the ledger's state of now.

        Raises:
            RefusedBySystemError: there is no chaincode, or its server does not answer.
        """
        return self.wait_for(self._simulate(message, ledger))

    async def _simulate(self, message: ChaincodeMessage, ledger: DictLedger) -> list[Simulation]:
        chaincode = self._in_force()
        if chaincode is None:
            raise RefusedBySystemError("no peers available to evaluate chaincode gxtv3")
        if chaincode != self._connected or any(peer.ended.done() for peer in self._peers):
            await self._connect(chaincode)
        done: list[Simulation] = []
        for peer in self._peers:
            peer.state, peer.history = StateView(ledger), HistoryView(ledger)
            try:
                done.append(await peer.execute(message))
            except ConnectionError as error:
                raise RefusedBySystemError("chaincode stream terminated") from error
        return done

    async def _connect(self, chaincode: InForce) -> None:
        await self._stack.aclose()
        self._stack, self._peers, self._connected = AsyncExitStack(), [], None
        dialled = aio.insecure_channel(chaincode.address, options=_CHANNEL_OPTIONS)
        channel = await self._stack.enter_async_context(dialled)
        try:
            async with asyncio.timeout(DIAL_S):
                await channel.channel_ready()
                for _ in range(PEERS):
                    peer = await self._stack.enter_async_context(PeerDouble().connected(channel))
                    self._peers.append(peer)
        except (TimeoutError, aio.AioRpcError) as error:
            raise RefusedBySystemError(
                f"could not launch chaincode {chaincode.package_id}: connection to "
                f"{chaincode.address} failed"
            ) from error
        assert {peer.registered_as for peer in self._peers} == {chaincode.package_id}
        self._connected = chaincode

    def wait_for(self, work: Coroutine[object, object, _T]) -> _T:
        """Have something done in the peers' thread, and wait for it in this one."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN_S)


class ChaincodeChannel(StandInChannel):
    """Executes on the chaincode server instead of in the channel."""

    def __init__(self, endorsers: Endorsers) -> None:
        super().__init__()
        self.endorsers = endorsers

    @override
    def execute(self, proposal: SignedProposal) -> tuple[Response, DictStub, str]:
        """See `StandInChannel.execute`."""
        parsed = Proposal.FromString(proposal.proposal_bytes)
        header = Header.FromString(parsed.header)
        channel = ChannelHeader.FromString(header.channel_header)
        payload = ChaincodeProposalPayload.FromString(parsed.payload)
        spec = ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec
        message = ChaincodeMessage(
            type=ChaincodeMessage.TRANSACTION,
            payload=spec.input.SerializeToString(),
            txid=channel.tx_id,
            channel_id=channel.channel_id,
            proposal=proposal,
        )
        first, *others = self.endorsers.simulate(message, self.ledger)
        assert all(each.endorsed() == first.endorsed() for each in others)
        return first.response, self._stub_of(first), channel.tx_id

    def _stub_of(self, simulation: Simulation) -> DictStub:
        """Say what was read and written as the channel's validation compares it."""
        stub = self.ledger.begin()
        stub.transaction_id = TransactionId(simulation.transaction_id)
        versions = {key: version.written_by for key, version in self.ledger.state.items()}
        stub.reads = {key: versions.get(key) for key in simulation.reads}
        stub.ranges = [
            (start, end, tuple(key for key in sorted(versions) if start <= key < end))
            for start, end in simulation.ranges
        ]
        stub.writes = {
            key: None if value is None else value.decode()
            for key, value in simulation.writes.items()
        }
        if simulation.event is not None:
            name, content = simulation.event
            stub.event = (name, content.decode())
        return stub

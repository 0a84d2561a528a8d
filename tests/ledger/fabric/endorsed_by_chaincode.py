"""A stand-in channel whose peers have the chaincode server execute, as Fabric's peers do.

Client, gateway, chaincode stream, server, contracts: every part of ours between a command and its
write set is the real one. Two endorsers must agree, byte for byte.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from threading import Thread
from typing import TypeVar

from fabric_protos.common.common_pb2 import ChannelHeader, Header
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KeyModification
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import ChaincodeProposalPayload, Proposal, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response
from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import override

from gx.chaincode.server.execution import Execution
from gx.chaincode.server.identities import CallerReader
from gx.chaincode.server.repeating import Answering
from gx.chaincode.stub import Modification
from gx.contracts.chaincode import build_executor
from gx.domain.identifiers import TransactionId
from tests.chaincode.dict_stub import DictLedger, DictStub
from tests.chaincode.server.peer_double import PeerDouble, Simulation
from tests.chaincode.server.served import serving_answers
from tests.ledger.fabric.stand_in import StandInChannel

PEERS = 2
WITHIN_S = 30.0

_T = TypeVar("_T")


class Endorsers:
    """The chaincode server and two peers' connections to it, in a thread of their own.

    Each peer is a process of its own, after all; and a gateway may wait for it here.
    """

    def __init__(self, answering: Answering | None = None) -> None:
        self._answering = answering or Execution(build_executor().execute, CallerReader())
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="endorsers", daemon=True)
        self._stack = AsyncExitStack()
        self._peers: list[PeerDouble] = []

    def start(self) -> None:
        """Serve and connect."""
        self._thread.start()
        self._wait_for(self._connect())

    def close(self) -> None:
        """Disconnect and end the server."""
        self._wait_for(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def simulate(self, message: ChaincodeMessage, ledger: DictLedger) -> list[Simulation]:
        """Have every peer execute a transaction on the ledger's state of now."""
        return self._wait_for(self._simulate(message, ledger))

    async def _connect(self) -> None:
        served = await self._stack.enter_async_context(serving_answers(self._answering))
        for _ in range(PEERS):
            connected = PeerDouble().connected(served.channel)
            self._peers.append(await self._stack.enter_async_context(connected))

    async def _simulate(self, message: ChaincodeMessage, ledger: DictLedger) -> list[Simulation]:
        done: list[Simulation] = []
        for peer in self._peers:
            peer.state = {key: value.encode() for key, value in ledger.values().items()}
            peer.history = {key: _history(found) for key, found in ledger.history.items()}
            done.append(await peer.execute(message))
        return done

    def _wait_for(self, work: Coroutine[object, object, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN_S)


@dataclass
class ChaincodeChannel(StandInChannel):
    """Executes on the chaincode server instead of in the channel."""

    endorsers: Endorsers = field(default_factory=Endorsers)

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


def _history(modifications: list[Modification]) -> list[KeyModification]:
    return [
        KeyModification(
            tx_id=change.transaction_id,
            value=(change.value or "").encode(),
            timestamp=Timestamp(seconds=change.timestamp_s),
            is_delete=change.value is None,
        )
        for change in reversed(modifications)
    ]

"""A peer that serves a `StandInChannel` over TLS: gateway, endorser and deliver service."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import grpc
import grpc.aio
from fabric_protos.common.common_pb2 import Envelope, Payload
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.gateway.gateway_pb2 import (
    EndorseRequest,
    EndorseResponse,
    ErrorDetail,
    EvaluateRequest,
    EvaluateResponse,
    SubmitRequest,
    SubmitResponse,
)
from fabric_protos.orderer.ab_pb2 import SeekInfo
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.events_pb2 import DeliverResponse
from fabric_protos.peer.proposal_pb2 import ChaincodeProposalPayload, Proposal, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, Response
from google.protobuf.any_pb2 import Any as Packed
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has no types

from gx.ledger.fabric.profile import Node
from tests.ledger.fabric.certificates import Authority
from tests.ledger.fabric.stand_in import OK, Fault, RefusedBySystemError, StandInChannel

_Q = TypeVar("_Q")
_A = TypeVar("_A")

HOST = "peer.gx.test"
REFUSED_FROM = 400

Hook = Callable[[str], Awaitable[None]]
"""Told of each moment in which a client may die: endorse, submit (nothing has arrived), submitted
(it has, and no answer is out), block (the verdict is on its way).
"""


@dataclass
class StandInPeer:
    """One peer. It may be stopped and started again on its port, frozen, and left behind.

    While `lag` is set the peer shows so many blocks less than the channel has.
    """

    name: str
    channel: StandInChannel
    authority: Authority
    folder: Path
    lag: int = 0

    def __post_init__(self) -> None:
        """Make its certificate; nothing listens yet."""
        self.calls: Counter[str] = Counter()
        self.running = asyncio.Event()
        self.running.set()
        self._pair = self.authority.server(HOST)
        self._port = 0
        self._server: grpc.aio.Server | None = None
        self.hook: Hook = _pass

    @property
    def node(self) -> Node:
        """The peer as a profile names it."""
        root = self.folder / "tls-ca.pem"
        root.write_bytes(self.authority.pem)
        return Node(
            name=self.name,
            endpoint=f"127.0.0.1:{self._port}",
            server_name=HOST,
            tls_ca=root,
            msp_id="Org1MSP",
        )

    async def start(self) -> None:
        """Listen, on the port that it had before."""
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers(self._handlers())
        credentials = grpc.ssl_server_credentials([(self._pair.key, self._pair.certificate)])
        self._port = server.add_secure_port(f"127.0.0.1:{self._port}", credentials)
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Be gone, as after kill -9: calls under way break off."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(grace=None)

    def freeze(self) -> None:
        """Answer nothing any more, and keep every connection."""
        self.running.clear()

    def resume(self) -> None:
        """Go on."""
        self.running.set()

    # ------------------------------------------------------------ the services

    def _handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        generic = grpc.method_handlers_generic_handler
        evaluate = grpc.unary_unary_rpc_method_handler(
            self._evaluate, EvaluateRequest.FromString, EvaluateResponse.SerializeToString
        )
        endorse = grpc.unary_unary_rpc_method_handler(
            self._endorse, EndorseRequest.FromString, EndorseResponse.SerializeToString
        )
        submit = grpc.unary_unary_rpc_method_handler(
            self._submit, SubmitRequest.FromString, SubmitResponse.SerializeToString
        )
        process = grpc.unary_unary_rpc_method_handler(
            self._process, SignedProposal.FromString, ProposalResponse.SerializeToString
        )
        deliver = grpc.stream_stream_rpc_method_handler(
            self._deliver, Envelope.FromString, DeliverResponse.SerializeToString
        )
        return (
            generic("gateway.Gateway", {"Evaluate": evaluate}),
            generic("gateway.Gateway", {"Endorse": endorse}),
            generic("gateway.Gateway", {"Submit": submit}),
            generic("protos.Endorser", {"ProcessProposal": process}),
            generic("protos.Deliver", {"Deliver": deliver}),
        )

    async def _evaluate(
        self,
        request: EvaluateRequest,
        context: "grpc.aio.ServicerContext[EvaluateRequest, EvaluateResponse]",
    ) -> EvaluateResponse:
        fault = await self._enter("evaluate")
        if fault is not None:
            return await _fail(context, fault)
        try:
            response, _, _ = self.channel.execute(request.proposed_transaction)
        except RefusedBySystemError as refusal:
            return await _fail(context, _no_chaincode(refusal))
        if response.status >= REFUSED_FROM:
            return await _fail(context, _refusal(grpc.StatusCode.UNKNOWN, response))
        return EvaluateResponse(result=response)

    async def _endorse(
        self,
        request: EndorseRequest,
        context: "grpc.aio.ServicerContext[EndorseRequest, EndorseResponse]",
    ) -> EndorseResponse:
        fault = await self._enter("endorse")
        if fault is not None:
            return await _fail(context, fault)
        try:
            response, stub, _ = self.channel.execute(request.proposed_transaction)
        except RefusedBySystemError as refusal:
            return await _fail(context, _no_chaincode(refusal))
        if response.status >= REFUSED_FROM:
            return await _fail(context, _refusal(grpc.StatusCode.ABORTED, response))
        await self.hook("endorse")
        payload = self.channel.endorse(request.proposed_transaction, response, stub)
        return EndorseResponse(prepared_transaction=Envelope(payload=payload))

    async def _submit(
        self,
        request: SubmitRequest,
        context: "grpc.aio.ServicerContext[SubmitRequest, SubmitResponse]",
    ) -> SubmitResponse:
        fault = await self._enter("submit")
        if fault is not None and not fault.is_after:
            return await _fail(context, fault)
        try:
            await self.hook("submit")
            self.channel.order(request.prepared_transaction)
            await self.hook("submitted")
        except RefusedBySystemError as refusal:
            fault = Fault(code=grpc.StatusCode.ABORTED, details=(str(refusal),))
        if fault is not None:
            return await _fail(context, fault)
        return SubmitResponse()

    async def _process(
        self,
        request: SignedProposal,
        context: "grpc.aio.ServicerContext[SignedProposal, ProposalResponse]",
    ) -> ProposalResponse:
        fault = await self._enter("query")
        if fault is not None:
            return await _fail(context, fault)
        payload = ChaincodeProposalPayload.FromString(
            Proposal.FromString(request.proposal_bytes).payload
        )
        spec = ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec
        assert spec.chaincode_id.name == "qscc"
        function, _channel, *rest = [each.decode() for each in spec.input.args]
        return ProposalResponse(response=self._query(function, rest[0] if rest else ""))

    def _query(self, function: str, argument: str) -> Response:
        chain = self.channel.chain[: self._height]
        if function == "GetChainInfo":
            info = BlockchainInfo(height=len(chain))
            return Response(status=OK, payload=info.SerializeToString())
        if function == "GetBlockByNumber":
            return Response(status=OK, payload=chain[int(argument)].SerializeToString())
        number = self.channel.first_block.get(argument)
        if number is None or number >= len(chain):
            text = (
                f"Failed to get block for txID {argument}, error no such transaction ID "
                f"[{argument}] in index"
            )
            return Response(status=500, message=text)
        return Response(status=OK, payload=chain[number].SerializeToString())

    async def _deliver(
        self,
        requests: AsyncIterator[Envelope],
        _context: "grpc.aio.ServicerContext[Envelope, DeliverResponse]",
    ) -> AsyncIterator[DeliverResponse]:
        await self._enter("deliver")
        request = await anext(requests)
        seek = SeekInfo.FromString(Payload.FromString(request.payload).data)
        number = seek.start.specified.number
        while True:
            await self.channel.wait_for_height(number + 1 + self.lag)
            await self.running.wait()
            await self.hook("block")
            yield DeliverResponse(block=self.channel.chain[number])
            number += 1

    @property
    def _height(self) -> int:
        return len(self.channel.chain) - self.lag

    async def _enter(self, call: str) -> Fault | None:
        self.calls[call] += 1
        await self.running.wait()
        faults = self.channel.faults[call]
        return faults.popleft() if faults else None


async def _pass(_moment: str) -> None:
    """Let the client live."""


def _no_chaincode(refusal: RefusedBySystemError) -> Fault:
    is_undefined = "no peers available" in str(refusal)
    code = grpc.StatusCode.FAILED_PRECONDITION if is_undefined else grpc.StatusCode.ABORTED
    return Fault(code=code, details=(str(refusal),), message=str(refusal))


def _refusal(code: grpc.StatusCode, response: Response) -> Fault:
    text = f"chaincode response {response.status}, {response.message}"
    return Fault(code=code, details=(text,), message="evaluate call to endorser returned error")


async def _fail(context: "grpc.aio.ServicerContext[_Q, _A]", fault: Fault) -> "_A":
    """End the call as a gateway does: the reasons travel in the status's details."""
    packed = []
    for text in fault.details:
        detail = Packed()
        detail.Pack(ErrorDetail(address="127.0.0.1:7051", msp_id="Org1MSP", message=text))
        packed.append(detail)
    status = Status(code=fault.code.value[0], message=fault.message, details=packed)
    metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(fault.code, fault.message, trailing_metadata=metadata)

"""A channel that stands in for Fabric's where no network can run: what its nodes agree on.

It runs the project's contracts, orders, validates and keeps blocks, by Fabric's rules as they
were measured: a transaction id counts once, copies stand in later blocks as DUPLICATE_TXID, what
was read is compared again, invalid transactions stay in their blocks. `stand_in_peer` serves it.
It shows what the client does with Fabric's answers, not that Fabric gives them: the same suites
run on a real network wherever Fabric's programs are.
"""

import asyncio
import hashlib
from collections import defaultdict, deque
from dataclasses import dataclass, field

import grpc
from fabric_protos.common.common_pb2 import (
    Block,
    BlockData,
    BlockHeader,
    BlockMetadata,
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet, KVWrite
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload, Response
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    ChaincodeEndorsedAction,
    Transaction,
    TransactionAction,
    TxValidationCode,
)
from google.protobuf.timestamp_pb2 import Timestamp

from gx.chaincode.executor import Executor, Refused
from gx.chaincode.server.identities import CallerReader
from gx.contracts.chaincode import build_executor
from gx.domain.identifiers import EpochSeconds, TransactionId
from gx.ledger.fabric.blocks import hash_header
from gx.ledger.fabric.transactions import BadTransactionError, open_sealed
from tests.chaincode.dict_stub import DictLedger, DictStub

CHANNEL = "gxchannel"
CHAINCODE = "gxtv3"
BATCH_TIMEOUT_S = 0.01
OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How the next call of a kind fails: the gateway's code, and each node's words."""

    code: grpc.StatusCode
    details: tuple[str, ...] = ()
    message: str = "see attached details"
    is_after: bool = False
    """The call did its work, and only then its answer was lost."""


class RefusedBySystemError(Exception):
    """An orderer or a peer says no, in the words of the release."""


@dataclass
class StandInChannel:
    """The channel's state, which outlives every node that serves it.

    `faults[call]` are told once each, in order; `codes` override verdicts; while `ordering` is
    unset the orderer is frozen: what it was given is ordered later. `batches` tells whether the
    chaincode has `Batch:Execute`; it crashes on arguments that contain `poison`. No orderer takes a
    transaction of more than `bytes_max`.
    """

    faults: defaultdict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    codes: deque[int] = field(default_factory=deque)
    chain: list[Block] = field(default_factory=list)
    first_block: dict[str, int] = field(default_factory=dict)
    ledger: DictLedger = field(default_factory=DictLedger)
    ordering: asyncio.Event = field(default_factory=asyncio.Event)
    batches: bool = True
    bytes_max: int = 10_000_000
    created_at_s: int = 1_700_000_000
    poison: str | None = None
    _executor: Executor = field(default_factory=build_executor)
    _callers: CallerReader = field(default_factory=CallerReader)
    _endorsed: dict[str, DictStub] = field(default_factory=dict)
    _ordered: list[Envelope] = field(default_factory=list)
    _grown: asyncio.Condition = field(default_factory=asyncio.Condition)
    _cutter: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        """Begin the chain with its configuration."""
        self.ordering.set()
        header = ChannelHeader(
            type=HeaderType.CONFIG,
            channel_id=CHANNEL,
            timestamp=Timestamp(seconds=self.created_at_s),
        )
        payload = Payload(header=Header(channel_header=header.SerializeToString()))
        self._append([Envelope(payload=payload.SerializeToString())], [TxValidationCode.VALID])

    # ------------------------------------------------------------ endorsing

    def execute(self, proposal: SignedProposal) -> tuple[Response, DictStub, str]:
        """Run a proposal on the state of now; return the chaincode's answer."""
        parsed = Proposal.FromString(proposal.proposal_bytes)
        header = Header.FromString(parsed.header)
        channel = ChannelHeader.FromString(header.channel_header)
        creator = SignatureHeader.FromString(header.signature_header).creator
        payload = ChaincodeProposalPayload.FromString(parsed.payload)
        spec = ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec
        function, *arguments = [each.decode() for each in spec.input.args]
        caller = self._callers.read(creator)
        stub = self.ledger.begin(caller.role, caller.identity)
        stub.transaction_id = TransactionId(channel.tx_id)
        stub.timestamp_s = EpochSeconds(channel.timestamp.seconds)
        if self.poison is not None and any(self.poison in each for each in arguments):
            text = f"transaction {channel.tx_id} failed inside the chaincode; its log tells why"
            return Response(status=500, message=text), stub, channel.tx_id
        if function == "Batch:Execute" and not self.batches:
            text = "Contract not found with name Batch"  # in the words of Go's contract API
            return Response(status=500, message=text), stub, channel.tx_id
        executed = self._executor.execute(stub, function, arguments)
        if isinstance(executed, Refused):
            text = f"{executed.code}: {executed.detail}"
            return Response(status=400, message=text), stub, channel.tx_id
        return Response(status=OK, payload=executed.payload.encode()), stub, channel.tx_id

    def endorse(self, proposal: SignedProposal, response: Response, stub: DictStub) -> bytes:
        """Return the endorsed transaction, unsigned, as a gateway hands it out."""
        self._endorsed[stub.transaction_id] = stub
        event = b""
        if stub.event is not None:
            event = ChaincodeEvent(
                chaincode_id=CHAINCODE,
                tx_id=stub.transaction_id,
                event_name=stub.event[0],
                payload=stub.event[1].encode(),
            ).SerializeToString()
        action = ChaincodeAction(results=_write_set(stub), events=event, response=response)
        endorsed = ChaincodeEndorsedAction(
            proposal_response_payload=ProposalResponsePayload(
                extension=action.SerializeToString()
            ).SerializeToString()
        )
        parsed = Proposal.FromString(proposal.proposal_bytes)
        chaincode_payload = ChaincodeActionPayload(action=endorsed).SerializeToString()
        transaction = Transaction(actions=[TransactionAction(payload=chaincode_payload)])
        return Payload(
            header=Header.FromString(parsed.header), data=transaction.SerializeToString()
        ).SerializeToString()

    # ------------------------------------------------------------ ordering

    def order(self, envelope: Envelope) -> None:
        """Take a transaction for ordering, as an orderer does: it looks at the signature alone.

        Raises:
            RefusedBySystemError: it is too large, or the signature is not its creator's.
        """
        size = envelope.ByteSize()
        if size > self.bytes_max:
            raise RefusedBySystemError(
                f"got unexpected status: BAD_REQUEST -- message payload is {size} bytes and "
                f"exceeds maximum allowed {self.bytes_max} bytes"
            )
        try:
            open_sealed(envelope.SerializeToString())
        except BadTransactionError as error:
            raise RefusedBySystemError(
                "got unexpected status: FORBIDDEN -- implicit policy evaluation failed"
            ) from error
        self._ordered.append(envelope)
        if self._cutter is None or self._cutter.done():
            self._cutter = asyncio.create_task(self._cut())

    @property
    def waiting(self) -> int:
        """How many transactions the orderer has, and has not ordered yet."""
        return len(self._ordered)

    async def wait_for_height(self, height: int) -> None:
        """Return once the chain has so many blocks."""
        async with self._grown:
            await self._grown.wait_for(lambda: len(self.chain) >= height)

    async def _cut(self) -> None:
        while self._ordered:
            await asyncio.sleep(BATCH_TIMEOUT_S)
            await self.ordering.wait()
            block, self._ordered = self._ordered, []
            self._append(block, [self._validate(envelope) for envelope in block])
            async with self._grown:
                self._grown.notify_all()

    def _validate(self, envelope: Envelope) -> int:
        header = Payload.FromString(envelope.payload).header
        transaction_id = ChannelHeader.FromString(header.channel_header).tx_id
        if transaction_id in self.first_block:
            return TxValidationCode.DUPLICATE_TXID
        self.first_block[transaction_id] = len(self.chain)
        if self.codes:
            return self.codes.popleft()
        is_valid = self._commit(self._endorsed[transaction_id])
        return TxValidationCode.VALID if is_valid else TxValidationCode.MVCC_READ_CONFLICT

    def _commit(self, stub: DictStub) -> bool:
        return stub.commit()

    def _append(self, envelopes: list[Envelope], codes: list[int]) -> None:
        data = [envelope.SerializeToString() for envelope in envelopes]
        previous = hash_header(self.chain[-1].header) if self.chain else b""
        header = BlockHeader(
            number=len(self.chain),
            previous_hash=previous,
            data_hash=hashlib.sha256(b"".join(data)).digest(),
        )
        metadata = BlockMetadata(metadata=[b"", b"", bytes(codes), b"", b""])
        self.chain.append(Block(header=header, data=BlockData(data=data), metadata=metadata))


def _write_set(stub: DictStub) -> bytes:
    writes = KVRWSet(
        writes=[
            KVWrite(key=key, is_delete=value is None, value=(value or "").encode())
            for key, value in stub.writes.items()
        ]
    )
    foreign = KVRWSet(writes=[KVWrite(key="namespaces/fields/gxtv3/Sequence", value=b"\x08\x01")])
    return TxReadWriteSet(
        ns_rwset=[
            NsReadWriteSet(namespace="_lifecycle", rwset=foreign.SerializeToString()),
            NsReadWriteSet(namespace=CHAINCODE, rwset=writes.SerializeToString()),
        ]
    ).SerializeToString()

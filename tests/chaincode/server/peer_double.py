"""A peer as the chaincode sees it: it connects, sends transactions, and answers from a dict.

It keeps a real peer's rules (one request of a transaction at a time, pages of a hundred, a silent
limit on a query) and breaks them where a test asks for it.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    MutableMapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from fabric_protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV, KeyModification
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeAdditionalParams,
    ChaincodeID,
    ChaincodeInput,
)
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    GetHistoryForKey,
    GetState,
    GetStateByRange,
    GetStateMultiple,
    GetStateMultipleResult,
    PutState,
    QueryResponse,
    QueryResultBytes,
    QueryStateNext,
    WriteBatchState,
    WriteRecord,
)
from fabric_protos.peer.proposal_pb2 import Proposal, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from gx.domain.roles import LedgerRole
from tests.chaincode.server.creators import a_creator

CHANNEL: Final = "gxchannel"
START_S: Final = 1_700_000_000
PAGE: Final = 100
OFFERS: Final = ChaincodeAdditionalParams(
    use_write_batch=True,
    max_size_write_batch=1000,
    use_get_multiple_keys=True,
    max_size_get_multiple_keys=1000,
)
NO_OFFERS: Final = ChaincodeAdditionalParams()

Tamper = Callable[[ChaincodeMessage, ChaincodeMessage], Sequence[ChaincodeMessage]]
"""From a request and its right answer to what is sent instead."""


def honest(_request: ChaincodeMessage, answer: ChaincodeMessage) -> Sequence[ChaincodeMessage]:
    """Send the right answer."""
    return [answer]


@dataclass
class Simulation:
    """What one transaction did: what a peer would sign, and by which messages."""

    transaction_id: str
    kinds: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    ranges: list[tuple[str, str]] = field(default_factory=list)
    writes: dict[str, bytes | None] = field(default_factory=dict)
    response: Response = field(default_factory=Response)
    event: tuple[str, bytes] | None = None

    @property
    def refusal(self) -> str:
        """Return the refusal's code."""
        assert self.response.status == 400, self.response
        return self.response.message.partition(":")[0]

    def endorsed(self) -> tuple[object, ...]:
        """Return everything that two endorsers must agree on."""
        return (
            self.reads,
            self.ranges,
            list(self.writes.items()),
            self.response.SerializeToString(),
            self.event,
        )


def a_proposal(creator: bytes, *, timestamp_s: int = START_S) -> SignedProposal:
    """Write a proposal as far as a chaincode reads it."""
    channel = ChannelHeader(timestamp=Timestamp(seconds=timestamp_s), channel_id=CHANNEL)
    header = Header(
        channel_header=channel.SerializeToString(),
        signature_header=SignatureHeader(creator=creator).SerializeToString(),
    )
    proposal = Proposal(header=header.SerializeToString())
    return SignedProposal(proposal_bytes=proposal.SerializeToString())


def a_transaction(
    transaction_id: str,
    *args: str | bytes,
    creator: bytes | None = None,
    timestamp_s: int = START_S,
) -> ChaincodeMessage:
    """Write a call of a function, the first of `args`."""
    texts = [arg.encode() if isinstance(arg, str) else arg for arg in args]
    return ChaincodeMessage(
        type=ChaincodeMessage.TRANSACTION,
        payload=ChaincodeInput(args=texts).SerializeToString(),
        txid=transaction_id,
        channel_id=CHANNEL,
        proposal=a_proposal(creator or a_creator(), timestamp_s=timestamp_s),
    )


class PeerDouble:
    """One connection of a peer to the chaincode, with a world state of its own."""

    def __init__(
        self,
        *,
        offers: ChaincodeAdditionalParams = OFFERS,
        state: Mapping[str, bytes] | None = None,
        query_limit: int = 100_000,
    ) -> None:
        self.state: MutableMapping[str, bytes] = dict(state or {})
        self.history: MutableMapping[str, list[KeyModification]] = {}
        self.tamper: Tamper = honest
        self.registered_as = ""
        self.keepalives = 0
        self.overlapping = 0
        """Requests that came while another of the same transaction was unanswered."""
        self.ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._offers = offers
        self._query_limit = query_limit
        self._numbers = 0
        self._pending: Counter[str] = Counter()
        self._running: dict[str, tuple[Simulation, asyncio.Future[Simulation]]] = {}
        self._pages: dict[str, list[list[bytes]]] = {}
        self._sending = asyncio.Lock()
        self._write: Callable[[ChaincodeMessage], Awaitable[None]]
        self._read: Callable[[], Awaitable[object]]

    @asynccontextmanager
    async def connected(self, channel: aio.Channel) -> AsyncIterator["PeerDouble"]:
        """Register the chaincode and serve it."""
        async with self.dialled(channel):
            await self.send(ChaincodeMessage(type=ChaincodeMessage.REGISTERED))
            ready = self._offers.SerializeToString()
            await self.send(ChaincodeMessage(type=ChaincodeMessage.READY, payload=ready))
            serving = asyncio.create_task(self._serve())
            try:
                yield self
            finally:
                serving.cancel()

    @asynccontextmanager
    async def dialled(self, channel: aio.Channel) -> AsyncIterator["PeerDouble"]:
        """Connect, take the registration, and answer nothing."""
        connect = channel.stream_stream(
            "/protos.Chaincode/Connect",
            request_serializer=ChaincodeMessage.SerializeToString,
            response_deserializer=ChaincodeMessage.FromString,
        )
        call = connect()
        self._write, self._read = call.write, call.read
        registration = await self.next_message()
        assert registration is not None
        assert registration.type == ChaincodeMessage.REGISTER
        self.registered_as = ChaincodeID.FromString(registration.payload).name
        try:
            yield self
        finally:
            call.cancel()

    async def next_message(self) -> ChaincodeMessage | None:
        """Wait for the chaincode's next message; None at the end."""
        message = await self._read()
        return message if isinstance(message, ChaincodeMessage) else None

    async def send(self, message: ChaincodeMessage) -> None:
        """Send a message, right or wrong.

        Raises:
            ConnectionError: the connection has ended.
        """
        async with self._sending:
            try:
                await self._write(message)
            except (aio.AioRpcError, asyncio.InvalidStateError) as error:
                raise ConnectionError("chaincode stream terminated") from error

    async def call(
        self,
        function: str,
        *args: str | bytes,
        role: LedgerRole = LedgerRole.SUPER_ADMIN,
        creator: bytes | None = None,
        timestamp_s: int = START_S,
        name: str | None = None,
    ) -> Simulation:
        """Have a function executed; the transaction's id follows from `name`."""
        self._numbers += 1
        seed = name or f"transaction-{self._numbers}"
        transaction_id = hashlib.sha256(seed.encode()).hexdigest()
        creator = creator if creator is not None else a_creator(role)
        message = a_transaction(
            transaction_id, function, *args, creator=creator, timestamp_s=timestamp_s
        )
        return await self.execute(message)

    async def execute(self, message: ChaincodeMessage) -> Simulation:
        """Send a transaction and serve it to its end.

        Raises:
            ConnectionError: the connection ended before.
        """
        done: asyncio.Future[Simulation] = asyncio.get_running_loop().create_future()
        self._running[message.txid] = (Simulation(message.txid), done)
        await self.send(message)
        return await done

    def commit(self, simulation: Simulation, *, timestamp_s: int = START_S) -> None:
        """Make a transaction's writes the state; the time is that of its proposal."""
        for key, value in simulation.writes.items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value
            change = KeyModification(
                tx_id=simulation.transaction_id,
                value=value or b"",
                timestamp=Timestamp(seconds=timestamp_s),
                is_delete=value is None,
            )
            self.history.setdefault(key, []).insert(0, change)

    async def _serve(self) -> None:
        try:
            while (message := await self.next_message()) is not None:
                await self._handle(message)
            self._end(None)
        except Exception as error:  # noqa: BLE001 (whatever ended the stream is the result)
            self._end(error)

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(error)
        for _, done in self._running.values():
            if not done.done():
                done.set_exception(ConnectionError("chaincode stream terminated"))

    async def _handle(self, message: ChaincodeMessage) -> None:
        if message.type == ChaincodeMessage.KEEPALIVE:
            self.keepalives += 1
            return
        simulation, done = self._running[message.txid]
        if message.type in (ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR):
            del self._running[message.txid]
            self._complete(simulation, message)
            done.set_result(simulation)
            return
        self.overlapping += self._pending[message.txid]
        self._pending[message.txid] += 1
        simulation.kinds.append(ChaincodeMessage.Type.Name(message.type))
        answer = ChaincodeMessage(
            type=ChaincodeMessage.RESPONSE,
            payload=self._answer(message, simulation),
            txid=message.txid,
            channel_id=message.channel_id,
        )
        for sent in self.tamper(message, answer):
            await self.send(sent)
        self._pending[message.txid] -= 1

    def _complete(self, simulation: Simulation, message: ChaincodeMessage) -> None:
        if message.type == ChaincodeMessage.ERROR:
            simulation.response = Response(status=500, message=message.payload.decode())
            return
        simulation.response = Response.FromString(message.payload)
        if message.HasField("chaincode_event"):
            event: ChaincodeEvent = message.chaincode_event
            simulation.event = (event.event_name, event.payload)

    def _answer(self, message: ChaincodeMessage, simulation: Simulation) -> bytes:
        payload = message.payload
        match message.type:
            case ChaincodeMessage.GET_STATE:
                return self._get(GetState.FromString(payload).key, simulation)
            case ChaincodeMessage.GET_STATE_MULTIPLE:
                keys = GetStateMultiple.FromString(payload).keys
                assert len(keys) <= self._offers.max_size_get_multiple_keys
                values = [self._get(key, simulation) for key in keys]
                return GetStateMultipleResult(values=values).SerializeToString()
            case ChaincodeMessage.GET_STATE_BY_RANGE | ChaincodeMessage.GET_HISTORY_FOR_KEY:
                return self._open(message, simulation)
            case ChaincodeMessage.QUERY_STATE_NEXT:
                return self._page(QueryStateNext.FromString(payload).id)
            case _:
                self._record(message, simulation)
                return b""

    def _get(self, key: str, simulation: Simulation) -> bytes:
        assert key, "a peer refuses an empty key"
        simulation.reads.append(key)
        return self.state.get(key, b"")

    def _open(self, message: ChaincodeMessage, simulation: Simulation) -> bytes:
        if message.type == ChaincodeMessage.GET_HISTORY_FOR_KEY:
            key = GetHistoryForKey.FromString(message.payload).key
            items = [change.SerializeToString() for change in self.history.get(key, [])]
        else:
            asked = GetStateByRange.FromString(message.payload)
            simulation.ranges.append((asked.startKey, asked.endKey))
            keys = sorted(key for key in self.state if asked.startKey <= key < asked.endKey)
            items = [KV(key=key, value=self.state[key]).SerializeToString() for key in keys]
        items = items[: self._query_limit]
        pages = [items[at : at + PAGE] for at in range(0, len(items), PAGE)] or [[]]
        query_id = f"query-{len(self._pages)}"
        self._pages[query_id] = pages
        return self._page(query_id)

    def _page(self, query_id: str) -> bytes:
        page = self._pages[query_id].pop(0)
        return QueryResponse(
            results=[QueryResultBytes(resultBytes=item) for item in page],
            has_more=bool(self._pages[query_id]),
            id=query_id,
        ).SerializeToString()

    def _record(self, message: ChaincodeMessage, simulation: Simulation) -> None:
        match message.type:
            case ChaincodeMessage.PUT_STATE:
                put = PutState.FromString(message.payload)
                simulation.writes[put.key] = put.value
            case ChaincodeMessage.DEL_STATE:
                simulation.writes[DelState.FromString(message.payload).key] = None
            case ChaincodeMessage.WRITE_BATCH_STATE:
                records = WriteBatchState.FromString(message.payload).rec
                assert len(records) <= self._offers.max_size_write_batch
                for record in records:
                    is_put = record.type == WriteRecord.PUT_STATE
                    assert is_put or record.type == WriteRecord.DEL_STATE
                    simulation.writes[record.key] = record.value if is_put else None
            case kind:
                raise AssertionError(f"a peer knows no {ChaincodeMessage.Type.Name(kind)} here")

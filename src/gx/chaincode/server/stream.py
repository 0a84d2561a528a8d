"""One peer's connection: registration, then many transactions at once on one stream.

gRPC allows one write at a time, so every message goes through one queue to one writer. The peer
matches answers to transactions by channel and id alone, so whatever breaks that pairing ends the
connection: the peer then fails what was in flight, and connects again with its next call.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import structlog
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from gx.chaincode.server import messages
from gx.chaincode.server.conversation import Conversation
from gx.chaincode.server.errors import ProtocolError
from gx.chaincode.server.messages import Offers
from gx.chaincode.server.repeating import Answering

_log: Final = structlog.get_logger(__name__)

Read = Callable[[], Awaitable[ChaincodeMessage | None]]
"""Returns the peer's next message, None at the end of the stream."""
Write = Callable[[ChaincodeMessage], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """What one connection may cost."""

    transactions_max: int
    """How many transactions of one peer run at once; others wait for their turn."""
    transaction_timeout_s: float
    registration_timeout_s: float
    message_bytes_max: int


class PeerStream:
    """Serves one connection, from `run`'s beginning to its end."""

    def __init__(
        self,
        read: Read,
        write: Write,
        *,
        package_id: str,
        execution: Answering,
        limits: StreamLimits,
    ) -> None:
        self._read: Final = read
        self._write: Final = write
        self._package_id: Final = package_id
        self._execution: Final = execution
        self._limits: Final = limits
        self._loop: Final = asyncio.get_running_loop()
        self._outbox: Final[asyncio.Queue[ChaincodeMessage | None]] = asyncio.Queue()
        self._running: Final[dict[tuple[str, str], Conversation]] = {}
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._ending: Final[asyncio.Future[None]] = self._loop.create_future()
        self._is_draining = False
        self._threads: Final = ThreadPoolExecutor(
            limits.transactions_max, thread_name_prefix="transaction"
        )
        self._offers = Offers()

    async def run(self) -> None:
        """Serve until the peer leaves or `drain` is done.

        Raises:
            ProtocolError: the peer sent what it must not, or did not answer a transaction in time.
        """
        writing = asyncio.create_task(self._write_all())
        serving = asyncio.create_task(self._serve())
        try:
            await asyncio.wait(
                {writing, serving, self._ending}, return_when=asyncio.FIRST_COMPLETED
            )
            for part in (self._ending, serving, writing):
                if part.done():
                    part.result()
            self._outbox.put_nowait(None)
            await writing
        finally:
            writing.cancel()
            serving.cancel()
            self._abandon()

    def drain(self) -> None:
        """Finish what runs, begin nothing, then end the connection.

        A transaction that comes meanwhile is left without an answer: its peer sees the connection
        end and reports what its client may retry.
        """
        self._is_draining = True
        self._end_if_drained()

    def _end_if_drained(self) -> None:
        if self._is_draining and not self._running and not self._ending.done():
            self._ending.set_result(None)

    async def _serve(self) -> None:
        await self._register()
        while (message := await self._read()) is not None:
            self._handle(message)

    async def _register(self) -> None:
        self._post(messages.registration(self._package_id))
        try:
            async with asyncio.timeout(self._limits.registration_timeout_s):
                await self._expect(ChaincodeMessage.REGISTERED)
                ready = await self._expect(ChaincodeMessage.READY)
        except TimeoutError as error:
            raise ProtocolError(
                f"the peer does not accept package {self._package_id}; "
                "is it the id under which the chaincode was installed and approved?"
            ) from error
        self._offers = messages.read_offers(ready.payload)
        _log.info(
            "peer_registered",
            reads_per_message=self._offers.reads_max,
            writes_per_message=self._offers.writes_max,
        )

    async def _expect(self, kind: ChaincodeMessage.Type) -> ChaincodeMessage:
        while (message := await self._read()) is not None:
            if message.type == kind:
                return message
            if message.type != ChaincodeMessage.KEEPALIVE:
                raise ProtocolError(_unexpected(message))
            self._post(message)
        raise ProtocolError("the peer ended the connection before it was ready")

    def _handle(self, message: ChaincodeMessage) -> None:
        match message.type:
            case ChaincodeMessage.RESPONSE | ChaincodeMessage.ERROR:
                self._conversation(message).answer(message)
            case ChaincodeMessage.TRANSACTION:
                self._begin(message)
            case ChaincodeMessage.KEEPALIVE:
                self._post(message)
            case ChaincodeMessage.INIT:
                self._post(_no_init(message))
            case _:
                raise ProtocolError(_unexpected(message))

    def _conversation(self, message: ChaincodeMessage) -> Conversation:
        conversation = self._running.get((message.channel_id, message.txid))
        if conversation is None:
            raise ProtocolError("the peer answered a transaction that does not run")
        return conversation

    def _begin(self, message: ChaincodeMessage) -> None:
        if self._is_draining:
            return
        key = (message.channel_id, message.txid)
        if key in self._running:
            raise ProtocolError("the peer sent a transaction that runs already")
        conversation = Conversation(
            message,
            self._post,
            self._post_from_thread,
            offers=self._offers,
            message_bytes_max=self._limits.message_bytes_max,
            timeout_s=self._limits.transaction_timeout_s,
        )
        self._running[key] = conversation
        task = asyncio.create_task(self._execute(message, conversation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _execute(self, message: ChaincodeMessage, conversation: Conversation) -> None:
        answer = await self._loop.run_in_executor(
            self._threads, self._execution.answer, message, conversation
        )
        del self._running[message.channel_id, message.txid]
        self._post(answer)
        if conversation.is_overdue and not self._ending.done():
            # A late answer must not meet another transaction; and a peer that was silent for so
            # long is better asked on a new connection.
            silence = ProtocolError("the peer did not answer a transaction's request in time")
            self._ending.set_exception(silence)
        self._end_if_drained()

    def _post(self, message: ChaincodeMessage) -> None:
        self._outbox.put_nowait(message)

    def _post_from_thread(self, message: ChaincodeMessage) -> None:
        self._loop.call_soon_threadsafe(self._outbox.put_nowait, message)

    async def _write_all(self) -> None:
        while (message := await self._outbox.get()) is not None:
            await self._write(message)

    def _abandon(self) -> None:
        """Let the threads go: what they wait for will not come."""
        self._ending.cancel()
        for conversation in self._running.values():
            conversation.end()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _unexpected(message: ChaincodeMessage) -> str:
    return f"the peer sent {ChaincodeMessage.Type.Name(message.type)} out of turn"


def _no_init(message: ChaincodeMessage) -> ChaincodeMessage:
    return ChaincodeMessage(
        type=ChaincodeMessage.ERROR,
        payload=b"this chaincode has no Init; approve its definition without --init-required",
        txid=message.txid,
        channel_id=message.channel_id,
    )

"""One transaction's talk with its peer: a worker thread asks and waits, the event loop answers."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Final

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from gx.chaincode.server.errors import (
    MessageTooLargeError,
    PeerLostError,
    PeerRefusedError,
    ProtocolError,
    SimulationTimeoutError,
)
from gx.chaincode.server.messages import Kind, Offers, Request

ENVELOPE_BYTES: Final = 1_024
"""More than a message has beside its payload: type, channel and transaction id."""

Post = Callable[[ChaincodeMessage], None]
"""Queues a message for the peer."""


@dataclass(slots=True)
class _Exchange:
    """Requests that are asked one after the other, and the answers so far."""

    following: Iterator[Request]
    answers: list[bytes] = field(default_factory=list)
    refused: Kind | None = None


class Conversation:
    """Implements `gx.chaincode.server.stub.PeerLink`: one request, then its answer.

    `ask_all` belongs to the transaction's thread, `answer` and `end` to the event loop. A peer
    takes one request of a transaction at a time, so the event loop sends the next one as soon as
    the last is answered; the thread sleeps until all are. `post` may be called from the event
    loop alone, `post_from_thread` from any thread.
    """

    def __init__(
        self,
        message: ChaincodeMessage,
        post: Post,
        post_from_thread: Post,
        *,
        offers: Offers,
        message_bytes_max: int,
        timeout_s: float,
    ) -> None:
        self.offers: Final = offers
        self.message_bytes_max: Final = message_bytes_max
        self._transaction_id: Final = message.txid
        self._channel_id: Final = message.channel_id
        self._post: Final = post
        self._post_from_thread: Final = post_from_thread
        self._deadline_s: Final = time.monotonic() + timeout_s
        self._ended: Final[SimpleQueue[_Exchange | None]] = SimpleQueue()
        self._exchange: _Exchange | None = None
        self._request: Request | None = None
        self.is_overdue = False

    def ask(self, request: Request) -> bytes:
        """See `PeerLink`."""
        return self.ask_all((request,))[0]

    def ask_all(self, requests: Sequence[Request]) -> Sequence[bytes]:
        """See `PeerLink`."""
        if not requests:
            return ()
        remaining_s = self._deadline_s - time.monotonic()
        if remaining_s <= 0:
            raise SimulationTimeoutError("the transaction ran longer than its peer waits")
        self._require_sendable(requests)
        following = iter(requests)
        self._request = next(following)
        self._exchange = _Exchange(following)
        self._post_from_thread(self._message(self._request))
        try:
            ended = self._ended.get(timeout=remaining_s)
        except Empty:
            self.is_overdue = True
            raise SimulationTimeoutError("the peer did not answer in time") from None
        if ended is None:
            raise PeerLostError("the connection to the peer ended")
        if ended.refused is not None:
            raise PeerRefusedError(f"the peer refused {ChaincodeMessage.Type.Name(ended.refused)}")
        return ended.answers

    def answer(self, message: ChaincodeMessage) -> None:
        """Take the peer's answer, and ask on or wake the thread.

        Raises:
            ProtocolError: nothing was asked, or the answer came twice.
        """
        exchange, request = self._exchange, self._request
        if exchange is None or request is None:
            raise ProtocolError("the peer answered what nobody asked")
        if message.type == ChaincodeMessage.ERROR:
            exchange.refused = request.kind
        else:
            exchange.answers.append(message.payload)
            if not self.is_overdue and (following := next(exchange.following, None)) is not None:
                self._request = following
                self._post(self._message(following))
                return
        self._exchange = self._request = None
        self._ended.put(exchange)

    def end(self) -> None:
        """Tell the thread, now or when it next asks, that no answer will come."""
        self._ended.put(None)

    def _require_sendable(self, requests: Sequence[Request]) -> None:
        size_bytes = max(len(request.payload) for request in requests)
        if size_bytes > self.message_bytes_max - ENVELOPE_BYTES:
            raise MessageTooLargeError(f"a request has {size_bytes} bytes")

    def _message(self, request: Request) -> ChaincodeMessage:
        return ChaincodeMessage(
            type=request.kind,
            payload=request.payload,
            txid=self._transaction_id,
            channel_id=self._channel_id,
        )

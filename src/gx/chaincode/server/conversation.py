"""One transaction's talk with its peer: a worker thread asks and waits, the event loop answers."""

import time
from collections.abc import Callable
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
from gx.chaincode.server.messages import Offers, Request

ENVELOPE_BYTES: Final = 1_024
"""More than a message has beside its payload: type, channel and transaction id."""

Post = Callable[[ChaincodeMessage], None]
"""Queues a message for the peer; callable from any thread."""


class Conversation:
    """Implements `gx.chaincode.server.stub.PeerLink`: one request, then its answer.

    `ask` belongs to the transaction's thread, `answer` and `end` to the event loop.
    """

    def __init__(
        self,
        message: ChaincodeMessage,
        post: Post,
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
        self._deadline_s: Final = time.monotonic() + timeout_s
        self._answers: Final[SimpleQueue[ChaincodeMessage | None]] = SimpleQueue()
        self._is_waiting = False
        self.is_overdue = False

    def ask(self, request: Request) -> bytes:
        """See `PeerLink`."""
        remaining_s = self._deadline_s - time.monotonic()
        if remaining_s <= 0:
            raise SimulationTimeoutError("the transaction ran longer than its peer waits")
        if len(request.payload) > self.message_bytes_max - ENVELOPE_BYTES:
            raise MessageTooLargeError(f"a request has {len(request.payload)} bytes")
        self._is_waiting = True
        self._post(
            ChaincodeMessage(
                type=request.kind,
                payload=request.payload,
                txid=self._transaction_id,
                channel_id=self._channel_id,
            )
        )
        try:
            answer = self._answers.get(timeout=remaining_s)
        except Empty:
            self.is_overdue = True
            raise SimulationTimeoutError("the peer did not answer in time") from None
        if answer is None:
            raise PeerLostError("the connection to the peer ended")
        if answer.type == ChaincodeMessage.ERROR:
            raise PeerRefusedError(f"the peer refused {ChaincodeMessage.Type.Name(request.kind)}")
        return answer.payload

    def answer(self, message: ChaincodeMessage) -> None:
        """Hand the peer's answer to the thread.

        Raises:
            ProtocolError: nothing was asked, or the answer came twice.
        """
        if not self._is_waiting:
            raise ProtocolError("the peer answered what nobody asked")
        self._is_waiting = False
        self._answers.put(message)

    def end(self) -> None:
        """Tell the thread, now or when it next asks, that no answer will come."""
        self._answers.put(None)

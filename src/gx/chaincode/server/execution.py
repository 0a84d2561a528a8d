"""One transaction from the peer's call to the answer: what a worker thread does."""

import traceback
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import structlog
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response

from gx.chaincode.executor import Executed, ExecutionResult, Refused
from gx.chaincode.server.conversation import ENVELOPE_BYTES
from gx.chaincode.server.errors import MessageTooLargeError, PeerLostError
from gx.chaincode.server.identities import CallerReader
from gx.chaincode.server.proposals import Invocation, read_invocation
from gx.chaincode.server.stub import PeerLink, PeerStub
from gx.chaincode.stub import Stub
from gx.domain.identifiers import TransactionId
from gx.domain.refusals import RefusedError

Execute: TypeAlias = Callable[[Stub, str, Sequence[str]], ExecutionResult]
"""`gx.chaincode.executor.Executor.execute` with the contracts registered."""

STATUS_DONE: Final = 200
STATUS_REFUSED: Final = 400
STATUS_FAILED: Final = 500
"""Peers endorse what is below 400."""

_log: Final = structlog.get_logger(__name__)


class Execution:
    """Answers TRANSACTION messages. Keeps nothing between them; threads may share it."""

    def __init__(self, execute: Execute, callers: CallerReader) -> None:
        self._execute: Final = execute
        self._callers: Final = callers

    def answer(self, message: ChaincodeMessage, link: PeerLink) -> ChaincodeMessage:
        """Execute a transaction and say how it ended. Never raises for what went wrong in it.

        A refusal's text is `CODE: detail`. Of anything else the peer, and so the client, learns
        that it failed and no more; the log tells what it was and where.
        """
        try:
            response, event = self._run(message, link)
            _require_room(response, event, link.message_bytes_max)
        except RefusedError as refusal:
            response, event = _refused(Refused(code=refusal.code, detail=refusal.detail)), None
        except Exception as error:  # noqa: BLE001 (the peer must get an answer whatever happened)
            _report(error, message.txid)
            response, event = _failed(message.txid), None
        return ChaincodeMessage(
            type=ChaincodeMessage.COMPLETED,
            payload=response.SerializeToString(),
            txid=message.txid,
            channel_id=message.channel_id,
            chaincode_event=event,
        )

    def _run(
        self, message: ChaincodeMessage, link: PeerLink
    ) -> tuple[Response, ChaincodeEvent | None]:
        invocation = read_invocation(message)
        stub = self._stub(message, link, invocation)
        result = self._execute(stub, invocation.function, invocation.args)
        if isinstance(result, Refused):
            return _refused(result), None
        return _done(result), _event_of(stub)

    def _stub(self, message: ChaincodeMessage, link: PeerLink, invocation: Invocation) -> PeerStub:
        return PeerStub(
            link,
            transaction_id=TransactionId(message.txid),
            timestamp_s=invocation.timestamp_s,
            caller=self._callers.read(invocation.creator),
        )


def _require_room(response: Response, event: ChaincodeEvent | None, bytes_max: int) -> None:
    size_bytes = response.ByteSize() + (0 if event is None else event.ByteSize())
    if size_bytes > bytes_max - ENVELOPE_BYTES:
        raise MessageTooLargeError(f"the answer has {size_bytes} bytes")


def _done(result: Executed) -> Response:
    return Response(status=STATUS_DONE, payload=result.payload.encode())


def _refused(refusal: Refused) -> Response:
    return Response(status=STATUS_REFUSED, message=f"{refusal.code}: {refusal.detail}")


def _failed(transaction_id: str) -> Response:
    return Response(
        status=STATUS_FAILED,
        message=f"transaction {transaction_id} failed inside the chaincode; its log tells why",
    )


def _event_of(stub: PeerStub) -> ChaincodeEvent | None:
    if stub.event is None:
        return None
    name, payload = stub.event
    return ChaincodeEvent(event_name=name, payload=payload.encode())


def _report(error: Exception, transaction_id: str) -> None:
    """Log what happened and where; not the error's text, which may quote what users sent."""
    if isinstance(error, PeerLostError):
        _log.info("transaction_abandoned", transaction_id=transaction_id)
        return
    frames = traceback.extract_tb(error.__traceback__)
    _log.error(
        "transaction_failed",
        transaction_id=transaction_id,
        error=type(error).__name__,
        frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    )

"""The embedded ledger as its clients use it: the `gx.ledger.ports.Ledger` over a Unix socket."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from gx.domain.identifiers import BlockNumber, EpochMs, TransactionId
from gx.domain.refusals import RefusedError
from gx.ledger.errors import (
    CorruptBlockError,
    EndorseError,
    EvaluateError,
    LedgerError,
    LedgerUnavailableError,
    NewerBlockError,
    StreamError,
    SubmitError,
    VerdictError,
)
from gx.ledger.local.blocks import StoredBlock, show_block
from gx.ledger.local.connection import CallConnection, Channel, ConnectionLostError, open_channel
from gx.ledger.local.content import BadEnvelopeError, NewerFormatError
from gx.ledger.local.wire import (
    FRAME_BYTES_MAX,
    HEARTBEAT_S,
    STREAM_ITEM,
    Answer,
    AskVerdict,
    BlockSent,
    Describe,
    Described,
    Evaluate,
    Evaluated,
    Failure,
    Follow,
    NoVerdict,
    Numbered,
    Prepare,
    Prepared,
    Request,
    Submit,
    Submitted,
    VerdictFound,
    WireError,
)
from gx.ledger.ports import (
    Block,
    ChaincodeEvent,
    ChainInfo,
    Envelope,
    Proposal,
    Verdict,
)

_E = TypeVar("_E", bound=LedgerError)
_A = TypeVar("_A", bound=msgspec.Struct)

DEADLINE_S: Final = 30.0
_SILENCE_MAX_S: Final = 5 * HEARTBEAT_S


class LocalLedger:
    """Connects when it is first needed, and again whenever the connection was lost.

    Every call takes a `deadline_s`; where it passes, the call fails with its phase's own error,
    which says whether the ledger may have acted all the same.
    """

    def __init__(
        self,
        socket: Path,
        *,
        deadline_s: float = DEADLINE_S,
        frame_bytes_max: int = FRAME_BYTES_MAX,
    ) -> None:
        self._socket: Final = socket
        self._deadline_s: Final = deadline_s
        self._frame_bytes_max: Final = frame_bytes_max
        self._connection: CallConnection | None = None
        self._connecting: Final = asyncio.Lock()
        self._streams: Final[set[Channel]] = set()
        self._is_closed = False

    async def prepare(self, proposal: Proposal, *, deadline_s: float | None = None) -> Envelope:
        """See `Ledger.prepare`."""
        timeout_s = self._deadline_s if deadline_s is None else deadline_s
        request = Prepare(proposal.function, proposal.arguments, proposal.role, timeout_s)
        try:
            answer = _expect(await self._call(request, timeout_s), Prepared)
        except _CallFailedError as failed:
            raise _endorsement_error(failed, EndorseError) from failed.__cause__
        return Envelope(
            transaction_id=TransactionId(answer.transaction_id),
            role=proposal.role,
            content=answer.content,
            result=answer.result,
        )

    async def submit(self, envelope: Envelope, *, deadline_s: float | None = None) -> None:
        """See `Ledger.submit`. On return the transaction is durably in a block, valid or not."""
        request = Submit(envelope.content)
        try:
            _expect(await self._call(request, deadline_s), Submitted)
        except _CallFailedError as failed:
            raise failed.as_error(SubmitError) from failed.__cause__

    async def verdict(
        self, transaction_id: TransactionId, *, deadline_s: float | None = None
    ) -> Verdict | None:
        """See `Ledger.verdict`."""
        try:
            answer = await self._call(AskVerdict(transaction_id), deadline_s)
            if isinstance(answer, NoVerdict):
                return None
            found = _expect(answer, VerdictFound)
        except _CallFailedError as failed:
            raise failed.as_error(VerdictError) from failed.__cause__
        return Verdict(
            transaction_id=transaction_id,
            validation_code=found.code,
            block_number=BlockNumber(found.block_number),
            event=_read_event(found.event),
        )

    async def evaluate(self, proposal: Proposal, *, deadline_s: float | None = None) -> str:
        """See `Ledger.evaluate`."""
        timeout_s = self._deadline_s if deadline_s is None else deadline_s
        request = Evaluate(proposal.function, proposal.arguments, proposal.role, timeout_s)
        try:
            return _expect(await self._call(request, timeout_s), Evaluated).result
        except _CallFailedError as failed:
            raise _endorsement_error(failed, EvaluateError) from failed.__cause__

    async def chain_info(self, *, deadline_s: float | None = None) -> ChainInfo:
        """See `Ledger.chain_info`."""
        try:
            answer = _expect(await self._call(Describe(), deadline_s), Described)
        except _CallFailedError as failed:
            raise failed.as_error(LedgerUnavailableError) from failed.__cause__
        return ChainInfo(
            height=answer.height,
            genesis_hash=answer.genesis_hash,
            newest_timestamp_ms=EpochMs(answer.newest_timestamp_ms),
        )

    async def blocks(self, first: BlockNumber) -> AsyncIterator[Block]:
        """See `Ledger.blocks`. Each stream has a connection of its own.

        A block is read from the socket when it is asked for, so a slow consumer holds up the
        server, not memory. A server that is silent for 10 s counts as gone.
        """
        channel = await self._open_channel()
        self._streams.add(channel)
        try:
            await channel.send(Numbered(0, Follow(first)))
            while True:
                block = await _next_block(channel)
                if block is not None:
                    yield block
        except (OSError, WireError, msgspec.MsgspecError) as error:
            raise StreamError(
                f"the block stream broke: {error}", code=type(error).__name__
            ) from error
        finally:
            self._streams.discard(channel)
            channel.close()

    async def close(self) -> None:
        """See `Ledger.close`."""
        self._is_closed = True
        for channel in self._streams:
            channel.close()
        if self._connection is not None:
            await self._connection.close()

    async def _call(self, request: Request, deadline_s: float | None) -> Answer:
        """Send a request and return its answer.

        Raises:
            LedgerUnavailableError: the ledger could not be reached: nothing was sent.
            _CallFailedError: anything after that.
        """
        connection = await self._connected()
        timeout_s = self._deadline_s if deadline_s is None else deadline_s
        try:
            async with asyncio.timeout(timeout_s):
                return await connection.call(request)
        except TimeoutError as error:
            message = f"no answer from the ledger within {timeout_s:g} s"
            raise _CallFailedError(
                Failure("DEADLINE_EXCEEDED", message, is_transient=True)
            ) from error
        except WireError as error:
            raise _CallFailedError(Failure("TOO_LARGE", str(error), is_transient=False)) from error
        except ConnectionLostError as error:
            raise _CallFailedError(
                Failure("CONNECTION_LOST", str(error), is_transient=True)
            ) from error

    async def _connected(self) -> CallConnection:
        async with self._connecting:
            if self._connection is None or not self._connection.is_open:
                self._connection = CallConnection(await self._open_channel())
            return self._connection

    async def _open_channel(self) -> Channel:
        if self._is_closed:
            raise LedgerUnavailableError(
                "this ledger client was closed", code="CLOSED", is_transient=False
            )
        return await open_channel(self._socket, frame_bytes_max=self._frame_bytes_max)


class _CallFailedError(Exception):
    """A call failed after it was sent; which error that is depends on the phase."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure: Final = failure

    def as_error(self, kind: type[_E]) -> _E:
        failure = self.failure
        return kind(failure.message, code=failure.code, is_transient=failure.is_transient)


def _endorsement_error(failed: _CallFailedError, kind: type[EvaluateError]) -> EvaluateError:
    failure = failed.failure
    refusal = None
    if failure.refusal is not None:
        refusal = RefusedError(*failure.refusal)
    return kind(
        failure.message, refusal=refusal, code=failure.code, is_transient=failure.is_transient
    )


def _read_event(pair: tuple[str, str] | None) -> ChaincodeEvent | None:
    return None if pair is None else ChaincodeEvent(name=pair[0], payload=pair[1])


def _expect(answer: Answer, kind: type[_A]) -> _A:
    if isinstance(answer, kind):
        return answer
    if isinstance(answer, Failure):
        raise _CallFailedError(answer)
    message = f"the ledger answered {type(answer).__name__} instead of {kind.__name__}"
    raise _CallFailedError(Failure("UNEXPECTED_ANSWER", message, is_transient=False))


async def _next_block(channel: Channel) -> Block | None:
    """Read the stream's next item; None for a heartbeat."""
    try:
        async with asyncio.timeout(_SILENCE_MAX_S):
            frame = await channel.receive()
    except TimeoutError as error:
        raise StreamError(
            f"the ledger was silent for {_SILENCE_MAX_S:g} s", code="DEADLINE_EXCEEDED"
        ) from error
    if frame is None:
        raise StreamError("the ledger ended the block stream", code="CONNECTION_LOST")
    item = STREAM_ITEM.decode(frame)
    match item:
        case BlockSent(number, previous_hash, block_hash, metadata, content):
            return _show(StoredBlock(number, previous_hash, block_hash, metadata, content))
        case Failure():
            raise _stream_error(item)
        case _:
            return None


def _show(block: StoredBlock) -> Block:
    try:
        return show_block(block)
    except NewerFormatError as error:
        raise NewerBlockError(BlockNumber(block.number), str(error)) from error
    except BadEnvelopeError as error:
        raise CorruptBlockError(BlockNumber(block.number), str(error)) from error


def _stream_error(failure: Failure) -> StreamError:
    if failure.block_number is not None:
        return CorruptBlockError(BlockNumber(failure.block_number), failure.message)
    return StreamError(failure.message, code=failure.code, is_transient=failure.is_transient)

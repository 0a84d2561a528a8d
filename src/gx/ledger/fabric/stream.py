"""The block stream: every block from a number on, from whichever peer is there.

A stream of Fabric's can fall silent without an error: the peer is frozen, or the connection is
gone and nobody noticed. A watchdog therefore asks, every few seconds, how long the chain is, and
breaks a stream that does not bring what is there.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import grpc
import grpc.aio
from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
    Status,
)
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekPosition, SeekSpecified
from fabric_protos.peer.events_pb2 import DeliverResponse
from google.protobuf.message import Message

from gx.domain.identifiers import BlockNumber, EpochMs
from gx.ledger.errors import CorruptBlockError, LedgerError, StreamError
from gx.ledger.fabric.blocks import read_block
from gx.ledger.fabric.failures import Step, classify, read_failure
from gx.ledger.fabric.identities import Signer
from gx.ledger.fabric.peers import Peer
from gx.ledger.fabric.transactions import timestamp
from gx.ledger.ports import Block

_FOR_EVER: Final = 2**64 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a stream is watched: asked after every `every_s`, broken after `silence_max_s`."""

    every_s: float = 2.0
    silence_max_s: float = 6.0


def seek(
    channel: str, first: BlockNumber, signer: Signer, *, nonce: bytes, now_ms: EpochMs
) -> Envelope:
    """Write and sign the request for every block from a number on, also those to come."""
    header = ChannelHeader(
        type=HeaderType.DELIVER_SEEK_INFO, timestamp=timestamp(now_ms), channel_id=channel
    )
    wanted = SeekInfo(
        start=SeekPosition(specified=SeekSpecified(number=first)),
        stop=SeekPosition(specified=SeekSpecified(number=_FOR_EVER)),
        behavior=SeekInfo.SeekBehavior.BLOCK_UNTIL_READY,
    )
    creator = SignatureHeader(creator=signer.creator, nonce=nonce).SerializeToString()
    payload = Payload(
        header=Header(channel_header=header.SerializeToString(), signature_header=creator),
        data=wanted.SerializeToString(),
    ).SerializeToString()
    return Envelope(payload=payload, signature=signer.sign(payload))


class BlockStream:
    """One reading of the chain, from one peer. It ends with an error and is not used again.

    `height` asks how long the chain is, whoever can tell; it raises where nobody can.
    """

    def __init__(
        self,
        peer: Peer,
        first: BlockNumber,
        *,
        chaincode: str,
        height: Callable[[], Awaitable[int]],
        watch: Watch,
    ) -> None:
        self._peer: Final = peer
        self._next = first
        self._chaincode: Final = chaincode
        self._height: Final = height
        self._watch: Final = watch
        self._silent_since_s = 0.0
        self._is_reading = False
        self._fault: StreamError | None = None

    async def blocks(self, request: Envelope) -> AsyncGenerator[Block, None]:
        """Yield the blocks in order.

        Raises:
            LedgerError: the stream broke, fell silent, or brought a damaged block.
        """
        call = self._peer.deliver()
        watchdog = asyncio.create_task(self._guard(call.cancel))
        last_hash: str | None = None
        try:
            await call.write(request)
            while True:
                block = self._checked(await self._receive(call), last_hash)
                last_hash = block.hash
                yield block
        except grpc.aio.AioRpcError as error:
            raise read_failure(Step.STREAM, error).as_error() from error
        except asyncio.InvalidStateError as error:  # it had ended before the request was written
            raise StreamError(f"the stream could not be opened: {error}") from error
        except asyncio.CancelledError:
            if self._fault is not None:
                raise self._fault from None
            raise
        finally:
            watchdog.cancel()
            call.cancel()

    async def _receive(
        self, call: "grpc.aio.StreamStreamCall[Message, DeliverResponse]"
    ) -> DeliverResponse:
        """Read on. Only while it is waited for can the stream be silent."""
        self._silent_since_s = asyncio.get_running_loop().time()
        self._is_reading = True
        try:
            response = await call.read()
        finally:
            self._is_reading = False
        if not isinstance(response, DeliverResponse):
            raise StreamError("the peer ended the block stream", code="CONNECTION_LOST")
        return response

    def _checked(self, response: DeliverResponse, last_hash: str | None) -> Block:
        if response.WhichOneof("Type") != "block":
            raise _refused(response.status)
        block = read_block(response.block, chaincode=self._chaincode)
        if block.number != self._next:
            raise StreamError(f"block {block.number} came instead of {self._next}", code="GAP")
        if last_hash is not None and block.previous_hash != last_hash:
            raise CorruptBlockError(block.number, "it does not name the hash of the one before")
        self._next = BlockNumber(block.number + 1)
        return block

    async def _guard(self, cancel: Callable[[], bool]) -> None:
        """Break the stream when blocks are there that it does not bring, or nobody answers."""
        while True:
            await asyncio.sleep(self._watch.every_s)
            is_due, reason = True, "no peer tells how long the chain is"
            with suppress(LedgerError):
                height = await self._height()
                is_due, reason = height > self._next, f"the chain has {height} blocks"
            if not (self._is_reading and is_due):
                if self._is_reading and not is_due:
                    self._silent_since_s = asyncio.get_running_loop().time()
                continue
            silent_s = asyncio.get_running_loop().time() - self._silent_since_s
            if silent_s >= self._watch.silence_max_s:
                self._fault = StreamError(
                    f"{self._peer.name} has not sent block {self._next} for {silent_s:.1f} s, "
                    f"and {reason}",
                    code="SILENT",
                )
                cancel()
                return


def _refused(status: "Status") -> LedgerError:
    name = Status.Name(status)
    code = {
        Status.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
        Status.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    }.get(status, grpc.StatusCode.UNKNOWN)
    text = "access denied" if status == Status.FORBIDDEN else f"the peer answered {name}"
    return classify(Step.STREAM, code, text).as_error()

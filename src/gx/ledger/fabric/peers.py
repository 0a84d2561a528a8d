"""The gateway peers: a connection to each, and which of them is asked first.

They are asked in the profile's order, so that one process reads and endorses at one height. A
peer that gave no answer goes to the end of the row for a while, so that a frozen one costs its
time-out once and not with every call.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import grpc
import grpc.aio
import structlog
from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.gateway.gateway_pb2 import (
    EndorseRequest,
    EndorseResponse,
    EvaluateRequest,
    EvaluateResponse,
    SubmitRequest,
    SubmitResponse,
)
from fabric_protos.peer.events_pb2 import DeliverResponse
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse

from gx.ledger.errors import LedgerUnavailableError
from gx.ledger.fabric.failures import Cause, Failure, Step, read_failure
from gx.ledger.fabric.profile import Node

_log: Final = structlog.get_logger(__name__)
_T = TypeVar("_T")

MESSAGE_BYTES_MAX: Final = 100 * 1024 * 1024  # what peers send and take by default
SUSPECT_S: Final = 5.0
# Peers end a connection that pings more often than once a minute (`peer.keepalive.minInterval`).
_KEEPALIVE_MS: Final = 120_000
_KEEPALIVE_TIMEOUT_MS: Final = 20_000
# gRPC gives an attempt to connect so long; a busy machine needs more than the pause between two.
_CONNECT_TIMEOUT_MS: Final = 10_000
_RECONNECT_MIN_MS: Final = 100
_RECONNECT_MAX_MS: Final = 1_000
RECONNECT_S: Final = 1.5
"""How long a call waits for a lost connection to be made again: longer than the pause before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long one peer may take for each kind of call."""

    evaluate_s: float = 10.0
    endorse_s: float = 15.0
    submit_s: float = 10.0
    query_s: float = 5.0


class Peer:
    """One peer's services: the gateway, and what the gateway does not offer."""

    def __init__(self, node: Node, roots: bytes) -> None:
        self.name: Final = node.name
        self._channel: Final = grpc.aio.secure_channel(
            node.endpoint, grpc.ssl_channel_credentials(roots), options=_channel_options(node)
        )
        self.evaluate: Final = self._channel.unary_unary(
            "/gateway.Gateway/Evaluate",
            request_serializer=EvaluateRequest.SerializeToString,
            response_deserializer=EvaluateResponse.FromString,
        )
        self.endorse: Final = self._channel.unary_unary(
            "/gateway.Gateway/Endorse",
            request_serializer=EndorseRequest.SerializeToString,
            response_deserializer=EndorseResponse.FromString,
        )
        self.submit: Final = self._channel.unary_unary(
            "/gateway.Gateway/Submit",
            request_serializer=SubmitRequest.SerializeToString,
            response_deserializer=SubmitResponse.FromString,
        )
        self.process_proposal: Final = self._channel.unary_unary(
            "/protos.Endorser/ProcessProposal",
            request_serializer=SignedProposal.SerializeToString,
            response_deserializer=ProposalResponse.FromString,
        )
        self.deliver: Final = self._channel.stream_stream(
            "/protos.Deliver/Deliver",
            request_serializer=Envelope.SerializeToString,
            response_deserializer=DeliverResponse.FromString,
        )

    async def connected(self) -> None:
        """Return once there is a connection."""
        await self._channel.channel_ready()

    async def close(self) -> None:
        """End the connection; calls under way fail."""
        await self._channel.close()


class Peers:
    """All gateway peers of a profile. Connections are made when they are first needed."""

    def __init__(self, nodes: Sequence[Node], *, calls_max: int) -> None:
        """`calls_max` bounds the calls under way: a gateway serves 500 for all its clients."""
        self._nodes: Final = nodes
        self._slots: Final = asyncio.Semaphore(calls_max)
        self._open: Final[dict[str, Peer]] = {}
        self._suspect_until_s: Final[dict[str, float]] = {}
        self._is_closed = False

    async def call(self, step: Step, ask: Callable[[Peer], Awaitable[_T]]) -> _T:
        """Ask the peers in turn, until one answers or says what no other would say better.

        Raises:
            LedgerError: what the failure means for the step.
        """
        answer = await self._round(step, ask)
        is_away = isinstance(answer, Failure) and answer.cause is Cause.GATEWAY_UNREACHABLE
        # A lost connection is made again only after a pause: the peers may be there already.
        if is_away and await self._any_connects():
            answer = await self._round(step, ask)
        if isinstance(answer, Failure):
            raise answer.as_error()
        return answer

    async def _round(self, step: Step, ask: Callable[[Peer], Awaitable[_T]]) -> _T | Failure:
        failure: Failure | None = None
        for peer in self.in_order():
            try:
                async with self._slots:
                    answer = await ask(peer)
            except grpc.aio.AioRpcError as error:
                failure = read_failure(step, error)
                self._note(peer, failure)
                if not failure.is_of_this_peer:
                    break
            else:
                self.trust(peer)
                return answer
        assert failure is not None  # noqa: S101 (a profile without peers is refused)
        return failure

    async def _any_connects(self) -> bool:
        """Wait a moment for a connection to any peer; tell whether there is one."""
        connecting = [asyncio.create_task(peer.connected()) for peer in self.in_order()]
        try:
            done, _ = await asyncio.wait(
                connecting, timeout=RECONNECT_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in connecting:
                task.cancel()
            await asyncio.gather(*connecting, return_exceptions=True)
        return bool(done)

    def in_order(self) -> list[Peer]:
        """List the peers as they are to be asked.

        Raises:
            LedgerUnavailableError: this client was closed, or a root certificate cannot be read.
        """
        if self._is_closed:
            raise LedgerUnavailableError(
                "this ledger client was closed", code="CLOSED", is_transient=False
            )
        now_s = time.monotonic()
        nodes = sorted(
            self._nodes, key=lambda node: self._suspect_until_s.get(node.name, 0.0) > now_s
        )
        return [self._peer(node) for node in nodes]

    def suspect(self, peer: Peer) -> None:
        """Ask this peer last for a while."""
        self._suspect_until_s[peer.name] = time.monotonic() + SUSPECT_S

    def trust(self, peer: Peer) -> None:
        """Ask this peer in its turn again: it has answered."""
        self._suspect_until_s.pop(peer.name, None)

    async def close(self) -> None:
        """End all connections."""
        self._is_closed = True
        for peer in self._open.values():
            await peer.close()

    def _peer(self, node: Node) -> Peer:
        peer = self._open.get(node.name)
        if peer is None:
            peer = self._open[node.name] = Peer(node, _roots(node.tls_ca))
        return peer

    def _note(self, peer: Peer, failure: Failure) -> None:
        if failure.is_peer_silent:
            self.suspect(peer)
        _log.info(
            "fabric_call_failed",
            step=failure.step,
            peer=peer.name,
            status=failure.code.name,
            cause=failure.cause,
            detail=failure.text[:400],
        )


def _channel_options(node: Node) -> list[tuple[str, str | int]]:
    options: list[tuple[str, str | int]] = [
        ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
        ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MIN_MS),
        ("grpc.min_reconnect_backoff_ms", _CONNECT_TIMEOUT_MS),
        ("grpc.max_reconnect_backoff_ms", _RECONNECT_MAX_MS),
        ("grpc.enable_retries", 0),  # who retries knows what the failed step may have done
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if node.server_name is not None:
        options.append(("grpc.ssl_target_name_override", node.server_name))
    return options


def _roots(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LedgerUnavailableError(
            f"the TLS roots {path} of the connection profile cannot be read: {error.strerror}",
            code="TLS_FAILED",
            is_transient=False,
        ) from error

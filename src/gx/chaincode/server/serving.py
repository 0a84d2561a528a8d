"""The gRPC server: who may connect, how long a silence may last, and how it ends."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import structlog
from cryptography import x509
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from grpc import aio

from gx.chaincode.server.errors import ProtocolError, ServingError
from gx.chaincode.server.repeating import Answering
from gx.chaincode.server.stream import PeerStream, StreamLimits

_log: Final = structlog.get_logger(__name__)

_SERVICE: Final = "protos.Chaincode"
_STREAMS_MAX: Final = 64
"""Every peer that runs this package connects once for each channel that uses it."""

_CONNECT: Final = "Connect"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: this server's certificate and key, and the roots of the peers' certificates."""

    certificate: Path
    key: Path
    client_roots: Path

    def expires_at_s(self) -> float:
        """Return when the server's certificate ends, in seconds since the Unix epoch.

        Raises:
            ServingError: the file cannot be read, or is no certificate.
        """
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise ServingError(f"{self.certificate} is no certificate: {error}") from error
        return certificate.not_valid_after_utc.timestamp()

    def credentials(self) -> grpc.ServerCredentials:
        """Read the files; every client must show a certificate of those roots.

        Raises:
            ServingError: a file cannot be read.
        """
        try:
            pair = (self.key.read_bytes(), self.certificate.read_bytes())
            roots = self.client_roots.read_bytes()
        except OSError as error:
            raise ServingError(f"a TLS file of the chaincode cannot be read: {error}") from error
        return grpc.ssl_server_credentials([pair], roots, require_client_auth=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How the chaincode is served. Without `tls` everything is in clear text."""

    package_id: str
    address: str
    tls: TlsFiles | None
    limits: StreamLimits
    drain_s: float
    """How long transactions in flight may take once the server is asked to stop."""


class ChaincodeServer:
    """A chaincode that is being served, from `start` to `close`."""

    def __init__(
        self,
        options: ServerOptions,
        execution: Answering,
        *,
        observe_streams: Callable[[int], None],
    ) -> None:
        """`observe_streams` is told how many peers are connected whenever that changes."""
        self._options: Final = options
        self._execution: Final = execution
        self._observe_streams: Final = observe_streams
        self._streams: Final[set[PeerStream]] = set()
        self._server: aio.Server | None = None
        self.port = 0
        """Where it listens, once it does."""

    @property
    def problem(self) -> str | None:
        """Say why peers cannot connect; None when they can."""
        return "the chaincode is not being served" if self._server is None else None

    async def start(self) -> None:
        """Listen.

        Raises:
            ServingError: the address cannot be used, or a TLS file cannot be read.
        """
        server = aio.server(
            options=_channel_options(self._options.limits.message_bytes_max),
            maximum_concurrent_rpcs=_STREAMS_MAX,
        )
        handler = grpc.stream_stream_rpc_method_handler(
            self._connect,
            request_deserializer=ChaincodeMessage.FromString,
            response_serializer=ChaincodeMessage.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, {_CONNECT: handler}),)
        )
        self.port = self._bind(server)
        await server.start()
        self._server = server
        _log.info(
            "chaincode_served",
            package_id=self._options.package_id,
            address=self._options.address,
            tls=self._options.tls is not None,
        )

    def _bind(self, server: aio.Server) -> int:
        tls, address = self._options.tls, self._options.address
        try:
            if tls is None:
                return server.add_insecure_port(address)
            return server.add_secure_port(address, tls.credentials())
        except RuntimeError as error:
            raise ServingError(f"the chaincode cannot listen on {address}: {error}") from error

    async def close(self) -> None:
        """Take no more calls, finish those in flight, end the connections."""
        server, self._server = self._server, None
        if server is None:
            return
        for stream in tuple(self._streams):
            stream.drain()
        await server.stop(self._options.drain_s)
        _log.info("chaincode_closed")

    async def _connect(
        self,
        _requests: object,
        context: aio.ServicerContext[ChaincodeMessage, ChaincodeMessage],
    ) -> None:
        """Serve one peer; the call ends with the connection."""
        peer = context.peer()

        async def read() -> ChaincodeMessage | None:
            message: object = await context.read()  # or grpc.aio.EOF, which its types do not say
            return message if isinstance(message, ChaincodeMessage) else None

        stream = PeerStream(
            read,
            context.write,
            package_id=self._options.package_id,
            execution=self._execution,
            limits=self._options.limits,
        )
        self._note(stream, is_open=True)
        try:
            await stream.run()
        except ProtocolError as error:
            _log.warning("peer_dismissed", peer=peer, reason=str(error))
            context.set_code(grpc.StatusCode.FAILED_PRECONDITION)
            context.set_details(str(error))
        except aio.BaseError as error:
            _log.info("peer_connection_broke", peer=peer, error=type(error).__name__)
        finally:
            self._note(stream, is_open=False)
            _log.info("peer_left", peer=peer)

    def _note(self, stream: PeerStream, *, is_open: bool) -> None:
        if is_open:
            self._streams.add(stream)
        else:
            self._streams.discard(stream)
        self._observe_streams(len(self._streams))


async def serve(
    server: ChaincodeServer, *, stop: asyncio.Event, on_ready: Callable[[], None]
) -> None:
    """Serve until `stop` is set, then drain. `on_ready` is called once the server listens.

    Raises:
        ServingError: the server cannot start as it is set up; the text says what to change.
    """
    await server.start()
    try:
        on_ready()
        await stop.wait()
    finally:
        await server.close()


def _channel_options(message_bytes_max: int) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", message_bytes_max),
        ("grpc.max_send_message_length", message_bytes_max),
        # Peers ping an idle connection every 60 s. By default gRPC allows one in 5 minutes and
        # then ends the connection, with the calls in flight on it.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # A peer whose machine vanished is noticed within these, as on the peer's own side.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.max_pings_without_data", 0),
        # Two servers on one port would share the peers at random.
        ("grpc.so_reuseport", 0),
    ]

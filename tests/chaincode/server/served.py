"""A chaincode server in this process, on a free port, with toy or real contracts behind it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from grpc import aio

from gx.chaincode.executor import Executed, ExecutionResult
from gx.chaincode.server.execution import Execute, Execution
from gx.chaincode.server.identities import CallerReader
from gx.chaincode.server.repeating import Answering
from gx.chaincode.server.serving import ChaincodeServer, ServerOptions, TlsFiles
from gx.chaincode.server.stream import StreamLimits
from gx.chaincode.stub import Stub
from gx.domain.codec import JsonValue, encode
from tests.chaincode.server.peer_double import PeerDouble

PACKAGE_ID = f"gxtv3_1:{'a' * 64}"
LIMITS = StreamLimits(
    transactions_max=16,
    transaction_timeout_s=60.0,
    registration_timeout_s=60.0,
    message_bytes_max=10_000_000,
)

Body = Callable[[Stub, Sequence[str]], JsonValue]


@dataclass
class Toy:
    """Executes functions that a test gives, by name."""

    functions: dict[str, Body] = field(default_factory=dict)

    def execute(self, stub: Stub, function: str, args: Sequence[str]) -> ExecutionResult:
        """See `gx.chaincode.executor.Executor.execute`."""
        return Executed(payload=encode(self.functions[function](stub, args)))


@dataclass(frozen=True)
class Served:
    """A server that runs, and how to reach it."""

    server: ChaincodeServer
    channel: aio.Channel
    streams: list[int]
    """How many peers were connected, after each change."""


def a_server(
    answering: Answering,
    *,
    limits: StreamLimits = LIMITS,
    tls: TlsFiles | None = None,
    drain_s: float = 30.0,
    streams: list[int] | None = None,
) -> ChaincodeServer:
    """Set a server up, not yet started."""
    options = ServerOptions(
        package_id=PACKAGE_ID, address="127.0.0.1:0", tls=tls, limits=limits, drain_s=drain_s
    )
    observed = [] if streams is None else streams
    return ChaincodeServer(options, answering, observe_streams=observed.append)


@asynccontextmanager
async def serving(execute: Execute, *, limits: StreamLimits = LIMITS) -> AsyncIterator[Served]:
    """Serve contracts, and connect without TLS."""
    async with serving_answers(Execution(execute, CallerReader()), limits=limits) as served:
        yield served


@asynccontextmanager
async def serving_answers(
    answering: Answering, *, limits: StreamLimits = LIMITS
) -> AsyncIterator[Served]:
    """Serve whatever answers, and connect without TLS."""
    streams: list[int] = []
    server = a_server(answering, limits=limits, streams=streams)
    await server.start()
    try:
        async with aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield Served(server, channel, streams)
    finally:
        await server.close()


@asynccontextmanager
async def a_peer_of(
    execute: Execute, *, limits: StreamLimits = LIMITS
) -> AsyncIterator[PeerDouble]:
    """Serve, with one well-behaved peer connected."""
    async with (
        serving(execute, limits=limits) as served,
        PeerDouble().connected(served.channel) as peer,
    ):
        yield peer

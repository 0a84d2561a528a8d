"""How the server begins and ends: TLS, its port, and draining."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import grpc
import pytest
from grpc import aio

from gx.chaincode.executor import ExecutionResult
from gx.chaincode.server.errors import ServingError
from gx.chaincode.server.execution import Execution
from gx.chaincode.server.identities import CallerReader
from gx.chaincode.server.serving import ChaincodeServer, ServerOptions, TlsFiles
from gx.chaincode.stub import Stub
from tests.chaincode.server.creators import END, Issued, a_certificate, an_authority
from tests.chaincode.server.peer_double import PeerDouble
from tests.chaincode.server.served import LIMITS, PACKAGE_ID, a_server
from tests.chaincode.server.test_transactions import TOY

HOST = "chaincode.test"
TARGET_NAME = [("grpc.ssl_target_name_override", HOST)]


def toy() -> Execution:
    """Answer with the toy functions."""
    return Execution(TOY.execute, CallerReader())


@pytest.fixture
def tls(tmp_path: Path) -> TlsFiles:
    """Write the server's files."""
    server = a_certificate("server", host=HOST)
    files = TlsFiles(
        certificate=tmp_path / "server.pem",
        key=tmp_path / "server.key",
        client_roots=tmp_path / "clients.pem",
    )
    files.certificate.write_bytes(server.certificate_pem)
    files.key.write_bytes(server.key_pem)
    files.client_roots.write_bytes(an_authority("ca.peers").certificate_pem)
    return files


def credentials(client: Issued | None) -> grpc.ChannelCredentials:
    """Trust the server's CA, and show a certificate."""
    return grpc.ssl_channel_credentials(
        an_authority().certificate_pem,
        None if client is None else client.key_pem,
        None if client is None else client.certificate_pem,
    )


async def test_peers_with_a_certificate_of_the_roots_are_served(tls: TlsFiles) -> None:
    """Mutual TLS from files."""
    server = a_server(toy(), tls=tls)
    await server.start()
    peer = a_certificate("peer0", "peer", authority=an_authority("ca.peers"))
    channel = aio.secure_channel(f"127.0.0.1:{server.port}", credentials(peer), TARGET_NAME)
    async with channel, PeerDouble().connected(channel) as double:
        assert (await double.call("whoami")).response.status == 200
    await server.close()


@pytest.mark.parametrize("client", ["none", "of another CA", "without TLS"])
async def test_nobody_else_is_served(tls: TlsFiles, client: str) -> None:
    """No certificate, one of another CA, and clear text: the connection is refused."""
    server = a_server(toy(), tls=tls)
    await server.start()
    address = f"127.0.0.1:{server.port}"
    if client == "without TLS":
        channel = aio.insecure_channel(address)
    else:
        shown = a_certificate("intruder", "peer") if client == "of another CA" else None
        channel = aio.secure_channel(address, credentials(shown), TARGET_NAME)
    async with channel:
        with pytest.raises(aio.AioRpcError) as caught:
            async with PeerDouble().connected(channel):
                pass
    await server.close()

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_missing_tls_file_is_named(tls: TlsFiles) -> None:
    """The server does not start without TLS by mistake."""
    tls.key.unlink()

    with pytest.raises(ServingError, match=r"server\.key"):
        await a_server(toy(), tls=tls).start()


async def test_a_certificate_tells_its_end(tls: TlsFiles) -> None:
    """The moment for the alert; a file that holds none is named before anything is served."""
    assert tls.expires_at_s() == END.timestamp()

    tls.certificate.write_bytes(b"no certificate")
    with pytest.raises(ServingError, match=r"server\.pem"):
        tls.expires_at_s()


async def test_a_taken_port_is_named() -> None:
    """A second server fails instead of sharing the peers at random."""
    first = a_server(toy())
    await first.start()
    address = f"127.0.0.1:{first.port}"
    options = ServerOptions(
        package_id=PACKAGE_ID, address=address, tls=None, limits=LIMITS, drain_s=1.0
    )
    second = ChaincodeServer(options, toy(), observe_streams=lambda _: None)

    with pytest.raises(ServingError, match=address):
        await second.start()
    assert second.problem is not None
    assert first.problem is None
    await first.close()
    assert first.problem is not None


async def test_draining_finishes_what_runs_and_begins_nothing() -> None:
    """The transaction in flight is answered; one that comes then sees the connection end."""
    go_on, began = Event(), Event()

    def execute(stub: Stub, _function: str, args: Sequence[str]) -> ExecutionResult:
        began.set()
        assert go_on.wait(30)
        return TOY.execute(stub, "keep", args)

    server = a_server(Execution(execute, CallerReader()))
    await server.start()
    channel = aio.insecure_channel(f"127.0.0.1:{server.port}")
    async with channel, PeerDouble().connected(channel) as peer:
        running = asyncio.create_task(peer.call("keep", "a"))
        assert await asyncio.to_thread(began.wait, 30)
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        late = asyncio.create_task(peer.call("keep", "b"))
        await asyncio.sleep(0.1)
        assert not closing.done()
        go_on.set()

        assert (await running).response.status == 200
        with pytest.raises(ConnectionError):
            await late
        await closing
        assert await peer.ended is None


async def test_an_idle_server_ends_at_once() -> None:
    """Connected peers without transactions hold nothing up."""
    server = a_server(toy(), drain_s=600.0)
    await server.start()
    channel = aio.insecure_channel(f"127.0.0.1:{server.port}")
    async with channel, PeerDouble().connected(channel) as peer:
        await peer.call("whoami")
        async with asyncio.timeout(30):
            await server.close()
            assert await peer.ended is None


async def test_what_does_not_end_is_cut_off() -> None:
    """A transaction that outlasts the drain's time does not keep the process."""
    server = a_server(toy(), drain_s=0.2)
    await server.start()
    channel = aio.insecure_channel(f"127.0.0.1:{server.port}")
    async with channel, PeerDouble().connected(channel) as peer:
        peer.tamper = lambda _request, _answer: []
        stuck = asyncio.create_task(peer.call("keep", "a"))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(30):
            await server.close()

        with pytest.raises(ConnectionError):
            await stuck

"""The ledger's process: who may reach it, how it ends, and what a full disk does to it."""

import asyncio
import resource
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gx.domain.identifiers import BlockNumber
from gx.ledger.errors import EndorseError, LedgerError, StreamError, SubmitError
from gx.ledger.local.client import LocalLedger
from gx.ledger.local.committer import Committed, Committer, StoreFailedError
from gx.ledger.local.content import BadEnvelopeError
from gx.ledger.local.opening import FolderLock, open_ledger
from gx.ledger.local.schema import StoreUnusableError
from gx.ledger.local.server import LedgerServer, ServeOptions
from gx.ledger.local.store import FlushPolicy
from gx.ledger.local.verify import verify_ledger
from gx.ledger.ports import ValidationCode
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import LedgerMetrics, build_ledger_metrics
from tests.ledger.calls import a_call, all_blocks, put, submitted, values_of
from tests.ledger.functions import make_execute
from tests.ledger.process import LedgerProcess
from tests.ledger.serve_for_tests import WallClock


async def test_nobody_else_may_connect_or_read(ledger_process: LedgerProcess) -> None:
    """Socket and file are for their owner alone, the folder too."""
    await put(ledger_process.client(), "k", "1")

    for path, mode in (
        (ledger_process.socket, 0o600),
        (ledger_process.file, 0o600),
        (ledger_process.folder, 0o700),
    ):
        assert stat.S_IMODE(path.stat().st_mode) == mode


async def test_one_server_a_folder(ledger_process: LedgerProcess, tmp_path: Path) -> None:
    """A second server on the same folder ends with a message; the first one goes on."""
    second = LedgerProcess(tmp_path)

    assert await second.try_start() == 3

    assert "already serves" in second.output[-1]
    await second.close()
    await put(ledger_process.client(), "k", "1")


async def test_a_path_that_no_socket_can_have_is_refused(tmp_path: Path) -> None:
    """The message names the limit and the folder, instead of `AF_UNIX path too long`."""
    process = LedgerProcess(tmp_path, socket=str(tmp_path / ("deep" * 40) / "s"))

    assert await process.try_start() == 3

    assert "107" in process.output[-1]
    await process.close()


async def test_a_foreign_file_in_the_sockets_place_is_left_alone(tmp_path: Path) -> None:
    """Only a socket that nobody listens on is replaced."""
    precious = tmp_path / "s"
    precious.write_text("precious")
    process = LedgerProcess(tmp_path, socket=str(precious))

    assert await process.try_start() == 3

    assert "no socket" in process.output[-1]
    assert precious.read_text() == "precious"
    await process.close()


async def test_a_stop_answers_what_was_asked(ledger_process: LedgerProcess) -> None:
    """SIGTERM: calls in flight are answered, streams end, the state is flushed, status is 0."""
    ledger = ledger_process.client()
    await put(ledger, "k", "1")
    slow = asyncio.create_task(ledger.evaluate(a_call("slow", "k", "0.7")))
    stream = ledger.blocks(BlockNumber(0))
    await anext(stream)
    await asyncio.sleep(0.2)

    status = await ledger_process.terminate()

    assert status == 0
    assert await slow == '["1"]'
    with pytest.raises(StreamError):
        await anext(stream)
    assert not ledger_process.socket.exists()
    await ledger_process.start()
    assert any("replayed_blocks=0" in line for line in ledger_process.output)
    assert await values_of(ledger, "k") == ["1"]


async def test_a_full_disk_fails_submissions_and_nothing_else(
    ledger_process: LedgerProcess,
) -> None:
    """While nothing can be written, reads go on; when there is room again, so do writes."""
    ledger = ledger_process.client()
    envelope = await put(ledger, "k", "1")
    waiting = await ledger.prepare(a_call("put", "k", "2"))
    large = await ledger.prepare(a_call("large", "500000"))
    log = ledger_process.file.with_name(ledger_process.file.name + "-wal")
    resource.prlimit(
        ledger_process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 1, resource.RLIM_INFINITY)
    )

    for _ in range(2):
        with pytest.raises(SubmitError) as caught:
            await ledger.submit(large)
        assert caught.value.code == "STORE_FAILED"
        assert caught.value.is_transient
    assert await values_of(ledger, "k") == ["1"]
    assert await ledger.verdict(large.transaction_id) is None
    assert await ledger.verdict(envelope.transaction_id) is not None

    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(ledger_process.pid, resource.RLIMIT_FSIZE, unlimited)
    assert await submitted(ledger, large) is ValidationCode.VALID
    assert await submitted(ledger, waiting) is ValidationCode.VALID
    assert verify_ledger(ledger_process.folder).difference is None


async def test_a_call_that_is_too_large_fails_for_good(ledger_process: LedgerProcess) -> None:
    """Neither request nor answer may exceed a frame; the connection survives both."""
    ledger = ledger_process.client()

    for proposal in (a_call("get", "k" * 70_000_000), a_call("large", "70000000")):
        with pytest.raises(EndorseError) as caught:
            await ledger.prepare(proposal)
        assert caught.value.code == "TOO_LARGE"
        assert not caught.value.is_transient
    await put(ledger, "k", "1")


async def test_a_follower_that_does_not_read_costs_no_memory(
    ledger_process: LedgerProcess,
) -> None:
    """The server waits for a slow consumer: its memory does not hold the blocks it has not sent."""
    ledger = ledger_process.client()
    stream = ledger.blocks(BlockNumber(0))
    await put(ledger, "k", "1")
    await anext(stream)
    before_kb = resident_kb(ledger_process.pid)
    for _ in range(60):
        await ledger.submit(await ledger.prepare(a_call("large", "1000000")))

    grown_kb = resident_kb(ledger_process.pid) - before_kb

    assert grown_kb < 50_000  # what was committed is 60 MB
    for number in range(1, 61):
        assert (await anext(stream)).number == number


def resident_kb(pid: int) -> int:
    """Read a process's resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


async def test_submissions_that_gather_share_a_sync(tmp_path: Path) -> None:
    """What queues while the disk is busy is committed as one group, a block for each."""
    groups: list[int] = []

    def observe(committed: Committed) -> None:
        groups.append(len(committed.recorded))

    ledger_process = LedgerProcess(tmp_path)
    await ledger_process.start()
    client = ledger_process.client()
    envelopes = [await client.prepare(a_call("put", f"k{n}", "1")) for n in range(40)]
    await ledger_process.kill()
    lock = FolderLock(ledger_process.folder)
    opened = open_ledger(ledger_process.folder, verify_blocks=8, policy=FlushPolicy())
    committer = Committer(opened.store, signing_key=opened.signing_key, observe=observe)
    verdicts = [committer.submit(envelope.content) for envelope in envelopes]
    forged = committer.submit(envelopes[0].content[:-1] + b"?")

    committer.start()
    recorded = await asyncio.gather(*verdicts)
    with pytest.raises(BadEnvelopeError):
        await forged
    await committer.close()

    assert [each.block and each.block.number for each in recorded] == list(range(40))
    assert len(groups) == 1
    opened.store.connection.close()
    lock.release()
    await ledger_process.close()


async def test_a_submission_that_cannot_be_stored_does_not_hurt_its_group(tmp_path: Path) -> None:
    """When a group fails, its members are tried alone."""
    ledger_process = LedgerProcess(tmp_path)
    await ledger_process.start()
    client = ledger_process.client()
    small = [await client.prepare(a_call("put", f"k{n}", "1")) for n in range(3)]
    large = await client.prepare(a_call("large", "9000000"))
    await ledger_process.kill()
    lock = FolderLock(ledger_process.folder)
    opened = open_ledger(ledger_process.folder, verify_blocks=8, policy=FlushPolicy())
    opened.store.connection.execute("PRAGMA max_page_count = 100")
    committer = Committer(
        opened.store, signing_key=opened.signing_key, observe=lambda _committed: None
    )
    verdicts = [committer.submit(each.content) for each in (*small[:2], large, small[2])]

    committer.start()
    *recorded, failure, last = await asyncio.gather(*verdicts, return_exceptions=True)
    assert isinstance(last, Exception) is False
    assert isinstance(failure, StoreFailedError)
    assert len(recorded) == 2
    assert committer.problem is None
    await committer.close()
    opened.store.connection.close()
    lock.release()
    await ledger_process.close()


async def test_an_unusable_file_is_named(tmp_path: Path) -> None:
    """A file that is no ledger is refused with its path, and left as it is."""
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all, but long enough" * 40)
    lock = FolderLock(tmp_path)

    with pytest.raises(StoreUnusableError) as caught:
        open_ledger(tmp_path, verify_blocks=8, policy=FlushPolicy())

    assert str(tmp_path) in str(caught.value)
    lock.release()


async def test_many_clients_at_once(ledger_process: LedgerProcess) -> None:
    """Clients that come, work and leave do not disturb each other."""

    async def work(number: int) -> None:
        client = ledger_process.client()
        for turn in range(5):
            await put(client, f"client-{number}", str(turn))
        await client.close()

    await asyncio.gather(*(work(number) for number in range(12)))

    ledger = ledger_process.client()
    assert len(await all_blocks(ledger)) == 60
    keys = [f"client-{number}" for number in range(12)]
    assert await values_of(ledger, *keys) == ["4"] * 12


async def test_a_client_that_vanishes_leaves_its_transaction_committed_or_not(
    ledger_process: LedgerProcess,
) -> None:
    """Hanging up right after submitting is no harm to the ledger."""
    ledger, other = ledger_process.client(), ledger_process.client()
    envelope = await ledger.prepare(a_call("put", "k", "1"))
    submitting = asyncio.create_task(ledger.submit(envelope))
    await asyncio.sleep(0)
    await ledger.close()

    with pytest.raises(LedgerError):
        await submitting

    await put(other, "k2", "1")
    assert await submitted(other, envelope) is ValidationCode.VALID


async def test_a_client_that_talks_nonsense_hurts_only_itself(
    ledger_process: LedgerProcess,
) -> None:
    """Junk, giant frames and half frames end their own connection; others go on."""
    ledger = ledger_process.client()
    await put(ledger, "k", "1")
    hello = b"\x00\x00\x00\x08\x92\xa5hello\x01"

    for nonsense in (
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x03abc",
        b"GET / HTTP/1.1\r\n\r\n",
        hello + b"\x00\x00\x00\x02\x90\x90",
        hello + b"\x00\x00\x10\x00half",
    ):
        reader, writer = await asyncio.open_unix_connection(str(ledger_process.socket))
        writer.write(nonsense)
        writer.write_eof()
        await reader.read()
        writer.close()

    assert await values_of(ledger, "k") == ["1"]


@pytest.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[tuple[LedgerServer, LedgerMetrics, Path]]:
    """A ledger served by the test's own process, its metrics and its socket."""
    metrics = build_ledger_metrics(MetricsRegistry(), functions=())
    with tempfile.TemporaryDirectory(prefix="gxl") as sockets:
        options = ServeOptions(folder=tmp_path, socket=Path(sockets) / "s")
        server = LedgerServer(options, execute=make_execute(), clock=WallClock(0), metrics=metrics)
        await server.start()
        yield server, metrics, options.socket
        await server.close()


async def test_what_happens_is_counted(
    own_server: tuple[LedgerServer, LedgerMetrics, Path],
) -> None:
    """Transactions by verdict as blocks hold them, requests by outcome, commits."""
    _, metrics, socket = own_server
    ledger = LocalLedger(socket)
    envelope = await put(ledger, "a", "1", "b", "2")
    stale = await ledger.prepare(a_call("add", "a", "1"))
    await put(ledger, "a", "2", "b", "")
    await submitted(ledger, stale)
    for _ in range(3):
        await ledger.submit(envelope)
    with pytest.raises(EndorseError):
        await ledger.prepare(a_call("refuse"))
    await ledger.close()

    codes = ("VALID", "MVCC_READ_CONFLICT", "DUPLICATE_TXID")
    assert [metrics.transactions(code).read() for code in codes] == [2, 1, 1]
    assert metrics.requests("submit", "success").read() == 6
    assert metrics.requests("prepare", "refused").read() == 1
    assert metrics.commit_duration_s.read().cumulative[-1] == 6
    assert (metrics.block_height.read(), metrics.state_keys.read()) == (4, 1)
    assert metrics.last_block_at_s.read() is not None


async def test_requests_are_counted_under_the_port_s_words(
    own_server: tuple[LedgerServer, LedgerMetrics, Path],
) -> None:
    """Each method of the port has its own count; not one request counts as something else."""
    _, metrics, socket = own_server
    ledger = LocalLedger(socket)
    before = {key for key, _ in metrics.requests.children()}
    envelope = await put(ledger, "a", "1")
    await ledger.verdict(envelope.transaction_id)
    await ledger.chain_info()
    await ledger.evaluate(a_call("get", "a"))
    stream = ledger.blocks(BlockNumber(0))
    await anext(stream)
    await ledger.close()

    counted = {key[0] for key, cell in metrics.requests.children() if cell.read()}
    assert counted == {"prepare", "submit", "verdict", "chain_info", "evaluate", "blocks"}
    assert {key for key, _ in metrics.requests.children()} == before


async def test_what_is_open_is_measured(
    own_server: tuple[LedgerServer, LedgerMetrics, Path],
) -> None:
    """Connections and streams while they last, and the size of the files."""
    server, metrics, socket = own_server
    ledger = LocalLedger(socket)
    await put(ledger, "a", "1")
    stream = ledger.blocks(BlockNumber(0))
    await anext(stream)

    assert (metrics.connections.read(), metrics.event_streams.read()) == (2, 1)
    store_bytes = metrics.store_bytes.read()
    assert store_bytes is not None
    assert store_bytes > 10_000
    await ledger.close()
    await server.close()
    assert (metrics.connections.read(), metrics.event_streams.read()) == (0, 0)


async def test_a_server_that_is_not_serving_has_a_problem(
    own_server: tuple[LedgerServer, LedgerMetrics, Path],
) -> None:
    """Readiness is the server's word, before, while and after it serves."""
    server, _, _ = own_server
    problems = [server.problem]
    await server.close()
    problems.append(server.problem)

    assert problems == [None, "the ledger is not being served"]

"""Who follows the guides to Fabric sees what they print, on a real network; nothing is lost by it.

Each line with a prompt is typed. Before some of them a submitter dies with a command whose signed
envelope it has stored; after the last line its successor must bring that very envelope to its end.
"""

import asyncio
import datetime as dt
import json
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import msgspec
import pytest

from gx.domain.identifiers import CommandId
from gx.domain.roles import LedgerRole
from gx.fabric.package import build_package
from gx.ledger.errors import LedgerError
from gx.ledger.fabric.client import FabricLedger
from gx.ledger.fabric.failures import Cause
from gx.ledger.fabric.identities import load_signer
from gx.ledger.fabric.profile import ConnectionProfile
from gx.ledger.ports import Ledger, event_transactions
from gx.runtime.clock import SystemClock
from tests.conformance.ledger_under_test import balance, blocks_up_to
from tests.conformance.outbox.worlds import OutboxWorld, memory_world
from tests.end_to_end.tour import read_steps
from tests.fabric.guide import UP, GuideNetwork, assert_prints, guide_network
from tests.fabric.issuing import authority_of, identity_in, issue
from tests.fabric.programs import require_programs
from tests.ledger.fabric.crashing import PATIENT, finish
from tests.ledger.fabric.outcomes import assert_each_once, bootstrap
from tests.outbox.processes import SubmitterProcess
from tests.outbox.scenes import a_mint, accept
from tests.ports import free_port

ROOT: Final = Path(__file__).parents[2]
HOW_TO: Final = ROOT / "docs" / "how-to"
RUN: Final = HOW_TO / "run-a-fabric-network.md"
CONNECT: Final = HOW_TO / "connect-a-fabric-network.md"
BACK_UP: Final = HOW_TO / "back-up-a-fabric-network.md"
AUTHORITY: Final = "peerOrganizations/org1.gx.local"
MANY: Final = 6
OUTLIVED_S: Final = 20.0
WITHIN_S: Final = 120.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("native-network"),
]


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuideNetwork]:
    """A folder with a network that was just bootstrapped, by the guide to running one."""
    with guide_network(tmp_path_factory.mktemp("guides"), require_programs()) as reader:
        for step in read_steps(RUN):
            assert_prints(reader, step)
        yield reader


@asynccontextmanager
async def connected(
    guide: GuideNetwork, profile: ConnectionProfile | None = None
) -> AsyncIterator[FabricLedger]:
    """Have a client of the network while it runs as it does now."""
    ledger = FabricLedger(profile or guide.network.profile, clock=SystemClock())
    try:
        yield ledger
    finally:
        await ledger.close()


async def die_with_an_envelope(ledger: Ledger, world: OutboxWorld, name: str) -> list[CommandId]:
    """Have a submitter store a signed envelope, and die before it is submitted."""
    ids = await accept(world, a_mint(name))
    dying = SubmitterProcess(world, ledger, stops_at="after persist", options=PATIENT)
    await asyncio.wait_for(dying.life.stopped.wait(), WITHIN_S)
    await dying.kill()
    assert len(await world.store.live_envelopes()) == 1
    return ids


def test_the_guide_to_running_a_network(guide: GuideNetwork) -> None:
    """The fixture has typed it all; what a status says of the network is that it runs."""
    assert len(list(read_steps(RUN))) >= 4
    assert '"state": "ready"' in guide.type("gx fabric status --json")


async def test_renewing_every_certificate_strands_no_envelope(guide: GuideNetwork) -> None:
    """Client, peer and orderer: what the old certificate signed takes effect once, as it is."""
    guide.start()
    guide.save_files_of(CONNECT)
    world, name = memory_world(SystemClock()), f"renewed-{secrets.token_hex(4)}"
    async with connected(guide) as ledger:
        first = (await ledger.chain_info()).height
        ids = await die_with_an_envelope(ledger, world, name)
        (before,) = await world.store.live_envelopes()
    old = load_signer(guide.network.profile.identities[LedgerRole.SUPER_ADMIN])

    for step in read_steps(CONNECT):
        await asyncio.to_thread(assert_prints, guide, step)

    new = load_signer(guide.network.profile.identities[LedgerRole.SUPER_ADMIN])
    assert new.creator != old.creator
    async with connected(guide) as ledger:
        await finish(lambda: ledger, world, ids)
        verdict = await ledger.verdict(before.envelope.transaction_id)
        assert verdict is not None
        assert verdict.validation_code == "VALID"
        await assert_each_once(ledger, first, ids)


async def test_an_envelope_that_outlived_its_certificate_is_made_anew(
    guide: GuideNetwork, tmp_path: Path
) -> None:
    """No orderer will ever take it; the renewed identity signs another, which counts once."""
    guide.start()
    authority = authority_of(guide.folder / "var" / "fabric", AUTHORITY)
    files = identity_in(tmp_path / "short", "Org1MSP")
    ends_s = SystemClock().now_ms() / 1_000 + OUTLIVED_S
    ends = dt.datetime.fromtimestamp(ends_s, dt.UTC)
    issue(authority, files, role=LedgerRole.SUPER_ADMIN, ends=ends)
    profile = msgspec.structs.replace(
        guide.network.profile, identities={LedgerRole.SUPER_ADMIN: files}
    )
    world, name = memory_world(SystemClock()), f"outlived-{secrets.token_hex(4)}"

    async with connected(guide, profile) as ledger:
        first = (await ledger.chain_info()).height
        ids = await die_with_an_envelope(ledger, world, name)
        (before,) = await world.store.live_envelopes()
        await asyncio.sleep(ends_s + 2 - SystemClock().now_ms() / 1_000)
        with pytest.raises(LedgerError) as caught:
            await ledger.submit(before.envelope)
        assert caught.value.code == Cause.CERTIFICATE_EXPIRED

        issue(authority, files, role=LedgerRole.SUPER_ADMIN)
        await finish(lambda: ledger, world, ids)
        assert await ledger.verdict(before.envelope.transaction_id) is None
        await assert_each_once(ledger, first, ids)


async def test_a_restored_network_has_every_block_and_takes_what_waited(
    guide: GuideNetwork,
) -> None:
    """Stopped, copied, wiped, restored: the same height and hash, balances, and one effect."""
    guide.start()
    world, name = memory_world(SystemClock()), f"restored-{secrets.token_hex(4)}"
    async with connected(guide) as ledger:
        done = await accept(world, a_mint(f"{name}-before"))
        await finish(lambda: ledger, world, done)
        first = (await ledger.chain_info()).height
        ids = await die_with_an_envelope(ledger, world, name)

    printed: dict[str, str] = {}
    for step in read_steps(BACK_UP):
        text = await asyncio.to_thread(assert_prints, guide, step)
        assert printed.setdefault(step.command, text) == text or step.command == UP

    async with connected(guide) as ledger:
        assert (await ledger.chain_info()).height == first
        assert await balance(ledger, f"{name}-before") == 5
        await finish(lambda: ledger, world, ids)
        await assert_each_once(ledger, first, ids)


@contextmanager
def served_without_batches(guide: GuideNetwork) -> Iterator[str]:
    """Have a chaincode of somebody else deployed and served; return its name."""
    fabric = guide.folder / "var" / "fabric"
    package = build_package(version="1.0.0", address=f"127.0.0.1:{free_port()}")
    path = package.write(guide.folder)
    known = json.loads((fabric / "administration.json").read_text())
    (fabric / "theirs.json").write_text(json.dumps(known | {"chaincode": "theirs"}))
    command = (sys.executable, "-m", "tests.fabric.plain_chaincode")
    server = subprocess.Popen((*command, package.address, package.package_id), cwd=ROOT)
    try:
        options = f"--administration var/fabric/theirs.json --package {path} --sequence 1 --apply"
        assert "sequence 1: done" in guide.type(f"gx chaincode upgrade {options}")
        yield "theirs"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=WITHIN_S)


async def test_a_chaincode_without_batches_gets_a_transaction_for_each_command(
    guide: GuideNetwork,
) -> None:
    """It says so at the first batch, in the words of Go's contracts; no command is lost by it."""
    guide.start()
    world, name = memory_world(SystemClock()), f"single-{secrets.token_hex(4)}"
    with served_without_batches(guide) as chaincode:
        profile = msgspec.structs.replace(guide.network.profile, chaincode=chaincode)
        async with connected(guide, profile) as ledger:
            first = await bootstrap(ledger)
            ids = await accept(world, *(a_mint(f"{name}-{each}") for each in range(MANY)))
            await finish(lambda: ledger, world, ids)
            last = (await ledger.chain_info()).height - 1
            blocks = await blocks_up_to(ledger, first, last)
            events = [each.event for block in blocks for each in event_transactions(block)]

            assert [each.name for each in events if each] == ["CoinsMinted"] * MANY
            for each in range(MANY):
                assert await balance(ledger, f"{name}-{each}") == 5

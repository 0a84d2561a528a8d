"""What Fabric's own nodes answer when something is wrong, and what the client makes of it.

The words in `test_failures` are theirs; here they say them, as far as a test can bring them to.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from gx.ledger.errors import EndorseError, LedgerError, SubmitError
from gx.ledger.fabric.client import FabricLedger, FabricOptions
from gx.ledger.fabric.failures import Cause
from gx.ledger.fabric.peers import Deadlines
from gx.ledger.fabric.profile import ConnectionProfile, IdentityFiles
from gx.ledger.ports import Proposal
from gx.runtime.clock import SystemClock
from tests.conformance.ledger_under_test import (
    blocks_up_to,
    commit,
    mint,
    new_account,
    settled,
)
from tests.conformance.outbox.worlds import memory_world
from tests.fabric.native import NativeNetwork, native_network
from tests.fabric.programs import require_programs
from tests.ledger.fabric.certificates import Authority, write_pair
from tests.ledger.fabric.crashing import PATIENT, die_at_every_point, die_in_the_midst, finish
from tests.ledger.fabric.outcomes import assert_each_once
from tests.outbox.processes import SubmitterProcess
from tests.outbox.scenes import a_mint, accept, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("native-network"),
]

STATUS = Proposal(
    function="AdminContract:GetSystemStatus", arguments=(), role=LedgerRole.PARTNER_API
)
IMPATIENT = FabricOptions(
    deadlines=Deadlines(evaluate_s=5.0, endorse_s=20.0, submit_s=10.0, query_s=5.0)
)
Change = Callable[[ConnectionProfile, Path], ConnectionProfile]


class LateClock:
    """A clock that goes an hour ahead."""

    def now_ms(self) -> int:
        """Return the wrong time."""
        return SystemClock().now_ms() + 3_600_000


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeNetwork]:
    """One network for all the tests."""
    folder: Path = tmp_path_factory.mktemp("failures")
    with native_network(folder, require_programs()) as running:
        yield running


@pytest.fixture
async def network(native: NativeNetwork) -> AsyncIterator[NativeNetwork]:
    """The network, bootstrapped; this test's clients are closed after it."""
    proposal = Proposal(
        function="AdminContract:BootstrapSystem", arguments=(), role=LedgerRole.SUPER_ADMIN
    )
    try:
        await commit(native.client(), proposal)
    except EndorseError as error:
        if error.refusal is None or error.refusal.code is not RefusalCode.ALREADY_BOOTSTRAPPED:
            raise
    yield native
    await native.close_clients()


def as_a_stranger(profile: ConnectionProfile, folder: Path) -> ConnectionProfile:
    """Sign with a certificate of an authority that the channel does not know."""
    pair = Authority("ca.elsewhere").identity("stranger", LedgerRole.PARTNER_API)
    certificate, key = write_pair(folder, "stranger", pair)
    files = IdentityFiles(msp_id="Org1MSP", certificate=certificate, key=key)
    return msgspec.structs.replace(profile, identities={LedgerRole.PARTNER_API: files})


def with_wrong_roots(profile: ConnectionProfile, folder: Path) -> ConnectionProfile:
    """Trust another authority than the one that signed the peers' certificates."""
    roots = folder / "roots.pem"
    roots.write_bytes(Authority("ca.elsewhere").pem)
    peers = tuple(msgspec.structs.replace(peer, tls_ca=roots) for peer in profile.peers)
    return msgspec.structs.replace(profile, peers=peers)


def on_another_channel(profile: ConnectionProfile, _folder: Path) -> ConnectionProfile:
    """Name a channel that there is not."""
    return msgspec.structs.replace(profile, channel="nosuchchannel")


def on_another_chaincode(profile: ConnectionProfile, _folder: Path) -> ConnectionProfile:
    """Name a chaincode that there is not."""
    return msgspec.structs.replace(profile, chaincode="nosuch")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (as_a_stranger, Cause.ACCESS_DENIED),
        (with_wrong_roots, Cause.TLS_FAILED),
        (on_another_channel, Cause.CHANNEL_UNKNOWN),
        (on_another_chaincode, Cause.CHAINCODE_UNKNOWN),
    ],
)
async def test_a_wrong_profile_is_told_and_not_waited_for(
    network: NativeNetwork, tmp_path: Path, change: Change, cause: Cause
) -> None:
    """No command is to blame for it, and no time mends it."""
    profile = change(network.profile, tmp_path)
    ledger = FabricLedger(profile, clock=SystemClock(), options=IMPATIENT)

    with pytest.raises(LedgerError) as caught:
        await ledger.evaluate(STATUS)
    await ledger.close()

    assert (caught.value.code, caught.value.is_transient) == (cause, False)


async def test_a_clock_that_is_wrong_is_told(network: NativeNetwork) -> None:
    """Peers send no block to whom is more than a quarter of an hour away from their time.

    Releases from 3.1 on take no proposal either; those words of theirs are in `test_failures`.
    """
    ledger = FabricLedger(network.profile, clock=LateClock(), options=IMPATIENT)

    with pytest.raises(LedgerError) as caught:
        await blocks_up_to(ledger, 0, 0)
    await ledger.close()

    assert (caught.value.code, caught.value.is_transient) == (Cause.CLOCK_WRONG, False)


async def test_what_a_frozen_orderer_was_given_is_ordered_later(network: NativeNetwork) -> None:
    """The answer says that it failed; so only the same bytes may be submitted again."""
    ledger, account = network.client(IMPATIENT), new_account()
    envelope = await ledger.prepare(mint(account))

    async with frozen(network, "orderer"):
        with pytest.raises(SubmitError) as caught:
            await ledger.submit(envelope)
    await ledger.submit(envelope)

    assert caught.value.is_transient
    assert (await settled(ledger, envelope.transaction_id)).validation_code == "VALID"


async def test_a_frozen_gateway_peer_is_passed_by(network: NativeNetwork) -> None:
    """The other organisation's peer answers reads in its place."""
    ledger = network.client(IMPATIENT)
    await ledger.evaluate(STATUS)

    async with frozen(network, "peer-org1"):
        assert await ledger.evaluate(STATUS)
        assert (await ledger.chain_info()).height > 0


async def test_without_the_other_organisation_nothing_is_endorsed(network: NativeNetwork) -> None:
    """Both must sign: the call fails in a way that is tried again, and works again by itself."""
    ledger = network.client(IMPATIENT)

    async with frozen(network, "peer-org2"):
        with pytest.raises(LedgerError) as caught:
            await ledger.prepare(mint(new_account()))
    assert caught.value.is_transient

    async with asyncio.timeout(120):
        while not await endorses(ledger):  # noqa: ASYNC110 (a network has no event to wait for)
            await asyncio.sleep(0.2)


async def test_a_submitter_that_dies_anywhere_leaves_one_effect(network: NativeNetwork) -> None:
    """At each point of its work, on a real network."""
    ledger, world = network.client(), memory_world(SystemClock())
    first = (await ledger.chain_info()).height

    ids = await die_at_every_point(network.client, world, name=new_account())

    await assert_each_once(ledger, first, ids)
    assert await world.store.live_envelopes() == []


@pytest.mark.parametrize(
    ("point", "silent"), [("before prepare", "peer-org2"), ("before submit", "orderer")]
)
async def test_a_submitter_that_dies_in_the_midst_of_a_call_leaves_one_effect(
    network: NativeNetwork, point: str, silent: str
) -> None:
    """While peers endorse, and while an orderer takes it and cannot say so."""
    ledger, world = network.client(), memory_world(SystemClock())
    first = (await ledger.chain_info()).height

    ids = await die_in_the_midst(network.client, world, point, frozen(network, silent))

    await assert_each_once(ledger, first, ids)
    assert await world.store.live_envelopes() == []


async def test_a_submitter_that_wakes_up_late_submits_nothing_anew(network: NativeNetwork) -> None:
    """Two have taken the same command: what the first still sends are the bytes of the second."""
    ledger, world = network.client(), memory_world(SystemClock())
    first = (await ledger.chain_info()).height
    ids = await accept(world, a_mint(new_account()))
    sleeper = SubmitterProcess(world, network.client(), stops_at="before submit", options=PATIENT)
    await asyncio.wait_for(sleeper.life.stopped.wait(), 60)

    await finish(network.client, world, ids)
    sleeper.life.go_on()
    await sleeper.finish()

    await commit(ledger, mint(new_account()))  # after whatever the sleeper has sent
    await assert_each_once(ledger, first, ids)


async def test_what_was_endorsed_before_an_upgrade_is_endorsed_anew(network: NativeNetwork) -> None:
    """The upgrade invalidates it; its commands take effect in another transaction, once."""
    ledger, world = network.client(), memory_world(SystemClock())
    first = (await ledger.chain_info()).height
    ids = await accept(world, a_mint(new_account()))
    dying = SubmitterProcess(world, network.client(), stops_at="after persist", options=PATIENT)
    await asyncio.wait_for(dying.life.stopped.wait(), 60)
    await dying.kill()

    await asyncio.to_thread(network.commit_next_definition)
    successor = SubmitterProcess(world, network.client(), holder="next", options=PATIENT)
    await wait_for(world, ids, timeout_s=120)
    await successor.finish()

    await assert_each_once(ledger, first, ids)
    assert successor.metrics.reendorsements("MVCC_READ_CONFLICT").read() == 1


async def endorses(ledger: FabricLedger) -> bool:
    """Tell whether the network endorses."""
    try:
        await ledger.prepare(mint(new_account()))
    except LedgerError:
        return False
    return True


@asynccontextmanager
async def frozen(network: NativeNetwork, name: str) -> AsyncIterator[None]:
    """Freeze one of the network's processes for a while."""
    path = network.folder / "fabric" / "run" / "stack.json"
    items = json.loads(await asyncio.to_thread(path.read_text))["items"]
    (pid,) = (item["pid"] for item in items if item["name"] == name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)

"""The network as items of a stack: order, deployment, upgrades, restart.

One network lives its life once, and the tests look at what was seen on the way.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import psutil
import pytest

from gx import __version__
from gx.domain.roles import LedgerRole
from gx.fabric.checks import Check, Grade
from gx.fabric.files import OtherNetworkError
from gx.fabric.lifecycle import Committed, DeploymentPlan, plan_deployment
from gx.fabric.package import build_package
from gx.fabric.slots import slots_in
from gx.ledger.fabric.profile import ConnectionProfile, load_profile
from gx.runtime.fabric_network import CHAINCODE, CHANNEL, NetworkStack
from gx.runtime.fabric_preflight import preflight
from gx.runtime.fabric_slot import PACKAGE_VARIABLE
from gx.runtime.process import ItemState
from tests.fabric.networks import free_ports, network_in
from tests.fabric.programs import path_with, require_programs
from tests.fabric.running import native_stack, running_network, upgrade

PATIENCE_S: Final = 300.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("network-life"),
]


@dataclass(frozen=True)
class Seen:
    """What a look at the running network shows."""

    committed: Committed | None
    slots: list[str | None]
    packages: list[str | None]
    pids: list[int]
    targets: str


@dataclass
class Life:
    """What was seen of one network from its first start to the end of its second."""

    stack: NetworkStack
    done: list[str] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    plans: dict[str, DeploymentPlan] = field(default_factory=dict)
    keys: list[list[bytes]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def profile(self) -> ConnectionProfile:
        """Read the connection profile."""
        return load_profile(self.stack.network.connection_profile)

    def look(self) -> Seen:
        """Look at the network."""
        state = self.stack.folder.read()
        pids = {item.name: item.pid for item in state.items if item.pid} if state else {}
        slots = slots_in(self.stack.network.slots_path)
        return Seen(
            committed=self.stack.lifecycle().committed(),
            slots=[None if slot.served is None else slot.served.version for slot in slots],
            packages=[_package_of(pids.get(f"chaincode-{letter}")) for letter in "ab"],
            pids=list(pids.values()),
            targets=self.stack.network.chaincode_targets.read_text(),
        )

    async def note(self, when: str) -> None:
        """Remember what is seen now, and let the supervisor go on meanwhile."""
        self.seen[when] = await asyncio.to_thread(self.look)

    def package_in(self, letter: str) -> str | None:
        """Return the package that a slot's process serves."""
        state = self.stack.folder.read()
        pids = {item.name: item.pid for item in state.items} if state else {}
        return _package_of(pids.get(f"chaincode-{letter}"))

    def note_keys(self) -> None:
        """Remember the identities' keys."""
        self.keys.append([each.key.read_bytes() for each in self.profile().identities.values()])


def _package_of(pid: int | None) -> str | None:
    try:
        return None if pid is None else psutil.Process(pid).environ().get(PACKAGE_VARIABLE)
    except psutil.NoSuchProcess:
        return None


async def until(condition: Callable[[], bool]) -> None:
    """Poll until it holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 (another process makes it true)
            await asyncio.sleep(0.1)


async def live(life: Life) -> None:
    """Start, upgrade twice, upgrade to what is there, stop, start again, stop."""
    stack = life.stack
    async with running_network(stack) as observer:
        life.done = observer.order_of(ItemState.DONE)
        await life.note("started")
        address = f"127.0.0.1:{stack.network.slots[0].service}"
        package = build_package(version=__version__, address=address)
        life.plans["at once"] = await asyncio.to_thread(plan_deployment, stack.lifecycle(), package)
        life.checks = list(await preflight(stack.network.connection_profile, None))
        life.plans["upgrade"] = await asyncio.to_thread(upgrade, stack, "2")
        await life.note("upgraded")
        await until(lambda: life.package_in("a") is None)
        life.plans["again"] = await asyncio.to_thread(upgrade, stack, "2")
        await asyncio.to_thread(upgrade, stack, "3")
        await life.note("third")
        life.note_keys()
    life.left = [pid for pid in life.seen["third"].pids if psutil.pid_exists(pid)]
    async with running_network(stack):
        await life.note("restarted")
        life.note_keys()


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """A network that has lived."""
    folder = tmp_path_factory.mktemp("life")
    network = network_in(folder / "var" / "fabric", free_ports())
    binaries = require_programs()
    life = Life(native_stack(network, binaries))
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(max_workers=1) as executor:
        patch.setenv("PATH", path_with(binaries))
        patch.setenv("GX_DATA_DIR", str(folder / "var"))
        executor.submit(asyncio.run, live(life)).result()
    return life


def test_a_start_from_nothing_deploys_this_project(life: Life) -> None:
    """Nodes, then the channel, then the chaincode: committed, and served by its own server."""
    seen = life.seen["started"]

    assert life.done == [CHANNEL, CHAINCODE]
    assert seen.committed is not None
    assert (seen.committed.version, seen.committed.sequence) == (__version__, 1)
    assert seen.packages[0] is not None
    assert seen.packages[0].startswith(f"gxtv3_{__version__}:")
    assert life.plans["at once"].is_done


def test_an_upgrade_rolls_the_server(life: Life) -> None:
    """The new version's server is another process; the old one ends after the commit."""
    seen = life.seen["upgraded"]

    assert seen.committed is not None
    assert (seen.committed.version, seen.committed.sequence) == ("2", 2)
    assert seen.slots == [None, "2"]
    assert seen.packages[1] is not None
    assert seen.packages[1].startswith("gxtv3_2:")


def test_a_second_upgrade_to_the_same_version_does_nothing(life: Life) -> None:
    """What is in force is not deployed again."""
    assert not life.plans["upgrade"].is_done
    assert life.plans["again"].is_done


def test_versions_take_turns_in_the_slots(life: Life) -> None:
    """The slot that the version before left is where the next one goes."""
    seen = life.seen["third"]

    assert seen.slots == ["3", None]
    assert seen.packages[0] is not None
    assert seen.packages[0].startswith("gxtv3_3:")


def test_prometheus_is_told_where_the_server_went(life: Life) -> None:
    """A target that was left behind would be an outage to every alert."""
    ports = [str(slot.metrics) for slot in life.stack.network.slots]
    told = [
        [port in life.seen[when].targets for port in ports]
        for when in ("started", "upgraded", "third")
    ]

    assert told == [[True, False], [False, True], [True, False]]


def test_nothing_is_left_running(life: Life) -> None:
    """Down is down."""
    assert len(life.seen["third"].pids) == 5
    assert life.left == []


def test_a_second_start_finds_everything(life: Life) -> None:
    """Keys, channel and the version in force are those of the first start."""
    seen = life.seen["restarted"]

    assert seen.committed == life.seen["third"].committed
    assert seen.packages[0] == life.seen["third"].packages[0]
    assert life.keys[0] == life.keys[1]


def test_the_profile_names_files_that_are_there(life: Life) -> None:
    """A client needs nothing but the profile."""
    profile = life.profile()
    paths = [node.tls_ca for node in (*profile.peers, *profile.orderers)]
    paths += [path for each in profile.identities.values() for path in (each.certificate, each.key)]

    assert len(profile.identities) == 3
    assert all(path.is_file() for path in paths)


def test_preflight_finds_nothing_wrong(life: Life) -> None:
    """Nodes, identities, channel, endorsement, sequence and policy: all looked at, all good."""
    bad = [check for check in life.checks if check.grade is not Grade.GOOD]
    subjects = {check.subject for check in life.checks}

    assert not bad
    assert {"channel gxchannel", "chaincode", "endorsement policy"} <= subjects
    assert {f"endorsement as {role}" for role in LedgerRole} <= subjects


def test_what_the_channel_keeps_cannot_be_changed_by_a_setting(life: Life) -> None:
    """Other ports would make a network that waits for itself without a word."""
    other = network_in(life.stack.network.folder, free_ports())

    with pytest.raises(OtherNetworkError, match="gx fabric down --wipe"):
        native_stack(other, life.stack.binaries).items()

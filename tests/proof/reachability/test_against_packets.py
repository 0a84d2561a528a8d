"""The same clusters, judged here and by packets: TCP between network namespaces with nftables."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gx.proof.laboratory.cluster import Attempt, Laboratory
from gx.proof.laboratory.filters import Refusal
from gx.proof.laboratory.namespaces import PREFIX, Network, remove_leftovers
from gx.proof.laboratory.tools import NetworkTools
from gx.proof.reachability.inventory import Inventory, take_stock
from gx.proof.reachability.policies import Connection, Direction, End, Outside, is_open
from tests.proof.reachability.random_clusters import PORTS, Document, random_cluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("packets")]

# `make proof` sends packets through more of them.
SETS: Final = int(os.environ.get("GX_PROOF_PACKET_SETS", "3"))  # noqa: TID251 (tests have no settings module)
OUTSIDE: Final = {each: each for each in ("8.8.8.8", "10.0.0.1", "10.1.0.1", "192.0.2.200")}
PROBED: Final = sorted({port + step for port in PORTS for step in (0, 5, 26)})


def _cluster(seed: int) -> list[Document]:
    """Make a cluster whose blocks leave out the laboratory's own addresses.

    A network plugin sees pods by address, so that a block of everybody has them in it, too.
    """

    def narrowed(value: object) -> object:
        match value:
            case dict():
                return {key: narrowed(each) for key, each in value.items()}
            case list():
                return [narrowed(each) for each in value]
            case "0.0.0.0/0":
                return "8.0.0.0/5"
            case _:
                return value

    found = narrowed(random_cluster(seed))
    assert isinstance(found, list)
    return found


def _connections(inventory: Inventory) -> Iterator[Connection]:
    outside = [Outside(each, (f"{each}/32",)) for each in OUTSIDE]
    ends: list[End] = [*inventory.pods, *outside]
    for source in ends:
        for target in ends:
            if source != target and not (
                isinstance(source, Outside) and isinstance(target, Outside)
            ):
                yield from (Connection(source, target, port) for port in PROBED)


@pytest.mark.parametrize("seed", range(SETS))
def test_packets_pass_where_we_say_so_and_nowhere_else(
    seed: int, network_tools: NetworkTools
) -> None:
    """Every pod and host connects to every other, on every port that a rule could mean."""
    inventory = take_stock(_cluster(seed))
    connections = {
        Attempt(str(each.source), str(each.target), each.port): each
        for each in _connections(inventory)
    }
    expected = {
        attempt
        for attempt, each in connections.items()
        if all(is_open(inventory, each, direction) for direction in Direction)
    }

    with Laboratory(network_tools, inventory, OUTSIDE) as laboratory:
        for member in [*map(str, inventory.pods), *OUTSIDE]:
            laboratory.listen(member, PROBED)
        everything = laboratory.connect(connections)
        laboratory.enforce(inventory, Refusal.REJECT)
        passed = laboratory.connect(connections)

    sys.stdout.write(f"{len(passed)} of {len(connections)} connections passed\n")
    assert everything == set(connections), "without policies, something is closed already"
    assert passed == expected


def test_a_drop_leaves_the_caller_waiting_and_a_reject_does_not(
    network_tools: NetworkTools,
) -> None:
    """Both are closed; how they look to the caller is what tells network plugins apart."""
    deny: Document = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "default-deny", "namespace": "south"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    pods = [each for each in random_cluster(0) if each["kind"] != "NetworkPolicy"]
    inventory = take_stock([*pods, deny])
    attempt = Attempt("north/pod-0", "south/pod-0", 80)

    with Laboratory(network_tools, inventory) as laboratory:
        laboratory.listen("south/pod-0", [80])
        seen = {}
        for refusal in Refusal:
            laboratory.enforce(inventory, refusal)
            assert laboratory.connect([attempt], timeout_s=1) == set()
            seen[refusal] = laboratory.inside(
                "north/pod-0", lambda: _error(laboratory.address("south/pod-0"))
            )

    assert seen == {Refusal.DROP: "TimeoutError", Refusal.REJECT: "ConnectionRefusedError"}


def _error(address: str) -> str:
    try:
        socket.create_connection((address, 80), timeout=1)
    except OSError as error:
        return type(error).__name__
    return "connected"


def test_nothing_is_left_when_the_block_ends_or_fails(network_tools: NetworkTools) -> None:
    """A namespace that stays behind stays until the machine restarts."""
    mine = f"{PREFIX}-{os.getpid()}-*"
    started = []

    def fail_inside() -> None:
        with Network(network_tools, {"one": "198.18.0.1"}) as network:
            started.append(network.start("one", ["sleep", "600"]))
            assert len(list(Path("/run/netns").glob(mine))) == 2
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail_inside()

    assert list(Path("/run/netns").glob(mine)) == []
    assert started[0].poll() is not None


def test_what_a_killed_run_left_goes_when_the_next_one_starts(
    network_tools: NetworkTools,
) -> None:
    """Whoever made it is gone; what a living run has made stays."""
    with subprocess.Popen(["sleep", "0"]) as gone:
        gone.wait()
    left = f"{PREFIX}-{gone.pid}-dead-0"
    subprocess.run([network_tools.ip.path, "netns", "add", left], check=True)

    with Network(network_tools, {"one": "198.18.0.1"}):
        remove_leftovers(network_tools)
        assert list(Path("/run/netns").glob(f"{PREFIX}-{os.getpid()}-*"))
        assert not Path("/run/netns", left).exists()

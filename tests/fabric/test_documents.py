"""The configuration files: what each must say, or the network does not work as it should.

That Fabric takes the files as a whole is shown by `test_native_network.py`, on real nodes.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gx.fabric.channel_documents import channel_config, crypto_config
from gx.fabric.network import Network
from gx.fabric.node_documents import builder_scripts, orderer_config, peer_config
from tests.fabric.networks import network_in


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """List a document's values by their dotted paths."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from leaves(child, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for number, child in enumerate(value):
            yield from leaves(child, f"{path}.{number}")
    else:
        yield path, value


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """A network that is not started."""
    return network_in(tmp_path)


def peer(network: Network, number: int = 0) -> dict[str, object]:
    """A peer's core.yaml by dotted paths."""
    return dict(leaves(peer_config(network, network.organisations[number])))


def test_everything_listens_on_loopback_alone(network: Network) -> None:
    """A development network is nobody else's business."""
    values = dict(leaves(orderer_config(network))) | peer(network)
    listening = {path: value for path, value in values.items() if "isten" in path}

    assert listening
    assert all(
        str(value).startswith("127.0.0.1") or isinstance(value, int) for value in listening.values()
    )


def test_no_two_nodes_share_a_port_or_a_folder(network: Network) -> None:
    """Each node is its own."""
    values = [dict(leaves(orderer_config(network))), peer(network, 0), peer(network, 1)]
    own = [
        [
            str(value)
            for path, value in node.items()
            if path.endswith(("istenAddress", "fileSystemPath", "Location"))
            and value != "127.0.0.1"
        ]
        for node in values
    ]
    flat = [value for node in own for value in node]

    assert len(flat) == len(set(flat))


def test_organisations_find_each_other_at_once(network: Network) -> None:
    """With Fabric's own intervals nobody can gather both endorsements for half a minute."""
    values = peer(network)

    assert values["peer.gossip.externalEndpoint"] == network.organisations[0].endpoint
    assert values["peer.gossip.reconnectInterval"] == "500ms"
    assert values["peer.gossip.publishStateInfoInterval"] == "500ms"
    anchors = [value for path, value in leaves(channel_config(network)) if "AnchorPeers" in path]
    assert network.organisations[1].ports.service in anchors


def test_links_that_ping_are_not_cut(network: Network) -> None:
    """Gateways ping every ten seconds; nodes must not take that for an attack."""
    assert peer(network)["peer.keepalive.minInterval"] == "5s"
    orderer = dict(leaves(orderer_config(network)))
    assert orderer["General.Keepalive.ServerMinInterval"] == "5s"


def test_peers_look_for_no_docker(network: Network) -> None:
    """An endpoint of Docker makes a peer without Docker unhealthy."""
    assert peer(network)["vm.endpoint"] == ""


def test_batches_travel_in_one_message(network: Network) -> None:
    """A batch of a thousand commands touches more than a thousand keys."""
    values = peer(network)

    assert values["chaincode.runtimeParams.useWriteBatch"] is True
    assert values["chaincode.runtimeParams.maxSizeGetMultipleKeys"] == 10_000


def test_both_organisations_must_endorse(network: Network) -> None:
    """A majority of two is both."""
    values = dict(leaves(channel_config(network)))

    assert values["Profiles.Gx.Application.Policies.Endorsement.Rule"] == "MAJORITY Endorsement"
    assert values["Profiles.Gx.Capabilities.V3_0"] is True
    assert not [path for path in values if path.endswith("Orderer.Addresses.0")]


def test_roles_stand_in_the_certificates(network: Network) -> None:
    """Without node units a client could pass for a peer."""
    units = [value for path, value in leaves(crypto_config(network)) if "EnableNodeOUs" in path]

    assert units == [True] * 3


def run_script(folder: Path, name: str, *arguments: Path) -> int:
    """Run one of the external builder's scripts as the peer does: with PATH alone."""
    script = "\n".join(("set -eu", *builder_scripts()[name]))
    command = ["/bin/sh", "-c", script, name, *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env={"PATH": "/usr/bin:/bin"}, check=False
    ).returncode


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ('{"path":"","type":"ccaas","label":"a"}', 0),
        ('{"type": "ccaas", "label": "a"}', 0),
        ('{"path":"","type":"golang","label":"ccaas"}', 1),
    ],
)
def test_the_builder_takes_our_packages_alone(tmp_path: Path, metadata: str, status: int) -> None:
    """A package of another type must go to another builder."""
    (tmp_path / "metadata.json").write_text(metadata)

    assert run_script(tmp_path, "detect", tmp_path, tmp_path) == status


def test_the_builder_hands_the_address_to_the_peer(tmp_path: Path) -> None:
    """What the package says ends where the peer looks for it."""
    source, built, released = (tmp_path / name for name in ("source", "built", "released"))
    for folder in (source, built, released):
        folder.mkdir()
    (source / "connection.json").write_text("{}")

    assert run_script(tmp_path, "build", source, tmp_path, built) == 0
    assert run_script(tmp_path, "release", built, released) == 0
    assert (released / "chaincode" / "server" / "connection.json").read_text() == "{}"

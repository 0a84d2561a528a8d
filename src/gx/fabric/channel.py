"""Joins the native network's nodes to its channel."""

from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import urlopen

from gx.fabric.administration import Administration
from gx.fabric.files import FabricToolError, run_tool
from gx.fabric.network import HOST, Network
from gx.fabric.peer_cli import peer_environment, write_client_config
from gx.fabric.release import Binaries, Program

ANSWER_TIMEOUT_S: Final = 10
JOINED: Final = "Status: 201"
NOT_FOUND: Final = 404


def join_orderer(network: Network, binaries: Binaries) -> bool:
    """Join the orderer to the channel; False if it had joined before.

    Raises:
        FabricToolError: the orderer refused, or does not answer.
    """
    if _orderer_has(network):
        return False
    command = [
        *(binaries[Program.OSNADMIN], "channel", "join", "--channelID", network.channel),
        *("--config-block", str(network.genesis_block)),
        *("--orderer-address", f"{HOST}:{network.orderer.admin}"),
    ]
    said = run_tool(command, folder=network.folder)
    if JOINED not in said:
        raise FabricToolError(f"`{' '.join(command)}` was refused: {said.strip()}")
    return True


def join_peers(network: Network, administration: Administration, binaries: Binaries) -> list[str]:
    """Join every peer to the channel; return the addresses of those that had not joined before.

    Raises:
        FabricToolError: a peer refused, or does not answer.
    """
    joined = []
    write_client_config(network.config / "client")
    for organisation in administration.organisations:
        for peer in organisation.peers:
            environment = peer_environment(organisation, peer, network.config / "client")
            if network.channel not in _channels(binaries, environment, network.folder):
                command = [binaries[Program.PEER], "channel", "join"]
                block = ["--blockpath", str(network.genesis_block)]
                run_tool([*command, *block], environment=environment, folder=network.folder)
                joined.append(peer.address)
    return joined


def _orderer_has(network: Network) -> bool:
    url = f"http://{HOST}:{network.orderer.admin}/participation/v1/channels/{network.channel}"
    try:
        with urlopen(url, timeout=ANSWER_TIMEOUT_S):  # our own orderer, on loopback # nosec B310
            return True
    except HTTPError as error:
        if error.code == NOT_FOUND:
            return False
        raise FabricToolError(f"{url} answered {error.code}") from error
    except OSError as error:
        raise FabricToolError(f"{url} does not answer: {error}") from error


def _channels(binaries: Binaries, environment: dict[str, str], folder: Path) -> list[str]:
    """List the channels that a peer has joined; the first line of the answer is a heading."""
    said = run_tool(
        [binaries[Program.PEER], "channel", "list"], environment=environment, folder=folder
    )
    return [line.strip() for line in said.splitlines()]

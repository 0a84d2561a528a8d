"""Writes what a native network starts with: configuration at every start, keys and ledgers once."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml
from typing_extensions import override

from gx.domain.clock import Clock
from gx.domain.errors import GxError
from gx.domain.roles import LedgerRole
from gx.fabric.administration import AdministeredOrganisation, Administration, Endpoint
from gx.fabric.channel_documents import channel_config, crypto_config
from gx.fabric.identities import issue_identity, read_authority, write_identity
from gx.fabric.network import ORDERER_MSP, PROFILE, Document, Network
from gx.fabric.node_documents import builder_scripts, orderer_config, peer_config
from gx.fabric.release import Binaries, Program
from gx.ledger.fabric.profile import ConnectionProfile, IdentityFiles, Node

HEADER: Final = "# Written by gx.fabric at every start; changes here are lost.\n"
TOOL_TIMEOUT_S: Final = 120.0
IDENTITIES: Final = "identities"


class FabricToolError(GxError):
    """One of Fabric's own programs failed; the text is what it was called with and what it said."""


class OtherNetworkError(GxError):
    """The folder holds another network than the one asked for; the text says how they differ."""


def prepare_network(network: Network, binaries: Binaries, clock: Clock) -> None:
    """Write everything that the nodes need before they start. A second call keeps all keys.

    Raises:
        FabricToolError: `cryptogen` or `configtxgen` failed.
        OtherNetworkError: the folder's network was made for other ports or another channel.
        AuthorityError: the folder's certificate authority cannot be read.
    """
    _require_same(network)
    _write_yaml(network.config / "crypto-config.yaml", crypto_config(network))
    _write_yaml(network.config / "configtx.yaml", channel_config(network))
    _write_yaml(network.config / "orderer" / "orderer.yaml", orderer_config(network))
    for organisation in network.organisations:
        folder = network.config / organisation.name
        _write_yaml(folder / "core.yaml", peer_config(network, organisation))
    _write_builder(network.builder)
    _make_crypto(network, binaries)
    _make_identities(network, clock)
    _make_genesis_block(network, binaries)
    _replace(network.connection_profile, connection_profile(network).encode())
    _replace(network.administration, administration(network).encode())
    _replace(_fingerprint_path(network), _fingerprint(network))


def connection_profile(network: Network) -> ConnectionProfile:
    """Say how clients reach the network; paths are relative to its folder."""
    first = network.organisations[0]
    return ConnectionProfile(
        channel=network.channel,
        chaincode=network.chaincode,
        peers=tuple(
            Node(
                name=organisation.peer_name,
                endpoint=organisation.endpoint,
                tls_ca=_relative(network, network.peer_home(organisation) / "tls" / "ca.crt"),
                msp_id=organisation.msp_id,
                server_name=organisation.peer_name,
            )
            for organisation in network.organisations
        ),
        orderers=(
            Node(
                name=network.orderer_name,
                endpoint=network.orderer_endpoint,
                tls_ca=_relative(network, network.orderer_home / "tls" / "ca.crt"),
                msp_id=ORDERER_MSP,
                server_name=network.orderer_name,
            ),
        ),
        identities={
            role: IdentityFiles(
                msp_id=first.msp_id,
                certificate=Path(IDENTITIES, role.value, "cert.pem"),
                key=Path(IDENTITIES, role.value, "key.pem"),
            )
            for role in LedgerRole
        },
    )


def administration(network: Network) -> Administration:
    """Say who administers the network's chaincode; paths are relative to its folder."""
    return Administration(
        channel=network.channel,
        chaincode=network.chaincode,
        orderer=Endpoint(
            address=network.orderer_endpoint,
            tls_ca=_relative(network, network.orderer_home / "tls" / "ca.crt"),
        ),
        organisations=tuple(
            AdministeredOrganisation(
                msp_id=organisation.msp_id,
                admin_msp=_relative(network, network.admin_msp(organisation)),
                peers=(
                    Endpoint(
                        address=organisation.endpoint,
                        tls_ca=_relative(
                            network, network.peer_home(organisation) / "tls" / "ca.crt"
                        ),
                    ),
                ),
            )
            for organisation in network.organisations
        ),
    )


def run_tool(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, folder: Path
) -> str:
    """Run one of Fabric's programs to its end and return what it printed.

    Raises:
        FabricToolError: it ended with another status than 0, or not at all.
    """
    try:
        answer = subprocess.run(  # noqa: S603 (one of Fabric's programs, with our arguments)
            command,
            env=dict(environment or {}),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TOOL_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise FabricToolError(f"`{' '.join(command)}` failed: {error}") from error
    if answer.returncode:
        said = (answer.stderr + answer.stdout).strip()[-2_000:]
        raise FabricToolError(f"`{' '.join(command)}` ended with {answer.returncode}: {said}")
    return answer.stdout


def _make_crypto(network: Network, binaries: Binaries) -> None:
    """Make certificates and keys, once; half a set never appears."""
    if network.crypto.exists():
        return
    network.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="crypto-", dir=network.folder) as name:
        output = Path(name) / "crypto"
        config = network.config / "crypto-config.yaml"
        command = ["generate", "--config", str(config), "--output", str(output)]
        run_tool([binaries[Program.CRYPTOGEN], *command], folder=network.folder)
        output.rename(network.crypto)


def _make_identities(network: Network, clock: Clock) -> None:
    """Issue an identity of the first organisation for each ledger role, once."""
    first = network.organisations[0]
    authority = None
    for role in LedgerRole:
        folder = network.folder / IDENTITIES / role.value
        if not (folder / "cert.pem").exists():
            authority = authority or read_authority(network.organisation_home(first) / "ca")
            identity = issue_identity(
                authority, name=f"{role.value}@{first.domain}", role=role, clock=clock
            )
            write_identity(identity, folder)


def _make_genesis_block(network: Network, binaries: Binaries) -> None:
    """Make the channel's first block, once: another one would be another channel."""
    block = network.genesis_block
    if block.exists():
        return
    block.parent.mkdir(parents=True, exist_ok=True)
    partial = block.with_suffix(".partial")
    arguments = ["-profile", PROFILE, "-channelID", network.channel, "-outputBlock", str(partial)]
    environment = {"FABRIC_CFG_PATH": str(network.config)}
    run_tool(
        [binaries[Program.CONFIGTXGEN], *arguments], environment=environment, folder=network.folder
    )
    partial.rename(block)


def _write_builder(folder: Path) -> None:
    for name, lines in builder_scripts().items():
        path = folder / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(("#!/bin/sh", "set -eu", *lines, "")), encoding="utf-8")
        path.chmod(0o755)


def _fingerprint_path(network: Network) -> Path:
    return network.folder / "network.json"


def _fingerprint(network: Network) -> bytes:
    """Say what is written into the channel for good, so that it cannot change with a setting."""
    facts = {
        "channel": network.channel,
        "orderer": network.orderer_endpoint,
        "peers": [each.endpoint for each in network.organisations],
        "batchTimeoutMs": network.batching.timeout_ms,
        "batchMessagesMax": network.batching.messages_max,
    }
    return json.dumps(facts, indent=2).encode() + b"\n"


def _require_same(network: Network) -> None:
    path = _fingerprint_path(network)
    if not path.exists() or path.read_bytes() == _fingerprint(network):
        return
    there: object = json.loads(path.read_bytes())
    raise OtherNetworkError(
        f"the network in {network.folder} was made as {there}, and its channel keeps that; "
        "choose the same ports, channel and batch settings (GX_FABRIC_NETWORK_*, GX_CHANNEL), "
        "or another folder, or remove that one with `gx fabric down --wipe`"
    )


def _relative(network: Network, path: Path) -> Path:
    return path.relative_to(network.folder)


class _PlainDumper(yaml.SafeDumper):
    """Writes a value that occurs twice twice: files for people have no anchors."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def _write_yaml(path: Path, document: Document) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, width=10_000)
    path.write_text(HEADER + text, encoding="utf-8")


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


def wipe_network(network: Network) -> None:
    """Remove everything of a network that does not run: keys, ledgers, packages."""
    shutil.rmtree(network.folder, ignore_errors=True)

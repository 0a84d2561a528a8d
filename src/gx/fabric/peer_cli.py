"""The chaincode lifecycle through Fabric's own `peer` program, as its operators would type it."""

import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict

import yaml

from gx.fabric.administration import AdministeredOrganisation, Administration, Endpoint
from gx.fabric.files import FabricToolError, run_tool
from gx.fabric.lifecycle import Approval, Committed, Definition
from gx.fabric.node_documents import client_config
from gx.fabric.package import ChaincodePackage

NOT_DEFINED: Final = "is not defined"
NOT_APPROVED: Final = "could not fetch approved chaincode definition"
ALREADY_INSTALLED: Final = "chaincode already successfully installed"
COMMIT_TIMEOUT: Final = "60s"
_APPROVED: Final = re.compile(r"\bsequence: (\d+), version: ([^,]+),.*?\bpackage-id: ([^,]*),")


class _CommittedAnswer(TypedDict):
    sequence: int
    version: str
    validation_parameter: str


class _InstalledPackage(TypedDict):
    package_id: str


class _InstalledAnswer(TypedDict, total=False):
    installed_chaincodes: list[_InstalledPackage]


class PeerLifecycle:
    """Implements `gx.fabric.lifecycle.Lifecycle`. `folder` holds the program's configuration."""

    def __init__(self, administration: Administration, *, peer: str, folder: Path) -> None:
        self._administration = administration
        self._peer = peer
        self._folder = folder
        self._own = {each.msp_id: each for each in administration.organisations if each.admin_msp}
        write_client_config(folder)

    @property
    def organisations(self) -> Sequence[str]:
        """See `Lifecycle`."""
        return tuple(self._own)

    def committed(self) -> Committed | None:
        """See `Lifecycle`."""
        first = next(iter(self._own.values()))
        try:
            said = self._run(first, "querycommitted", *self._chaincode(), "--output", "json")
        except FabricToolError as error:
            if NOT_DEFINED in str(error):
                return None
            raise
        answer: _CommittedAnswer = json.loads(said)
        return Committed(
            version=answer["version"],
            sequence=int(answer["sequence"]),
            policy=base64.b64decode(answer.get("validation_parameter", "")),
        )

    def installed(self, organisation: str) -> frozenset[str]:
        """See `Lifecycle`."""
        found = [
            self._installed_on(self._own[organisation], peer)
            for peer in self._own[organisation].peers
        ]
        return frozenset.intersection(*found)

    def approved(self, organisation: str, sequence: int) -> Approval | None:
        """See `Lifecycle`."""
        if sequence < 1:
            return None
        number = ("--sequence", str(sequence))
        try:
            said = self._run(self._own[organisation], "queryapproved", *self._chaincode(), *number)
        except FabricToolError as error:
            if NOT_APPROVED in str(error):
                return None
            raise
        match = _APPROVED.search(said)
        if match is None:
            raise FabricToolError(f"`peer` listed an approval in a way we cannot read: {said!r}")
        return Approval(version=match[2], package_id=match[3] or None)

    def install(self, organisation: str, package: ChaincodePackage) -> None:
        """See `Lifecycle`."""
        path = str(package.write(self._folder))
        owner = self._own[organisation]
        for peer in owner.peers:
            if package.package_id not in self._installed_on(owner, peer):
                try:
                    self._run(owner, "install", path, at=peer)
                except FabricToolError as error:
                    if ALREADY_INSTALLED not in str(error):
                        raise

    def approve(self, organisation: str, definition: Definition, package_id: str) -> None:
        """See `Lifecycle`."""
        arguments = (*self._definition(definition), "--package-id", package_id, *self._orderer())
        self._run(self._own[organisation], "approveformyorg", *arguments, *_WAIT)

    def commit(self, definition: Definition) -> None:
        """See `Lifecycle`."""
        endorsers: list[str] = []
        for organisation in self._administration.organisations:
            peer = organisation.peers[0]
            endorsers += ["--peerAddresses", peer.address, "--tlsRootCertFiles", str(peer.tls_ca)]
        arguments = (*self._definition(definition), *self._orderer(), *endorsers)
        self._run(next(iter(self._own.values())), "commit", *arguments, *_WAIT)

    def _installed_on(self, owner: AdministeredOrganisation, peer: Endpoint) -> frozenset[str]:
        said = self._run(owner, "queryinstalled", "--output", "json", at=peer)
        answer: _InstalledAnswer = json.loads(said)
        return frozenset(each["package_id"] for each in answer.get("installed_chaincodes", ()))

    def _chaincode(self) -> tuple[str, ...]:
        found = self._administration
        return ("--channelID", found.channel, "--name", found.chaincode)

    def _definition(self, definition: Definition) -> tuple[str, ...]:
        policy = definition.signature_policy
        return (
            *self._chaincode(),
            *("--version", definition.version, "--sequence", str(definition.sequence)),
            *(("--signature-policy", policy) if policy else ()),
        )

    def _orderer(self) -> tuple[str, ...]:
        orderer = self._administration.orderer
        return ("--orderer", orderer.address, "--tls", "--cafile", str(orderer.tls_ca))

    def _run(
        self,
        organisation: AdministeredOrganisation,
        subcommand: str,
        *arguments: str,
        at: Endpoint | None = None,
    ) -> str:
        environment = peer_environment(organisation, at or organisation.peers[0], self._folder)
        command = [self._peer, "lifecycle", "chaincode", subcommand, *arguments]
        return run_tool(command, environment=environment, folder=self._folder)


_WAIT: Final = ("--waitForEvent", "--waitForEventTimeout", COMMIT_TIMEOUT)


def write_client_config(folder: Path) -> None:
    """Write what `peer` reads before anything else; it refuses to run without."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "core.yaml").write_text(yaml.safe_dump(client_config()), encoding="utf-8")


def peer_environment(
    organisation: AdministeredOrganisation, peer: Endpoint, folder: Path
) -> dict[str, str]:
    """Return the environment in which `peer` acts as an organisation's administrator."""
    return {
        "FABRIC_CFG_PATH": str(folder),
        "FABRIC_LOGGING_SPEC": "error",
        "CORE_PEER_LOCALMSPID": organisation.msp_id,
        "CORE_PEER_MSPCONFIGPATH": str(organisation.admin_msp),
        "CORE_PEER_ADDRESS": peer.address,
        "CORE_PEER_TLS_ENABLED": "true",
        "CORE_PEER_TLS_ROOTCERT_FILE": str(peer.tls_ca),
    }

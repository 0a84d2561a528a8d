"""Chaincode servers that somebody else runs: on Kubernetes, or on another machine."""

import socket
from typing import Final

from gx.fabric.deployment import ServerMissingError
from gx.fabric.package import ChaincodePackage

ANSWER_TIMEOUT_S: Final = 5.0


class ForeignServers:
    """Implements `gx.fabric.deployment.ChaincodeServers` where we can start and end nothing."""

    def __init__(self, address: str) -> None:
        self._address = address

    def address_for(self, version: str, *, in_force: str | None) -> str:
        """See `ChaincodeServers`; whoever asks for a deployment says where its server is."""
        del version, in_force
        return self._address

    def serve(self, package: ChaincodePackage) -> None:
        """See `ChaincodeServers`. Only that somebody answers can be seen from here."""
        host, _, port = package.address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), ANSWER_TIMEOUT_S).close()
        except (OSError, ValueError) as error:
            raise ServerMissingError(
                f"nobody answers at {package.address} ({error}), and with the definition committed "
                "every call would wait for it. Start the server there first: "
                f"CHAINCODE_ID={package.package_id} gx chaincode serve"
            ) from error

    def retire_others(self, package: ChaincodePackage) -> None:
        """See `ChaincodeServers`; their operator ends them."""
        del package

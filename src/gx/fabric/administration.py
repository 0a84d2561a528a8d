"""Who administers a chaincode: the organisations' administrators, their peers, and an orderer.

One JSON file beside the connection profile. `gx fabric up` writes it for its own network; for
another network its operator writes it, with paths relative to the file:

    {
      "channel": "gxchannel",
      "chaincode": "gxtv3",
      "orderer": {"address": "orderer.example:7050", "tlsCa": "orderer/tls-ca.pem"},
      "organisations": [
        {"mspId": "Org1MSP", "adminMsp": "org1/admin/msp",
         "peers": [{"address": "peer0.org1.example:7051", "tlsCa": "org1/tls-ca.pem"}]}
      ]
    }

The nodes' TLS certificates must be for the hosts in these addresses: Fabric's `peer` program
has no way to expect another name of one peer among several.
"""

from pathlib import Path
from typing import Final

import msgspec

from gx.domain.errors import GxError


class AdministrationError(GxError):
    """The administration file cannot be used; the text names it and what is wrong with it."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A node: `host:port`, and who signed its TLS certificate."""

    address: str
    tls_ca: Path


class AdministeredOrganisation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An organisation: its id, its administrator's identity folder, and its peers.

    Without `admin_msp` others administer it: it is only asked to endorse the commit.
    """

    msp_id: str
    peers: tuple[Endpoint, ...]
    admin_msp: Path | None = None


class Administration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything that deploying a chaincode to a channel needs."""

    channel: str
    chaincode: str
    orderer: Endpoint
    organisations: tuple[AdministeredOrganisation, ...]

    def encode(self) -> bytes:
        """Write the file that `load_administration` reads."""
        return msgspec.json.format(_ENCODER.encode(self), indent=2) + b"\n"

    def resolved(self, folder: Path) -> "Administration":
        """Return it with absolute paths; relative ones are below the folder."""
        return msgspec.structs.replace(
            self,
            orderer=_resolved_endpoint(self.orderer, folder),
            organisations=tuple(
                msgspec.structs.replace(
                    each,
                    admin_msp=None if each.admin_msp is None else folder / each.admin_msp,
                    peers=tuple(_resolved_endpoint(peer, folder) for peer in each.peers),
                )
                for each in self.organisations
            ),
        )


_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)


def load_administration(path: Path) -> Administration:
    """Read the file; its paths come back absolute.

    Raises:
        AdministrationError: it is not there, or names nobody.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Administration, dec_hook=_path)
    except OSError as error:
        raise AdministrationError(
            f"the administration file {path} cannot be read ({error.strerror}): start a network "
            "with `gx fabric up`, or name yours with --administration"
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AdministrationError(
            f"the administration file {path} is not usable: {error}"
        ) from error
    if not any(each.admin_msp for each in found.organisations):
        raise AdministrationError(f"the administration file {path} names no administrator")
    bare = [each.msp_id for each in found.organisations if not each.peers]
    if bare:
        raise AdministrationError(f"the administration file {path} names no peer of {bare[0]}")
    return found.resolved(path.absolute().parent)


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"no decoding for {kind}")


def _resolved_endpoint(endpoint: Endpoint, folder: Path) -> Endpoint:
    return msgspec.structs.replace(endpoint, tls_ca=folder / endpoint.tls_ca)

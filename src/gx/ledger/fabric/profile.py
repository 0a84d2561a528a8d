"""The connection profile: where a Fabric network is, and with which identities it is used.

One JSON file names everything, so that a process needs one setting. Paths in it are relative to
the file's folder, so that the folder can be mounted, copied or backed up as one:

    {
      "channel": "gxchannel",
      "chaincode": "gxtv3",
      "peers": [
        {"name": "peer0.org1", "endpoint": "127.0.0.1:7051", "serverName": "peer0.org1.gx.local",
         "tlsCa": "org1/tls-ca.pem", "mspId": "Org1MSP"}
      ],
      "orderers": [
        {"name": "orderer0", "endpoint": "127.0.0.1:7050", "serverName": "orderer0.gx.local",
         "tlsCa": "orderer/tls-ca.pem", "mspId": "OrdererMSP"}
      ],
      "identities": {
        "gx_partner_api": {"mspId": "Org1MSP", "certificate": "partner/cert.pem",
                           "key": "partner/key.pem"}
      }
    }

Clients speak to the peers alone, in the order of the file; the orderers are for the tools that
administer the channel.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from gx.domain.errors import GxError
from gx.domain.roles import LedgerRole


class ProfileError(GxError):
    """The connection profile cannot be used; the text names the file and what is wrong with it."""


class Node(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A peer or an orderer. `endpoint` is `host:port`.

    `server_name` is what the node's TLS certificate must be for, where the endpoint's own host
    is not in it; `tls_ca` holds the roots that may have signed it, as PEM.
    """

    name: str
    endpoint: str
    tls_ca: Path
    msp_id: str
    server_name: str | None = None


class IdentityFiles(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an identity's certificate and private key are, as PEM."""

    msp_id: str
    certificate: Path
    key: Path


class ConnectionProfile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How to reach a channel, and whose identity signs for each ledger role."""

    channel: str
    chaincode: str
    peers: tuple[Node, ...]
    identities: Mapping[LedgerRole, IdentityFiles]
    orderers: tuple[Node, ...] = ()

    def encode(self) -> bytes:
        """Write the profile as the JSON that `load_profile` reads."""
        return msgspec.json.format(_ENCODER.encode(self), indent=2) + b"\n"


_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)


def load_profile(path: Path) -> ConnectionProfile:
    """Read a profile; its paths come back absolute.

    Raises:
        ProfileError: the file is not there, or is no usable profile.
    """
    try:
        profile = msgspec.json.decode(path.read_bytes(), type=ConnectionProfile, dec_hook=_path)
    except OSError as error:
        raise ProfileError(
            f"the connection profile {path} cannot be read ({error.strerror}): set "
            "GX_FABRIC_PROFILE to the file that `gx fabric up` or your network's operator wrote"
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProfileError(f"the connection profile {path} is not usable: {error}") from error
    if not profile.peers:
        raise ProfileError(f"the connection profile {path} names no peer")
    if not profile.identities:
        raise ProfileError(f"the connection profile {path} names no identity")
    return _resolved(profile, path.absolute().parent)


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"no decoding for {kind}")


def _resolved(profile: ConnectionProfile, folder: Path) -> ConnectionProfile:
    return msgspec.structs.replace(
        profile,
        peers=tuple(_resolved_node(node, folder) for node in profile.peers),
        orderers=tuple(_resolved_node(node, folder) for node in profile.orderers),
        identities={
            role: msgspec.structs.replace(
                files, certificate=folder / files.certificate, key=folder / files.key
            )
            for role, files in profile.identities.items()
        },
    )


def _resolved_node(node: Node, folder: Path) -> Node:
    return msgspec.structs.replace(node, tls_ca=folder / node.tls_ca)

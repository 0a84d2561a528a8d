"""The connection profile: one file that says how to reach a network."""

import json
from pathlib import Path

import pytest

from gx.domain.roles import LedgerRole
from gx.ledger.fabric.profile import (
    ConnectionProfile,
    IdentityFiles,
    Node,
    ProfileError,
    load_profile,
)

PROFILE = ConnectionProfile(
    channel="gxchannel",
    chaincode="gxtv3",
    peers=(
        Node(
            name="peer0.org1",
            endpoint="127.0.0.1:7051",
            server_name="peer0.org1.gx.local",
            tls_ca=Path("org1/tls.pem"),
            msp_id="Org1MSP",
        ),
    ),
    identities={
        LedgerRole.PARTNER_API: IdentityFiles(
            msp_id="Org1MSP", certificate=Path("partner/cert.pem"), key=Path("partner/key.pem")
        )
    },
)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """A profile's folder may be mounted anywhere: what it names is found beside it."""
    path = tmp_path / "connection.json"
    path.write_bytes(PROFILE.encode())

    loaded = load_profile(path)

    assert loaded.peers[0].tls_ca == tmp_path / "org1/tls.pem"
    assert loaded.identities[LedgerRole.PARTNER_API].key == tmp_path / "partner/key.pem"
    assert loaded.peers[0].server_name == "peer0.org1.gx.local"
    assert loaded.orderers == ()


def test_an_absolute_path_stays_as_it_is(tmp_path: Path) -> None:
    """Secrets may be mounted elsewhere than the profile."""
    wire = json.loads(PROFILE.encode())
    wire["identities"]["gx_partner_api"]["key"] = "/run/secrets/key.pem"
    path = tmp_path / "connection.json"
    path.write_text(json.dumps(wire), encoding="utf-8")

    key = load_profile(path).identities[LedgerRole.PARTNER_API].key

    assert key == Path("/run/secrets/key.pem")


def test_a_missing_profile_says_what_to_set(tmp_path: Path) -> None:
    """Who has no profile is told which setting names it."""
    with pytest.raises(ProfileError, match="GX_FABRIC_PROFILE"):
        load_profile(tmp_path / "connection.json")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"peers": []}, "names no peer"),
        ({"identities": {}}, "names no identity"),
        ({"channel": 7}, "channel"),
        ({"identities": {"gx_nobody": {}}}, "gx_nobody"),
    ],
)
def test_an_unusable_profile_is_refused(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    """What is wrong is said before anything connects."""
    path = tmp_path / "connection.json"
    path.write_text(json.dumps({**json.loads(PROFILE.encode()), **change}), encoding="utf-8")

    with pytest.raises(ProfileError, match=complaint):
        load_profile(path)


def test_text_that_is_no_json_is_refused(tmp_path: Path) -> None:
    """A truncated file is not taken for a network."""
    path = tmp_path / "connection.json"
    path.write_bytes(b'{"channel": "gx')

    with pytest.raises(ProfileError, match="not usable"):
        load_profile(path)

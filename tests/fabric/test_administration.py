"""The administration file, and how `peer` is called for whom it names."""

import json
from pathlib import Path

import pytest

from gx.fabric.administration import (
    AdministeredOrganisation,
    Administration,
    AdministrationError,
    Endpoint,
    load_administration,
)
from gx.fabric.files import FabricToolError
from gx.fabric.lifecycle import Approval, Committed, Definition
from gx.fabric.package import build_package
from gx.fabric.peer_cli import PeerLifecycle

CA = Path("tls/ca.pem")


def organisation(name: str, *, is_ours: bool = True) -> AdministeredOrganisation:
    """An organisation with two peers."""
    peers = tuple(Endpoint(address=f"peer{n}.{name}:7051", tls_ca=CA) for n in range(2))
    admin = Path(name, "msp") if is_ours else None
    return AdministeredOrganisation(msp_id=f"{name}MSP", peers=peers, admin_msp=admin)


def administration(*organisations: AdministeredOrganisation) -> Administration:
    """A file's content."""
    orderer = Endpoint(address="orderer:7050", tls_ca=CA)
    return Administration(
        channel="ch", chaincode="gxtv3", orderer=orderer, organisations=organisations
    )


def test_what_is_written_is_read_back_with_absolute_paths(tmp_path: Path) -> None:
    """The folder can be mounted anywhere."""
    written = administration(organisation("Org1"), organisation("Org2", is_ours=False))
    (tmp_path / "a.json").write_bytes(written.encode())

    found = load_administration(tmp_path / "a.json")

    assert found == written.resolved(tmp_path)
    assert found.organisations[0].admin_msp == tmp_path / "Org1" / "msp"
    assert found.organisations[1].admin_msp is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (administration(organisation("Org1", is_ours=False)).encode(), "no administrator"),
        (administration().encode(), "no administrator"),
        (
            administration(
                AdministeredOrganisation(msp_id="BareMSP", peers=(), admin_msp=Path("x"))
            ).encode(),
            "no peer of BareMSP",
        ),
        (b"{", "not usable"),
        (b"\xff", "not usable"),
    ],
)
def test_a_file_that_names_nobody_is_refused(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    """Before any peer is asked anything."""
    (tmp_path / "a.json").write_bytes(content)

    with pytest.raises(AdministrationError, match=complaint):
        load_administration(tmp_path / "a.json")


def test_a_missing_file_says_how_to_have_one(tmp_path: Path) -> None:
    """Most people want `gx fabric up`."""
    with pytest.raises(AdministrationError, match="gx fabric up"):
        load_administration(tmp_path / "none.json")


class Recorder:
    """A `peer` that notes how it is called and answers what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "calls"
        self.answer = folder / "answer"
        self.status = folder / "status"
        self.program = folder / "peer"
        self.say("{}")
        self.program.write_text(
            f'#!/bin/sh\necho "$CORE_PEER_LOCALMSPID $CORE_PEER_ADDRESS $*" >> {self.log}\n'
            f"/bin/cat {self.answer}\nexit $(/bin/cat {self.status})\n"
        )
        self.program.chmod(0o755)

    def say(self, answer: str, *, status: int = 0) -> None:
        """Answer this from now on."""
        self.answer.write_text(answer)
        self.status.write_text(str(status))

    @property
    def calls(self) -> list[str]:
        """List who called what at which peer."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    """A `peer` that remembers."""
    return Recorder(tmp_path)


@pytest.fixture
def lifecycle(recorder: Recorder, tmp_path: Path) -> PeerLifecycle:
    """The lifecycle of a channel where one organisation of two is ours."""
    people = administration(organisation("Org1"), organisation("Org2", is_ours=False))
    return PeerLifecycle(people, peer=str(recorder.program), folder=tmp_path / "client")


def test_only_our_own_organisations_are_administered(lifecycle: PeerLifecycle) -> None:
    """Others install and approve for themselves."""
    assert lifecycle.organisations == ("Org1MSP",)


def test_a_commit_is_endorsed_by_a_peer_of_everybody(
    lifecycle: PeerLifecycle, recorder: Recorder
) -> None:
    """The channel wants a majority; one administrator submits it."""
    lifecycle.commit(Definition(version="2", sequence=8, signature_policy="AND('A.peer','B.peer')"))

    (call,) = recorder.calls
    assert call.startswith("Org1MSP peer0.Org1:7051 lifecycle chaincode commit --channelID ch")
    assert "--version 2 --sequence 8 --signature-policy AND('A.peer','B.peer')" in call
    assert call.count("--peerAddresses") == 2
    assert "--peerAddresses peer0.Org2:7051" in call


def test_a_package_goes_to_every_peer_that_lacks_it(
    lifecycle: PeerLifecycle, recorder: Recorder
) -> None:
    """Both peers of our organisation, and nobody else's."""
    lifecycle.install("Org1MSP", build_package(version="1", address="a:1"))

    installs = [call for call in recorder.calls if "chaincode install" in call]
    assert [call.split()[1] for call in installs] == ["peer0.Org1:7051", "peer1.Org1:7051"]


def test_a_package_is_installed_when_every_peer_has_it(
    lifecycle: PeerLifecycle, recorder: Recorder
) -> None:
    """What one peer of two lacks is not installed."""
    recorder.say(json.dumps({"installed_chaincodes": [{"package_id": "gxtv3_1:aa"}]}))

    assert lifecycle.installed("Org1MSP") == {"gxtv3_1:aa"}
    assert len(recorder.calls) == 2


def test_answers_of_peer_are_read(lifecycle: PeerLifecycle, recorder: Recorder) -> None:
    """As release 3 prints them."""
    recorder.say('{"sequence":7,"version":"1","validation_parameter":"EgA="}')
    committed = lifecycle.committed()
    recorder.say(
        "Approved chaincode definition for chaincode 'gxtv3' on channel 'ch':\n"
        "sequence: 8, version: 2, init-required: false, package-id: gxtv3_2:ab, "
        "endorsement plugin: escc, validation plugin: vscc"
    )
    approved = lifecycle.approved("Org1MSP", 8)
    recorder.say(
        "sequence: 8, version: 2, init-required: false, package-id: , endorsement plugin: escc"
    )
    without = lifecycle.approved("Org1MSP", 8)

    assert committed == Committed(version="1", sequence=7, policy=b"\x12\x00")
    assert approved == Approval(version="2", package_id="gxtv3_2:ab")
    assert without == Approval(version="2", package_id=None)


def test_what_is_not_there_is_told_from_what_went_wrong(
    lifecycle: PeerLifecycle, recorder: Recorder
) -> None:
    """An unreachable peer is no empty channel: a plan built on that would deploy once more."""
    recorder.say("Error: query failed with status: 404 - namespace gxtv3 is not defined", status=1)
    assert lifecycle.committed() is None
    recorder.say("Error: could not fetch approved chaincode definition (name: 'g')", status=1)
    assert lifecycle.approved("Org1MSP", 1) is None
    recorder.say("Error: failed to connect to peer0", status=1)

    with pytest.raises(FabricToolError, match="failed to connect"):
        lifecycle.committed()
    with pytest.raises(FabricToolError, match="failed to connect"):
        lifecycle.approved("Org1MSP", 1)

"""The preflight's judgement of the chaincode, and of who must endorse it."""

import pytest
from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from gx.fabric.checks import Grade
from gx.fabric.endorsement import read_policy
from gx.fabric.lifecycle import Approval, Committed
from gx.runtime.fabric_deployment import ChaincodeStatus, OrganisationStatus
from gx.runtime.fabric_preflight import judge_chaincode

PACKAGE = "gxtv3_1:" + "0" * 64


def policy_of(needed: int) -> bytes:
    """Two organisations, of which so many must sign."""
    rules = [SignaturePolicy(signed_by=number) for number in range(2)]
    rule = SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=needed, rules=rules))
    envelope = SignaturePolicyEnvelope(rule=rule, identities=[MSPPrincipal(), MSPPrincipal()])
    return ApplicationPolicy(signature_policy=envelope).SerializeToString()


def status_of(
    *, policy: bytes = b"", installed: tuple[str, ...] = (PACKAGE,), package: str | None = PACKAGE
) -> ChaincodeStatus:
    """A version in force, and one organisation that has this of it."""
    organisation = OrganisationStatus(
        msp_id="Org1MSP", installed=installed, approved=Approval(version="1", package_id=package)
    )
    committed = Committed(version="1", sequence=7, policy=policy)
    return ChaincodeStatus(committed=committed, organisations=(organisation,))


def test_a_policy_of_one_organisation_is_a_warning() -> None:
    """Whoever alone may endorse may write whatever it likes."""
    alone, both = (judge_chaincode(status_of(policy=policy_of(n)))[-1] for n in (1, 2))

    assert alone.grade is Grade.WARNING
    assert "1 of the 2" in alone.finding
    assert both.grade is Grade.GOOD


def test_the_channels_own_policy_is_named() -> None:
    """A definition without a policy leaves it to the channel."""
    reference = ApplicationPolicy(channel_config_policy_reference="/Channel/Application/X")

    assert "/Channel/Application/X" in read_policy(reference.SerializeToString()).text
    assert "/Channel/Application/Endorsement" in read_policy(b"").text


def test_an_unreadable_policy_is_not_guessed_at() -> None:
    """Other validation plugins have other policies."""
    assert "cannot read" in read_policy(b"\xff\xff\xff").text


@pytest.mark.parametrize(
    ("status", "finding"),
    [
        (status_of(installed=()), "has not installed the package"),
        (status_of(package=None), "has approved no package"),
        (ChaincodeStatus(committed=None, organisations=()), "no version is in force"),
    ],
)
def test_an_organisation_that_cannot_run_it_is_wrong(status: ChaincodeStatus, finding: str) -> None:
    """Half of the endorsers would be missing."""
    wrong = [check for check in judge_chaincode(status) if check.grade is Grade.WRONG]

    assert len(wrong) == 1
    assert finding in wrong[0].finding


def test_what_was_begun_and_not_committed_is_a_warning() -> None:
    """Somebody's upgrade stopped halfway; until it goes on the version before is in force."""
    begun = OrganisationStatus(
        msp_id="Org1MSP",
        installed=(PACKAGE,),
        approved=Approval(version="1", package_id=PACKAGE),
        approved_next=Approval(version="2", package_id=PACKAGE),
    )
    committed = Committed(version="1", sequence=7, policy=policy_of(2))
    status = ChaincodeStatus(committed=committed, organisations=(begun,))

    warned = [check for check in judge_chaincode(status) if check.grade is Grade.WARNING]

    assert [check.finding for check in warned] == [
        "Org1MSP has approved version 2 for sequence 8, which is not committed"
    ]


def test_version_and_sequence_are_told() -> None:
    """The sequence is what an upgrade must follow."""
    first = judge_chaincode(status_of())[0]

    assert first.finding == "version 1 is in force with sequence 7"

"""Deployment: planned first, then carried out, and going on where it stopped."""

import pytest

from gx.fabric.deployment import carry_out
from gx.fabric.files import FabricToolError
from gx.fabric.lifecycle import (
    Action,
    Approval,
    Committed,
    DeploymentPlan,
    DeploymentRefusedError,
    plan_deployment,
)
from gx.fabric.package import ChaincodePackage, build_package
from tests.fabric.memory_lifecycle import MemoryLifecycle, MemoryServers


def package_of(version: str) -> ChaincodePackage:
    """Build the package of a version, served at an address of its own."""
    return build_package(version=version, address=f"{version}.example:9999")


def deploy(lifecycle: MemoryLifecycle, version: str) -> DeploymentPlan:
    """Plan and carry out."""
    plan = plan_deployment(lifecycle, package_of(version))
    carry_out(plan, lifecycle, MemoryServers(lifecycle.calls), report=lambda _: None)
    return plan


def at_sequence(version: str, sequence: int) -> MemoryLifecycle:
    """A channel that runs this version."""
    package = package_of(version)
    lifecycle = MemoryLifecycle(now=Committed(version=version, sequence=sequence, policy=b""))
    for organisation in lifecycle.organisations:
        lifecycle.packages[organisation] = {package.package_id}
        lifecycle.approvals[organisation, sequence] = Approval(
            version=version, package_id=package.package_id
        )
    return lifecycle


def test_a_first_deployment_takes_every_step_in_order() -> None:
    """The server answers before anything is installed; the commit comes after both approvals."""
    lifecycle = MemoryLifecycle()

    deploy(lifecycle, "1")

    assert lifecycle.calls == [
        "serve 1",
        "install Org1MSP",
        "install Org2MSP",
        "approve Org1MSP 1",
        "approve Org2MSP 1",
        "commit 1",
        "retire all but 1",
    ]


def test_planning_changes_nothing() -> None:
    """A plan can be looked at before it is carried out."""
    lifecycle = MemoryLifecycle()

    plan = plan_deployment(lifecycle, package_of("1"))

    assert not plan.is_done
    assert lifecycle == MemoryLifecycle()


def test_an_upgrade_takes_the_sequence_after_the_committed_one() -> None:
    """From sequence 7 the next version becomes sequence 8; the old server goes last."""
    lifecycle = at_sequence("1", 7)

    plan = deploy(lifecycle, "2")

    assert lifecycle.now == Committed(version="2", sequence=8, policy=b"")
    assert plan.steps[-1].action is Action.RETIRE
    assert lifecycle.calls[0] == "serve 2"


def test_a_second_run_changes_nothing() -> None:
    """What is in force, installed and approved is not deployed again."""
    lifecycle = MemoryLifecycle()
    deploy(lifecycle, "1")
    lifecycle.calls.clear()

    plan = deploy(lifecycle, "1")

    assert plan.is_done
    assert lifecycle.calls == []


@pytest.mark.parametrize("step", ["install Org2", "approve Org1", "approve Org2", "commit"])
def test_an_interrupted_deployment_goes_on_where_it_stopped(step: str) -> None:
    """No step is taken twice: peers refuse a second, equal approval."""
    lifecycle = at_sequence("1", 3)
    lifecycle.fails_at = step
    with pytest.raises(FabricToolError):
        deploy(lifecycle, "2")
    before = set(lifecycle.calls)
    lifecycle.fails_at = ""
    lifecycle.calls.clear()

    deploy(lifecycle, "2")

    assert lifecycle.now == Committed(version="2", sequence=4, policy=b"")
    assert before & set(lifecycle.calls) <= {"serve 2"}


@pytest.mark.parametrize("sequence", [1, 7, 9])
def test_a_sequence_that_does_not_follow_is_refused(sequence: int) -> None:
    """Who expects another sequence does not know what is in force; the error tells."""
    with pytest.raises(DeploymentRefusedError, match=r"version 1 .* sequence 7, so .* is 8"):
        plan_deployment(at_sequence("1", 7), package_of("2"), sequence=sequence)


def test_the_sequence_that_follows_is_taken() -> None:
    """The check only checks."""
    assert (
        plan_deployment(at_sequence("1", 7), package_of("2"), sequence=8).definition.sequence == 8
    )


def test_an_organisation_that_agreed_to_another_version_is_not_overruled() -> None:
    """Its administrators decided; ours must talk to them."""
    lifecycle = at_sequence("1", 7)
    lifecycle.approvals["Org2MSP", 8] = Approval(version="3", package_id=None)

    with pytest.raises(DeploymentRefusedError, match="Org2MSP has approved version 3"):
        plan_deployment(lifecycle, package_of("2"))


def test_an_approval_without_our_package_is_completed() -> None:
    """An organisation that approved without a package would run no peer of this chaincode."""
    lifecycle = at_sequence("1", 7)
    lifecycle.approvals["Org2MSP", 8] = Approval(version="2", package_id=None)

    deploy(lifecycle, "2")

    assert "approve Org2MSP 8" in lifecycle.calls


def test_a_new_address_for_the_version_in_force_needs_no_commit() -> None:
    """Where the server is stands in the package, which each organisation chooses for itself."""
    lifecycle = at_sequence("1", 7)
    moved = build_package(version="1", address="elsewhere.example:9999")

    plan = plan_deployment(lifecycle, moved)

    assert [step.action for step in plan.steps] == [
        Action.SERVE,
        *[Action.INSTALL] * 2,
        *[Action.APPROVE] * 2,
    ]


def test_the_way_back_is_a_sequence_forward() -> None:
    """Sequences only rise, and state stays: the advice says both."""
    advice = plan_deployment(at_sequence("1", 7), package_of("2")).rollback

    assert "--version 1 --apply" in advice
    assert "sequence 9" in advice
    assert "State that this version wrote stays" in advice

"""The chaincode lifecycle on a channel: what is there, what is wanted, and the steps between.

Planning is pure and comes first: it reads what every organisation has, refuses what cannot be
meant, and lists the steps that are missing. What is done already is no step, so a plan for what
is there is empty, and an interrupted deployment goes on where it stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from gx.domain.errors import GxError
from gx.fabric.package import ChaincodePackage


class DeploymentRefusedError(GxError):
    """What was asked for does not follow from what is committed; the text says what does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A chaincode definition as it is, or is to be, committed to the channel.

    `signature_policy` says who must endorse; None leaves that to the channel (a majority of the
    organisations, unless the channel says otherwise).
    """

    version: str
    sequence: int
    signature_policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What an organisation has approved for a sequence; without a package it runs no peer of it."""

    version: str
    package_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The definition in force, and the policy bytes that it carries."""

    version: str
    sequence: int
    policy: bytes


class Lifecycle(Protocol):
    """The lifecycle of one chaincode on one channel, seen by its administrators.

    Every method may raise `FabricToolError`. Organisations are named by their MSP id.
    """

    @property
    def organisations(self) -> Sequence[str]:
        """List the organisations that are administered here."""
        ...

    def committed(self) -> Committed | None:
        """Return the definition in force; None if the channel has none."""
        ...

    def installed(self, organisation: str) -> frozenset[str]:
        """List the package ids that every peer of the organisation has."""
        ...

    def approved(self, organisation: str, sequence: int) -> Approval | None:
        """Return what the organisation approved for this sequence; None if nothing."""
        ...

    def install(self, organisation: str, package: ChaincodePackage) -> None:
        """Install the package on those of the organisation's peers that lack it."""
        ...

    def approve(self, organisation: str, definition: Definition, package_id: str) -> None:
        """Approve the definition for the organisation; returns once that is in a block."""
        ...

    def commit(self, definition: Definition) -> None:
        """Commit the definition; returns once every organisation's peer has it."""
        ...


class Action(StrEnum):
    """What a step does."""

    SERVE = "serve"
    INSTALL = "install"
    APPROVE = "approve"
    COMMIT = "commit"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a deployment; `organisation` where it is done once for each."""

    action: Action
    text: str
    organisation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPlan:
    """What is in force, what will be, and the steps to it, in order."""

    package: ChaincodePackage
    definition: Definition
    committed: Committed | None
    steps: tuple[Step, ...]

    @property
    def is_done(self) -> bool:
        """Say whether nothing is left to do."""
        return not self.steps

    def only(self, *actions: Action) -> "DeploymentPlan":
        """Return the plan with the steps of these kinds alone, for who takes them one by one."""
        steps = tuple(step for step in self.steps if step.action in actions)
        return replace(self, steps=steps)

    @property
    def rollback(self) -> str:
        """Say how to go back to what is in force now."""
        if self.committed is None:
            return "There is nothing to go back to: this is the chaincode's first version."
        after = max(self.definition.sequence, self.committed.sequence) + 1
        return (
            f"To go back to {self.committed.version}: `gx chaincode upgrade --version "
            f"{self.committed.version} --apply` with that version's server running; it becomes "
            f"sequence {after}, as sequences only rise. State that this version wrote stays."
        )


def plan_deployment(
    lifecycle: Lifecycle,
    package: ChaincodePackage,
    *,
    sequence: int | None = None,
    signature_policy: str | None = None,
) -> DeploymentPlan:
    """Plan how this package's version comes into force.

    `sequence` is what the caller takes the new definition's to be, where it says so.

    Raises:
        DeploymentRefusedError: the sequence does not follow from the committed one.
        FabricToolError: a peer could not be asked.
    """
    committed = lifecycle.committed()
    is_in_force = committed is not None and committed.version == package.version
    current = committed.sequence if committed else 0
    wanted = current if is_in_force else current + 1
    if is_in_force and signature_policy is not None:
        raise DeploymentRefusedError(
            f"version {package.version} is in force already; another endorsement policy needs a "
            "version of its own, so that nobody has to guess which of two is meant"
        )
    if sequence is not None and sequence != wanted:
        raise DeploymentRefusedError(_wrong_sequence(committed, sequence, wanted))
    definition = Definition(
        version=package.version, sequence=wanted, signature_policy=signature_policy
    )
    approvals = {each: lifecycle.approved(each, wanted) for each in lifecycle.organisations}
    _require_agreeing(approvals, definition)
    steps = tuple(_steps(lifecycle, package, definition, approvals, is_in_force=is_in_force))
    return DeploymentPlan(package=package, definition=definition, committed=committed, steps=steps)


def _wrong_sequence(committed: Committed | None, sequence: int, wanted: int) -> str:
    there = (
        f"version {committed.version} is committed with sequence {committed.sequence}"
        if committed
        else "nothing is committed yet"
    )
    return f"sequence {sequence} does not follow: {there}, so the next one is {wanted}"


def _require_agreeing(approvals: Mapping[str, Approval | None], definition: Definition) -> None:
    """Refuse to overrule an organisation that approved another version for this sequence."""
    for organisation, approval in approvals.items():
        if approval is not None and approval.version != definition.version:
            raise DeploymentRefusedError(
                f"{organisation} has approved version {approval.version} for sequence "
                f"{definition.sequence}, not {definition.version}; commit that one first, or "
                "agree on one version"
            )


def _steps(
    lifecycle: Lifecycle,
    package: ChaincodePackage,
    definition: Definition,
    approvals: Mapping[str, Approval | None],
    *,
    is_in_force: bool,
) -> Sequence[Step]:
    steps = []
    for organisation in lifecycle.organisations:
        if package.package_id not in lifecycle.installed(organisation):
            text = f"install {package.label} on the peers of {organisation}"
            steps.append(Step(action=Action.INSTALL, text=text, organisation=organisation))
    for organisation, approval in approvals.items():
        if approval is None or approval.package_id != package.package_id:
            text = f"approve sequence {definition.sequence} for {organisation}"
            steps.append(Step(action=Action.APPROVE, text=text, organisation=organisation))
    if not is_in_force:
        text = f"commit version {definition.version} as sequence {definition.sequence}"
        steps.append(Step(action=Action.COMMIT, text=text))
    if not steps:
        return ()
    serve = Step(
        action=Action.SERVE, text=f"have {package.package_id[:24]}... served at {package.address}"
    )
    retire = Step(action=Action.RETIRE, text="retire the server of the version before")
    return (serve, *steps, retire) if not is_in_force else (serve, *steps)
